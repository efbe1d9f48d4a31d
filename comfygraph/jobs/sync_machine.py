"""
Carrying effects out in threads: httpx and websockets, one inbox for all that happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TypeAlias

import httpx

from comfygraph.jobs import wire
from comfygraph.jobs.effects import (
    Answer,
    Drop,
    Effect,
    Frame,
    Hush,
    Listen,
    Mark,
    Outcome,
    Pause,
    Save,
    Send,
    StreamLost,
    StreamOpened,
    Tell,
)
from comfygraph.jobs.files import NotKept
from comfygraph.jobs.line import Line
from comfygraph.jobs.sync_stream import StreamThread

Letter: TypeAlias = tuple[int | None, Outcome]
"""Who wrote (the serial of a request or stream, `None` for us), and what."""


class Machine:
    """
    Carries effects out, one after the other: `start`, then `wait`, which an interrupt may leave
    and a later `wait` goes on with.
    """

    def __init__(self, close: Callable[[], None] | None) -> None:
        self.inbox: SimpleQueue[Letter] = SimpleQueue()
        self.idle = True
        self._until: float | None = None
        self._no_wait = False
        self._serial = 0
        self._request = 0
        self._stream: StreamThread | None = None
        self._stream_serial = 0
        self._line: Line | None = None
        self._close = close
        self._closed = Lock()

    def start(self, effect: Effect) -> None:
        """
        Start to carry out an effect.
        """
        self._no_wait = False
        self._until = None
        match effect:
            case Send() | Save():
                self._send(effect)
                self._until = time.monotonic() + effect.limit
            case Pause(seconds=seconds):
                self._until = None if seconds is None else time.monotonic() + seconds
            case Listen():
                self._listen(effect)
                self._no_wait = True
            case Hush():
                self._hush()
                self._no_wait = True
            case Drop():
                self._request = 0
                self._no_wait = True
            case Tell() | Mark():
                self._no_wait = True
        self.idle = False

    def wait(self) -> Outcome:
        """
        Wait for what comes of the effect.
        """
        outcome = None if self._no_wait else self._next_letter()
        self.idle = True
        return outcome

    def close(self) -> None:
        """
        Close everything; a second call does nothing.
        """
        if not self._closed.acquire(blocking=False):
            return
        self._request = 0
        self._hush()
        if self._line is not None:
            self._line.hang_up()
        if self._close is not None:
            self._close()

    def _next_letter(self) -> Outcome:
        while True:
            left = None if self._until is None else max(self._until - time.monotonic(), 0.0)
            try:
                serial, outcome = self.inbox.get(timeout=left)
            except Empty:
                return None
            if isinstance(outcome, Frame) and self._stream is not None:
                self._stream.taken()
            if serial is None or serial in (self._request, self._stream_serial):
                if isinstance(outcome, Answer):
                    self._request = 0
                return outcome

    def _send(self, effect: Send | Save) -> None:
        headers = wire.wire_headers(effect.request)
        if self._line is None:
            self._line = Line()
        self._serial += 1
        self._request = self._serial
        self._line.take()
        args = (self.inbox, self._line, self._serial, effect, headers)
        Thread(target=_carry, args=args, name="comfygraph-request", daemon=True).start()

    def _listen(self, effect: Listen) -> None:
        self._hush()
        self._serial += 1
        serial = self._stream_serial = self._serial
        inbox = self.inbox

        def tell(news: StreamOpened | StreamLost | Frame) -> None:
            inbox.put((serial, news))

        self._stream = StreamThread(effect, tell)

    def _hush(self) -> None:
        self._stream_serial = 0
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _carry(
    inbox: SimpleQueue[Letter],
    line: Line,
    serial: int,
    effect: Send | Save,
    headers: dict[str, str],
) -> None:
    try:
        if not effect.request.resend.unanswered:
            # on a connection that was used before, a close by the service and a lost request
            # look alike: a request that must not be sent twice gets its own
            with httpx.Client(**wire.client_options()) as fresh:
                answer = _ask(fresh, effect, headers)
        else:
            answer = _ask(line.client, effect, headers)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as exc:
        answer = wire.unreached(exc, effect.connect, effect.timeout)
    except (OSError, NotKept) as exc:
        answer = wire.not_saved(exc)
    except Exception:
        # whatever it is, an answer must come
        answer = wire.unreached(httpx.ReadError(""), effect.connect, effect.timeout)
    line.hang_up()
    inbox.put((serial, answer))


def _ask(client: httpx.Client, effect: Send | Save, headers: dict[str, str]) -> Answer:
    request = effect.request
    if isinstance(effect, Save):
        saved = wire.found(effect.sink)
        if saved is not None:
            return saved
        headers = {**headers, **wire.file_headers(effect.sink)}
    with client.stream(
        request.method,
        request.url,
        headers=headers,
        content=request.body or None,
        timeout=wire.timeouts(effect.connect, effect.timeout),
    ) as response:
        if isinstance(effect, Save):
            if not wire.starts_file(response, request.url, effect.sink):
                return wire.whole_answer(response, b"")
            for piece in response.iter_bytes():
                effect.sink.write(piece)
            return wire.keep(effect.sink)
        return wire.whole(response)
