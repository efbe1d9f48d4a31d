"""
Carrying effects out with asyncio: httpx and websockets in tasks, one inbox for all that happens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import httpx

from comfygraph.jobs import wire
from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.async_stream import FRAMES_AHEAD, follow_stream
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
    T,
    Talk,
    Tell,
)
from comfygraph.jobs.files import NotKept
from comfygraph.targets.http import HttpResponse

Letter: TypeAlias = tuple[int | None, Outcome]
"""Who wrote (the serial of a request or stream, `None` for us), and what."""


async def run_talk(talk: Talk[T], clients: Clients) -> T:
    """
    Carry out a talk that is no whole job, such as asking a service for a price.

    Its events are not told to anybody.

    Raises:
        ComfyGraphError: What ended it.
    """
    machine = Machine(None, clients)
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


class Machine:
    """
    Carries effects out, one after the other: `start`, then `wait`, which a cancelled task may
    leave and a later `wait` goes on with.
    """

    def __init__(self, close: Callable[[], None] | None, clients: Clients | None = None) -> None:
        self.inbox: asyncio.Queue[Letter] = asyncio.Queue()
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
                self._until = time.monotonic() + effect.limit
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
        async with AsyncExitStack() as stack:
            if self._close is not None:
                stack.push_async_callback(asyncio.to_thread, self._close)
            if self._own_clients:
                stack.push_async_callback(self._clients.close)
            stack.push_async_callback(self._hush)
            await self._drop()

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
        await end_task(self._request_task)
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
        await end_task(self._stream_task)
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


async def end_task(task: asyncio.Task[None] | None) -> None:
    """
    Cancel a task and wait for its end.
    """
    if task is not None:
        task.cancel()
        # not awaited itself: whoever cancels us meanwhile must be heard
        await asyncio.wait([task])


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
    wire.check_packing(response)
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if wire.enough(len(body)):
            break
    return wire.whole_answer(response, bytes(body))
