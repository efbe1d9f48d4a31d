"""
Requests and answers as values: what a target builds, and what a driver sends and brings back.

Nothing here opens a connection. Credentials are kept apart from ordinary headers, as an
`Auth` that belongs to one origin, so that a driver cannot carry them to another host by mistake.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import urljoin, urlsplit

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError, UsageError
from comfygraph.targets.credentials import Auth, HeaderAuth, Secret, bearer, spellings

__all__ = [
    "MAX_JSON_BYTES",
    "MAX_JSON_DEPTH",
    "Auth",
    "HeaderAuth",
    "HttpRequest",
    "HttpResponse",
    "Resend",
    "Secret",
    "bearer",
    "bounded_packing",
    "json_body",
    "origin",
    "read_json_text",
    "same_origin",
]

MAX_JSON_BYTES = 64 * 1024 * 1024
"""The largest answer that is read as JSON; `/object_info` of a server with many packs has about 10 MB."""  # noqa: E501

MAX_JSON_DEPTH = 200
"""The deepest nesting of an answer; real ones stay under 30."""

MAX_JSON_COMMAS = 4_000_000
"""The most commas in an answer: each parts two values, and ten bytes make one of a hundred."""

PACKINGS = "gzip, deflate"
"""What an answer may be packed with; they grow a thousandfold at most, others without bound."""

_PACKED = frozenset({"gzip", "deflate", "br", "zstd"})

_NO_HEADERS: Mapping[str, str] = {}


class Resend(Enum):
    """
    Whether a request may be sent again when nobody knows if the first one arrived.
    """

    ALWAYS = "always"
    """It only reads, or doing it twice is the same as once."""
    SAME_KEY = "same key"
    """It carries an idempotency key: sent again it finds the first job."""
    AFTER_ERROR = "after error"
    """Where the service answered that it is in trouble; not where no answer came."""
    NEVER = "never"
    """It would do the thing twice. Only safe where surely nothing was sent, or on 429."""

    @property
    def unanswered(self) -> bool:
        """
        Whether it may be sent again although no answer came.
        """
        return self in (Resend.ALWAYS, Resend.SAME_KEY)


def origin(url: str) -> tuple[str, str, int]:
    """
    Give scheme, host and port of a URL, lower case; the three that must agree
    for a credential to go along. A URL without a host has the origin `("", "", 0)`.
    """
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        port = parts.port or {"http": 80, "ws": 80, "https": 443, "wss": 443}.get(scheme, 0)
        host = (parts.hostname or "").lower()
    except ValueError:
        return ("", "", 0)
    secure = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    return (secure, host, port) if host else ("", "", 0)


def same_origin(url: str, home: str) -> bool:
    """
    Whether a credential that belongs to `home` may go to `url`.
    """
    place = origin(url)
    return bool(place[1]) and place == origin(home)


def bounded_packing(encoding: str) -> bool:
    """
    Whether what has this `Content-Encoding` may be unpacked: with what we ask for, and once only,
    or a small piece of it fills the memory.
    """
    layers = [layer.strip().lower() for layer in encoding.split(",")]
    return [layer for layer in layers if layer in _PACKED] in ([], ["gzip"], ["deflate"])


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """
    One request, ready to be sent.

    Args:
        method: Upper case.
        url: Absolute, without credentials.
        headers: Ordinary headers; no credentials in here.
        body: The exact bytes to send; never serialise them again, a signature may cover them.
        auth: Who we are, or `None`. Sent only to the origin of `home`.
        home: A URL of the service that `auth` belongs to.
        resend: Whether it may be sent again when no answer came.
        timeout: Seconds to wait for the answer to begin.
        follow: Whether a redirect is to be followed (`redirected`).
        hidden: Secrets that stand in `url` or `body`; `masked()` blots them out.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    body: bytes = b""
    auth: Auth | None = field(default=None, repr=False)
    home: str = ""
    resend: Resend = Resend.ALWAYS
    timeout: float = 30.0
    follow: bool = False
    hidden: tuple[Secret, ...] = ()

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method} {self._blot(self.url)} {len(self.body)} bytes>"

    def wire_headers(self) -> dict[str, str]:
        """
        Give all headers as they go onto the wire, secrets revealed.

        Call it once for each sending. Credentials are in it only when `url` has the origin of
        the service (`home`), so that a redirected request cannot carry them away.
        """
        out = dict(self.headers)
        for name, value in self._credentials().items():
            out[name] = value.reveal()
        return out

    def redirected(self, location: str) -> HttpRequest:
        """
        Give the request that follows a redirect to `location`, which may be relative.

        Raises:
            ProtocolError: The request is not one to be followed, or the new address is none of
                `http:` and `https:`.
        """
        try:
            target = urljoin(self.url, location) if location else ""
        except ValueError:  # a bracket out of place
            target = ""
        if origin(target)[0] not in ("http", "https"):
            raise ProtocolError("the service redirects to no usable address")
        if not self.follow or self.method not in ("GET", "HEAD"):
            scheme, host, _ = origin(target)
            raise ProtocolError(
                f"the service redirects {self.method} to `{scheme}://{host}`",
                hint="check the base URL of the target",
            )
        return replace(self, url=target)

    def masked(self) -> dict[str, JsonValue]:
        """
        Give the request for a person: `{"method", "url", "headers", "body"}`, credentials masked.

        `body` is JSON where the bytes are JSON, else text, else a note of the length;
        the key is absent where there is no body.
        """
        out: dict[str, JsonValue] = {
            "method": self.method,
            "url": self._blot(self.url),
            "headers": {
                **{name: self._blot(value) for name, value in self.headers.items()},
                **{name: str(value) for name, value in self._credentials().items()},
            },
        }
        if self.body:
            out["body"] = self._shown_body()
        return out

    def scrubbed(self, response: HttpResponse) -> HttpResponse:
        """
        Give the answer to this request with our credentials blotted out of its body, should a
        service quote them in an error; other answers are given back as they are.
        """
        if response.ok or not response.body:
            return response
        body = response.body
        for secret in (*self.hidden, *self._credentials().values()):
            for form in spellings(secret):
                body = body.replace(form.encode(), b"***")
        return response if body is response.body else replace(response, body=body)

    def _credentials(self) -> Mapping[str, Secret]:
        if self.auth is None or not same_origin(self.url, self.home):
            return {}
        return self.auth.headers(self.method, self.url, self.body)

    def _shown_body(self) -> JsonValue:
        try:
            text = self._blot(self.body.decode())
        except UnicodeDecodeError:
            return f"<{len(self.body)} bytes>"
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text

    def _blot(self, text: str) -> str:
        for secret in self.hidden:
            value = secret.reveal()
            if value:
                text = text.replace(value, str(secret))
                text = text.replace(json.dumps(value)[1:-1], str(secret))
        return text


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """
    One answer, read to its end.

    Args:
        status: The HTTP status.
        headers: Any case; read them with `header`.
        body: The bytes, content encoding already undone.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<HttpResponse {self.status} {len(self.body)} bytes>"

    @property
    def ok(self) -> bool:
        """
        Whether the status is a 2xx.
        """
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """
        Give a header by name in any case; `None` where it is absent.
        """
        wanted = name.lower()
        for key, value in self.headers.items():
            if key.lower() == wanted:
                return value
        return None

    def text(self, limit: int = 2000) -> str:
        """
        Give the beginning of the body as text, bytes that are no UTF-8 replaced.
        """
        return self.body[: 4 * limit].decode(errors="replace")[:limit]

    def is_html(self) -> bool:
        """
        Whether the body is a web page where an answer should be.
        """
        start = self.body[:256].lstrip().lower()
        return start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body"))

    def json(self) -> JsonValue:
        """
        Read the body as JSON.

        Raises:
            ProtocolError: It is empty, a web page, broken, too large or too deeply nested.
        """
        if not self.body.strip():
            raise self._unreadable("the answer is empty")
        if len(self.body) > MAX_JSON_BYTES:
            raise self._unreadable(f"the answer has {len(self.body)} bytes, too many to read")
        if self.body.count(b",") > MAX_JSON_COMMAS:
            raise self._unreadable("the answer has more values than can be read")
        if self.is_html():
            raise self._unreadable(
                "the answer is a web page, not JSON", "check the base URL of the target"
            )
        try:
            value = _loads(self.body)
        except RecursionError:
            raise self._unreadable("the answer is nested too deeply") from None
        except ValueError as exc:
            # the exception of `json` carries the whole document, which may be large and private
            where = f" at character {exc.pos}" if isinstance(exc, json.JSONDecodeError) else ""
            raise self._unreadable(f"the answer is not JSON{where}") from None
        if _may_be_deep(self.body) and _depth_exceeds(value, MAX_JSON_DEPTH):
            raise self._unreadable("the answer is nested too deeply")
        return value

    def _unreadable(self, message: str, hint: str | None = None) -> ProtocolError:
        return ProtocolError(f"{message} (HTTP {self.status})", hint=hint, status=self.status)


def json_body(value: JsonValue) -> bytes:
    """
    Serialise a request body: ASCII, compact, keys in order.

    Raises:
        UsageError: The value cannot be sent as JSON: NaN, infinity, or nesting without end.
    """
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except RecursionError:
        raise UsageError("the graph is nested too deeply to be sent") from None
    except ValueError as exc:
        raise UsageError(
            "the graph holds a number that JSON cannot carry", hint="look for NaN or Infinity"
        ) from exc


def read_json_text(text: str | bytes) -> JsonValue:
    """
    Read JSON from a stream's frame; `None` for anything that cannot be read.
    """
    try:
        value = _loads(text)
    except (ValueError, RecursionError):
        return None
    raw = text if isinstance(text, bytes) else text.encode(errors="replace")
    if _may_be_deep(raw) and _depth_exceeds(value, MAX_JSON_DEPTH):
        return None
    return value


def _loads(raw: str | bytes) -> JsonValue:
    text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
    value = json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        # half a surrogate pair can be written in JSON, but neither printed nor put into an address
        clean = json.dumps(value, ensure_ascii=False).encode(errors="replace")
        value = json.loads(clean)
    return value


def _may_be_deep(body: bytes) -> bool:
    return body.count(b"[") + body.count(b"{") > MAX_JSON_DEPTH


def _depth_exceeds(value: JsonValue, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return False
        level = [item for item in below if isinstance(item, dict | list)]
    return bool(level)
