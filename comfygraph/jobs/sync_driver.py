"""
The driver for ordinary code: httpx and websockets in threads, one inbox for all that happens.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx

from comfygraph.jobs import wire
from comfygraph.jobs.conversation import Conversation
from comfygraph.jobs.effects import (
    Answer,
    CancelAsked,
    Drop,
    Effect,
    Frame,
    Hush,
    Listen,
    Mark,
    Nudged,
    Outcome,
    Pause,
    Save,
    Send,
    Stage,
    StreamLost,
    StreamOpened,
    Tell,
)
from comfygraph.jobs.files import NotKept
from comfygraph.jobs.job import JobState, OnMark
from comfygraph.jobs.line import Line
from comfygraph.jobs.plan import Plan
from comfygraph.jobs.sync_stream import StreamThread
from comfygraph.targets.base import JobRef
from comfygraph.targets.events import Event, JobEnd, JobSucceeded
from comfygraph.targets.http import HttpResponse

if TYPE_CHECKING:
    from comfygraph.jobs.images import Image

_Letter = tuple[int | None, Outcome]
"""Who wrote (the serial of a request or stream, `None` for us), and what."""


class Job:
    """
    A job, as an iterator over its events; the last one is its end.

    Waiting happens while it is iterated. It may be left at any time: garbage collection closes
    what is open, and so does leaving a `with` block. The service's job goes on then.
    """

    def __init__(self, plan: Plan, on_mark: OnMark | None = None) -> None:
        self._state = JobState(plan, on_mark)
        self._machine: _Machine | None = None
        self._conversation: Conversation | None = None
        self._lock = Lock()
        self._early_cancel = False

    @property
    def ref(self) -> JobRef | None:
        """
        The reference of the job; `None` before the target is known.
        """
        return self._state.ref

    @property
    def stage(self) -> Stage | None:
        """
        How far the submit is; `None` before anything was done.
        """
        return self._state.stage

    @property
    def end(self) -> JobEnd | None:
        """
        The end of the job, once it is known.
        """
        return self._state.end

    def start(self) -> Self:
        """
        Hand the graph in; give the job itself.

        Raises:
            SubmissionUncertain: It was sent, and nobody knows whether it arrived.
            TargetError: The service refused, or was out of reach.
            UsageError: The target is not configured.
        """
        while self._state.stage not in (Stage.ACCEPTED, Stage.ENDED):
            if not self._advance():
                break
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        while not self._state.told:
            if not self._advance():
                raise StopIteration
        return self._state.told.popleft()

    def result(self) -> JobSucceeded:
        """
        Wait for the end. Events that were not taken stay to be iterated.

        Raises:
            JobError: It failed or was cancelled.
            DeadlinePassed: It may still run.
        """
        while self._advance():
            pass
        return self._state.outcome_of()

    def images(self) -> list[Image]:
        """
        Wait for the end and open the pictures that were made; needs Pillow and a folder `out`.

        Raises:
            DeadlinePassed: It may still run.
            JobError: It failed or was cancelled.
            UsageError: Pillow is missing, or the files were not fetched.
        """
        from comfygraph.jobs.images import open_images

        return open_images(self.result())

    def cancel(self) -> None:
        """
        Ask the service to stop the job, once; the events then tell how it ended.

        Where somebody else iterates the job at this moment, they carry it out.
        """
        self.ask_cancel()
        while not self._lock.locked() and self._machine is not None:
            if self._conversation is None or self._conversation.cancel_settled:
                return
            if not self._advance():
                return

    def ask_cancel(self) -> None:
        """
        Note that the job is to be cancelled, and return at once; fit for a signal handler.
        """
        self._early_cancel = True
        if self._machine is not None:
            self._machine.inbox.put((None, CancelAsked()))

    def nudge(self) -> None:
        """
        Have the service asked at once: a webhook says that there is news. Safe from any thread.
        """
        if self._machine is not None:
            self._machine.inbox.put((None, Nudged()))

    def close(self) -> None:
        """
        Let go of everything; the service's job is left as it is.
        """
        self._state.stop()
        if self._machine is not None:
            self._machine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _advance(self) -> bool:
        """
        Do one thing; false when the conversation is over.
        """
        with self._lock:
            if self._state.over:
                return False
            machine = self._machine or self._open()
            try:
                if machine.idle:
                    effect = self._state.next_effect()
                    if effect is None:
                        machine.close()
                        return False
                    machine.start(effect)
                self._state.give(machine.wait())
            except Exception:
                # whatever ended it early; an interrupt leaves the job as it was, to be gone on with
                self._state.stop()
                machine.close()
                raise
            return True

    def _open(self) -> _Machine:
        conversation, close = self._state.plan.open()
        machine = _Machine(close)
        weakref.finalize(self, machine.close)
        self._conversation = conversation
        self._machine = machine
        self._state.begin(conversation)
        if self._early_cancel:
            machine.inbox.put((None, CancelAsked()))
        return machine


class _Machine:
    """
    Carries effects out, one after the other: `start`, then `wait`, which an interrupt may leave
    and a later `wait` goes on with.
    """

    def __init__(self, close: Callable[[], None]) -> None:
        self.inbox: SimpleQueue[_Letter] = SimpleQueue()
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
    inbox: SimpleQueue[_Letter],
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
        return _whole(response)


def _whole(response: httpx.Response) -> HttpResponse:
    until = time.monotonic() + wire.WHOLE_ANSWER
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if wire.enough(len(body)):
            break
        if time.monotonic() > until:
            raise TimeoutError
    return wire.whole_answer(response, bytes(body))
