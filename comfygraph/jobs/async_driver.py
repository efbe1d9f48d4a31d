"""
The driver for asyncio: the same conversation, carried out with tasks.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx

from comfygraph.jobs import wire
from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.async_stream import FRAMES_AHEAD, follow_stream
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
    T,
    Talk,
    Tell,
)
from comfygraph.jobs.files import NotKept
from comfygraph.jobs.job import JobState, OnMark
from comfygraph.jobs.plan import Plan
from comfygraph.targets.base import JobRef
from comfygraph.targets.events import Event, JobEnd, JobSucceeded
from comfygraph.targets.http import HttpResponse

if TYPE_CHECKING:
    from comfygraph.jobs.images import Image

_Letter = tuple[int | None, Outcome]
"""Who wrote (the serial of a request or stream, `None` for us), and what."""


class AsyncJob:
    """
    A job, as an asynchronous iterator over its events; the last one is its end.

    It closes itself at its end. To leave it earlier, use `async with` or `close`; the service's
    job goes on then.
    """

    def __init__(
        self, plan: Plan, on_mark: OnMark | None = None, *, clients: Clients | None = None
    ) -> None:
        self._state = JobState(plan, on_mark)
        self._clients = clients
        self._machine: _Machine | None = None
        self._conversation: Conversation | None = None
        self._busy = False
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

    async def start(self) -> Self:
        """
        Hand the graph in; give the job itself.

        Raises:
            SubmissionUncertain: It was sent, and nobody knows whether it arrived.
            TargetError: The service refused, or was out of reach.
            UsageError: The target is not configured.
        """
        while self._state.stage not in (Stage.ACCEPTED, Stage.ENDED):
            if not await self._advance():
                break
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._state.told:
            if not await self._advance():
                raise StopAsyncIteration
        return self._state.told.popleft()

    async def result(self) -> JobSucceeded:
        """
        Wait for the end. Events that were not taken stay to be iterated.

        Raises:
            JobError: It failed or was cancelled.
            DeadlinePassed: It may still run.
        """
        while await self._advance():
            pass
        return self._state.outcome_of()

    async def images(self) -> list[Image]:
        """
        Wait for the end and open the pictures that were made; needs Pillow and a folder `out`.

        Raises:
            DeadlinePassed: It may still run.
            JobError: It failed or was cancelled.
            UsageError: Pillow is missing, or the files were not fetched.
        """
        from comfygraph.jobs.images import open_images

        return open_images(await self.result())

    async def cancel(self) -> None:
        """
        Ask the service to stop the job, once; the events then tell how it ended.

        Where somebody else iterates the job at this moment, they carry it out.
        """
        self.ask_cancel()
        while not self._busy and self._machine is not None:
            if self._conversation is None or self._conversation.cancel_settled:
                return
            if not await self._advance():
                return

    def ask_cancel(self) -> None:
        """
        Note that the job is to be cancelled, and return at once. Call it on the loop's thread.
        """
        self._early_cancel = True
        if self._machine is not None:
            self._machine.inbox.put_nowait((None, CancelAsked()))

    def nudge(self) -> None:
        """
        Have the service asked at once: a webhook says that there is news. Call it on the loop's
        thread.
        """
        if self._machine is not None:
            self._machine.inbox.put_nowait((None, Nudged()))

    async def close(self) -> None:
        """
        Let go of everything; the service's job is left as it is.
        """
        self._state.stop()
        if self._machine is not None:
            await self._machine.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _advance(self) -> bool:
        """
        Do one thing; false when the conversation is over.
        """
        if self._busy:
            raise RuntimeError("the job is being iterated by another task")
        if self._state.over:
            return False
        self._busy = True
        try:
            machine = self._machine or await self._open()
            try:
                if machine.idle:
                    effect = self._state.next_effect()
                    if effect is None:
                        await machine.close()
                        return False
                    await machine.start(effect)
                self._state.give(await machine.wait())
            except Exception:
                # whatever ended it early; a cancelled task leaves the job to be gone on with
                self._state.stop()
                await machine.close()
                raise
            return True
        finally:
            self._busy = False

    async def _open(self) -> _Machine:
        conversation, close = await asyncio.to_thread(self._state.plan.open)
        machine = _Machine(close, self._clients)
        weakref.finalize(self, close)
        self._conversation = conversation
        self._machine = machine
        self._state.begin(conversation)
        if self._early_cancel:
            machine.inbox.put_nowait((None, CancelAsked()))
        return machine


async def run_talk(talk: Talk[T], clients: Clients) -> T:
    """
    Carry out a talk that is no whole job, such as asking a service for a price.

    Its events are not told to anybody.

    Raises:
        ComfyGraphError: What ended it.
    """
    machine = _Machine(_nothing, clients)
    outcome: Outcome = None
    try:
        while True:
            effect = talk.send(outcome)
            await machine.start(effect)
            outcome = await machine.wait()
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        talk.close()
        await machine.close()


def _nothing() -> None:
    return


class _Machine:
    """
    Carries effects out, one after the other: `start`, then `wait`, which a cancelled task may
    leave and a later `wait` goes on with.
    """

    def __init__(self, close: Callable[[], None], clients: Clients | None = None) -> None:
        self.inbox: asyncio.Queue[_Letter] = asyncio.Queue()
        self.idle = True
        self._until: float | None = None
        self._no_wait = False
        self._serial = 0
        self._request = 0
        self._stream = 0
        self._request_task: asyncio.Task[None] | None = None
        self._stream_task: asyncio.Task[None] | None = None
        self._ahead = asyncio.Semaphore(FRAMES_AHEAD)
        self._clients = clients or Clients()
        self._own_clients = clients is None
        self._close = close
        self._closed = False

    async def start(self, effect: Effect) -> None:
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
                await self._listen(effect)
                self._no_wait = True
            case Hush():
                await self._hush()
                self._no_wait = True
            case Drop():
                await self._drop()
                self._no_wait = True
            case Tell() | Mark():
                self._no_wait = True
        self.idle = False

    async def wait(self) -> Outcome:
        """
        Wait for what comes of the effect.
        """
        outcome = None if self._no_wait else await self._next_letter()
        self.idle = True
        return outcome

    async def close(self) -> None:
        """
        Close everything; a second call does nothing.
        """
        if self._closed:
            return
        self._closed = True
        await self._drop()
        await self._hush()
        if self._own_clients:
            await self._clients.close()
        await asyncio.to_thread(self._close)

    async def _next_letter(self) -> Outcome:
        while True:
            try:
                if self._until is None:
                    serial, outcome = await self.inbox.get()
                else:
                    async with asyncio.timeout(max(self._until - time.monotonic(), 0.0)):
                        serial, outcome = await self.inbox.get()
            except TimeoutError:
                return None
            if isinstance(outcome, Frame):
                self._ahead.release()
            if serial is None or serial in (self._request, self._stream):
                if isinstance(outcome, Answer):
                    self._request = 0
                return outcome

    def _send(self, effect: Send | Save) -> None:
        headers = wire.wire_headers(effect.request)
        self._serial += 1
        self._request = self._serial
        self._request_task = asyncio.create_task(self._carry(self._serial, effect, headers))

    async def _drop(self) -> None:
        self._request = 0
        await _end(self._request_task)
        self._request_task = None

    async def _listen(self, effect: Listen) -> None:
        await self._hush()
        self._serial += 1
        self._stream = self._serial
        self._ahead = asyncio.Semaphore(FRAMES_AHEAD)
        serial, inbox = self._serial, self.inbox

        def tell(news: StreamOpened | StreamLost | Frame) -> None:
            inbox.put_nowait((serial, news))

        self._stream_task = asyncio.create_task(follow_stream(effect, tell, self._ahead))

    async def _hush(self) -> None:
        self._stream = 0
        await _end(self._stream_task)
        self._stream_task = None

    async def _carry(self, serial: int, effect: Send | Save, headers: dict[str, str]) -> None:
        answer: Answer
        try:
            answer = await _ask(self._clients.for_request(effect.request), effect, headers)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as exc:
            answer = wire.unreached(exc, effect.connect, effect.timeout)
        except (OSError, NotKept) as exc:
            answer = wire.not_saved(exc)
        except Exception:
            # an answer must come, or the conversation waits for ever
            answer = wire.unreached(httpx.ReadError(""), effect.connect, effect.timeout)
        self.inbox.put_nowait((serial, answer))


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _ask(client: httpx.AsyncClient, effect: Send | Save, headers: dict[str, str]) -> Answer:
    request = effect.request
    if isinstance(effect, Save):
        saved = wire.found(effect.sink)
        if saved is not None:
            return saved
        headers = {**headers, **wire.file_headers(effect.sink)}
    async with client.stream(
        request.method,
        request.url,
        headers=headers,
        content=request.body or None,
        timeout=wire.timeouts(effect.connect, effect.timeout),
    ) as response:
        if isinstance(effect, Save):
            if not wire.starts_file(response, request.url, effect.sink):
                return wire.whole_answer(response, b"")
            async for piece in response.aiter_bytes():
                effect.sink.write(piece)
            return await asyncio.to_thread(wire.keep, effect.sink)
        async with asyncio.timeout(wire.WHOLE_ANSWER):
            return await _whole(response)


async def _whole(response: httpx.Response) -> HttpResponse:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if wire.enough(len(body)):
            break
    return wire.whole_answer(response, bytes(body))
