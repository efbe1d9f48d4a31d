"""
Asking services: one request at a time, again where that may help, never more than is asked for.

Everything here only reads, or changes what may be changed twice (a tag, a status), so every
request may be sent again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self, TypeVar

from comfygraph.core.within import within
from comfygraph.errors import (
    ProtocolError,
    RateLimited,
    ServiceUnavailable,
    TargetError,
    UsageError,
)
from comfygraph.references.cache import AnswerCache, key_of
from comfygraph.targets.base import Exchange
from comfygraph.targets.failures import retry_after
from comfygraph.targets.http import (
    MAX_JSON_BYTES,
    PACKINGS,
    HttpRequest,
    HttpResponse,
    bounded_packing,
    origin,
)

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

TRIES = 4
CONNECT_TIMEOUT = 10.0
LONGEST_WAIT = 30.0
"""Seconds; a service that asks for a longer pause is given up for now."""
_AGAIN = frozenset({429, 500, 502, 503, 504, 525})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_HOPS = 5
WHOLE_ANSWER = 30.0
"""Seconds that an answer may take from its first byte to its last."""
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


class OfflineError(ServiceUnavailable):
    """The network was not to be used, and the answer is not known already."""


class _EndlessError(ServiceUnavailable):
    """
    An answer that begins and does not end: asking again would take as long.
    """


class Web:
    """
    Carries exchanges over HTTP; the connection is opened when the first request goes out.

    The same question is asked once. A server that was out of reach is not tried again.

    Args:
        offline: Refuse to send anything; kept answers are taken however old they are.
        cache: Keeps answers between runs.
        refresh: Ask again even where an answer is kept.
        spacing: Seconds between two requests to the same server; TAMS takes five a second.
        sleep: Waits.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        *,
        offline: bool = False,
        cache: AnswerCache | None = None,
        refresh: bool = False,
        spacing: float = 0.21,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.offline = offline
        self.sent = 0
        self._cache = cache
        self._refresh = refresh
        self._known: dict[str, HttpResponse] = {}
        self._lost: dict[tuple[str, str, int], ServiceUnavailable] = {}
        self._spacing = spacing
        self._sleep = sleep
        self._clock = clock
        self._client: httpx.Client | None = None
        self._last: dict[tuple[str, str, int], float] = {}

    def run(self, exchange: Exchange[T], keep: Callable[[T], float] | None = None) -> T:
        """
        Carry an exchange to its end and give what came out.

        Args:
            exchange: The question.
            keep: Seconds for which the answers are kept, by what came out; not at all without it.

        Raises:
            OfflineError: Nothing may be sent, and no answer is kept.
            TargetError: The service refused, or is out of reach.
        """
        fresh: list[tuple[str, HttpResponse]] = []
        kept: list[str] = []
        try:
            request = next(exchange)
            while True:
                key = key_of(request)
                response = self._kept(key) if keep is not None else None
                if response is None:
                    response = self._reached(request)
                    fresh.append((key, response))
                else:
                    kept.append(key)
                request = exchange.send(response)
        except StopIteration as stop:
            value: T = stop.value
        except TargetError:
            if self._cache is not None:
                for key in kept:
                    self._cache.drop(key)  # what made no sense is not believed again
            raise
        finally:
            exchange.close()
        if keep is not None:
            for key, response in fresh:
                self._known[key] = response
                if self._cache is not None:
                    self._cache.put(key, response, keep(value))
        return value

    def _kept(self, key: str) -> HttpResponse | None:
        known = self._known.get(key)
        if known is not None or self._cache is None or self._refresh:
            return known
        return self._cache.get(key, stale=self.offline)

    def _reached(self, request: HttpRequest) -> HttpResponse:
        place = origin(request.url)
        if place in self._lost:
            raise self._lost[place]
        try:
            return self._deliver(request)
        except OfflineError:
            raise
        except ServiceUnavailable as exc:
            self._lost[place] = exc
            raise

    def forgive(self) -> None:
        """
        Let servers that were out of reach be tried again.
        """
        self._lost.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """
        Close the connections.
        """
        if self._client is not None:
            self._client.close()

    def _deliver(self, request: HttpRequest) -> HttpResponse:
        if self.offline:
            _, host, _ = origin(request.url)
            raise OfflineError(f"{host} was not asked", hint="leave out --offline to ask it")
        tries = hops = 0
        while True:
            last = tries == TRIES - 1
            try:
                response = self._send(request)
            except _EndlessError:
                raise
            except ServiceUnavailable:
                if last:
                    raise
                self._sleep(_pause(tries))
                tries += 1
                continue
            if response.status in _REDIRECTS:
                if hops == _MOST_HOPS:
                    raise ProtocolError(f"{origin(request.url)[1]} redirects without end")
                hops += 1
                request = request.redirected(response.header("Location") or "")
                continue
            if response.status not in _AGAIN or last:
                return request.scrubbed(response)
            wanted = retry_after(response)
            if wanted is not None and wanted > LONGEST_WAIT:
                raise RateLimited(
                    f"{origin(request.url)[1]} asks to wait {wanted:.0f} s",
                    hint="try again later",
                    status=response.status,
                    retry_after=wanted,
                )
            self._sleep(wanted if wanted is not None else _pause(tries))
            tries += 1

    def _send(self, request: HttpRequest) -> HttpResponse:
        import httpx

        place = origin(request.url)
        wait = self._last.get(place, -self._spacing) + self._spacing - self._clock()
        if wait > 0:
            self._sleep(wait)
        self._last[place] = self._clock()
        self.sent += 1
        host = place[1]
        headers = _checked(request.wire_headers())
        client = self._opened()

        def ask() -> HttpResponse:
            with client.stream(
                request.method,
                request.url,
                headers=headers,
                content=request.body or None,
                timeout=httpx.Timeout(request.timeout, connect=CONNECT_TIMEOUT),
            ) as answer:
                if not bounded_packing(answer.headers.get("content-encoding", "")):
                    raise ProtocolError(f"{host} packs its answer in a way that has no bounds")
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MAX_JSON_BYTES:
                        raise ProtocolError(f"{host} answers with more than can be read")
                return HttpResponse(answer.status_code, dict(answer.headers), bytes(body))

        try:
            return within(CONNECT_TIMEOUT + request.timeout + WHOLE_ANSWER, ask)
        except TimeoutError:
            raise _EndlessError(f"{host} did not end its answer in time") from None
        except httpx.TimeoutException:
            trouble = "did not answer in time"
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as exc:
            nobody = isinstance(exc, httpx.ConnectError | httpx.InvalidURL)
            why = "there is no connection" if nobody else "the connection broke off"
            trouble = f"is out of reach: {why}"
        # Raised here so that no exception of httpx, which holds the request, hangs on ours.
        raise ServiceUnavailable(
            f"{host} {trouble}", hint="check the network and the address of the service"
        )

    def _opened(self) -> httpx.Client:
        if self._client is None:
            import httpx

            from comfygraph import __version__

            self._client = httpx.Client(
                follow_redirects=False,
                headers={
                    "User-Agent": f"comfygraph/{__version__}",
                    "Accept": "application/json",
                    "Accept-Encoding": PACKINGS,
                },
                mounts=dict.fromkeys(_LOOPBACK),
            )
        return self._client


def _pause(tries: int) -> float:
    """Seconds before the next try: 0.5, 1, 2, and a little by chance."""
    return 0.5 * (1 << tries) + random.random() / 4


def _checked(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Refuse what no header can carry; httpx would name the value in its exception."""
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise UsageError(
                f"the header `{name}` would hold a character that no header can carry",
                hint="check the credentials for line breaks and special characters",
            )
    return headers
