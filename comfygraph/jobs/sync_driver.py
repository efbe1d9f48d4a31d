"""
The driver for ordinary code: httpx and websockets in threads, one inbox for all that happens.
"""

from __future__ import annotations

import weakref
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from comfygraph.jobs.conversation import Conversation
from comfygraph.jobs.effects import CancelAsked, Nudged, Stage
from comfygraph.jobs.job import JobState, OnMark
from comfygraph.jobs.plan import Plan
from comfygraph.jobs.sync_machine import Machine
from comfygraph.targets.base import JobRef
from comfygraph.targets.events import Event, JobEnd, JobSucceeded

if TYPE_CHECKING:
    from comfygraph.jobs.images import Image


class Job:
    """
    A job, as an iterator over its events; the last one is its end.

    Waiting happens while it is iterated. It may be left at any time: garbage collection closes
    what is open, and so does leaving a `with` block. The service's job goes on then.
    """

    def __init__(self, plan: Plan, on_mark: OnMark | None = None) -> None:
        self._state = JobState(plan, on_mark)
        self._machine: Machine | None = None
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
            began = True
            try:
                if machine.idle:
                    effect = self._state.next_effect()
                    if effect is None:
                        machine.close()
                        return False
                    began = False
                    machine.start(effect)
                    began = True
                self._state.give(machine.wait())
            except BaseException as exc:
                # an interrupt leaves the job as it was, to be gone on with; not in the middle of a
                # beginning, since nobody knows whether it has begun
                if isinstance(exc, Exception) or not began:
                    self._state.stop()
                    machine.close()
                raise
            return True

    def _open(self) -> Machine:
        conversation, close = self._state.plan.open()
        machine = Machine(close)
        weakref.finalize(self, machine.close)
        self._conversation = conversation
        self._machine = machine
        self._state.begin(conversation)
        if self._early_cancel:
            machine.inbox.put((None, CancelAsked()))
        return machine
