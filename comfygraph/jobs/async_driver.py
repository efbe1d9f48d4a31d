"""
The driver for asyncio: the same conversation, carried out with tasks.
"""

from __future__ import annotations

import asyncio
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Self

from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.async_machine import Machine
from comfygraph.jobs.conversation import Conversation
from comfygraph.jobs.effects import CancelAsked, Nudged, Stage
from comfygraph.jobs.job import JobState, OnMark
from comfygraph.jobs.plan import Plan
from comfygraph.targets.base import JobRef
from comfygraph.targets.events import Event, JobEnd, JobSucceeded

if TYPE_CHECKING:
    from comfygraph.jobs.images import Image


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
        self._machine: Machine | None = None
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
        How far the submit is; `None` before anything was done, accepted for a job that was
        handed in before.
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

    async def _open(self) -> Machine:
        plan = self._state.plan
        conversation, close = plan.open() if plan.at_once else await asyncio.to_thread(plan.open)
        machine = Machine(close, self._clients)
        if close is not None:
            weakref.finalize(self, close)
        self._conversation = conversation
        self._machine = machine
        self._state.begin(conversation)
        if self._early_cancel:
            machine.inbox.put_nowait((None, CancelAsked()))
        return machine
