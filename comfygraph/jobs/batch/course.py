"""
Whether a batch goes on, is to stop or is to be left, and which of its jobs are under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from comfygraph.jobs.batch.events import BatchEvent, BatchNotice
from comfygraph.jobs.ledger import Ledger, LedgerError, State

_GRACE = 5.0
"""Seconds for which jobs that are just being handed in are waited for when a batch is left."""
_SHOWN = 8


class Course:
    """
    Goes on until it is stopped, by a person or by what went wrong: then nothing more is sent, and
    what the service has is followed to its end, unless the batch is left.

    Args:
        ledger: Knows which jobs were sent.
        tell: Is told what goes on after a person has stopped the batch.
        clock: Seconds, never going back.
    """

    def __init__(
        self, ledger: Ledger, tell: Callable[[BatchEvent], None], clock: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._tell = tell
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._active: dict[str, tuple[int, asyncio.Task[None] | None]] = {}
        self._stopped = asyncio.Event()
        self._ended = asyncio.Event()
        self.stopping = False
        self.leaving = False
        self.reason = ""
        """Why it was stopped first."""

    def begin(self) -> None:
        """
        Take the running loop for the one that all jobs run in.
        """
        self._loop = asyncio.get_running_loop()

    @property
    def busy(self) -> bool:
        """
        Whether a job is under way.
        """
        return bool(self._active)

    def ask_stop(self) -> None:
        """
        Send nothing more, and let go of jobs that were not sent. Fit for a signal handler.
        """
        self._note("interrupted")
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._leave_unsent)

    def ask_leave(self) -> None:
        """
        Follow nothing any more. Fit for a signal handler.
        """
        self.leaving = True
        self.ask_stop()

    def stop(self, reason: str) -> None:
        """
        Send nothing more. Call it where the loop runs.
        """
        self._note(reason)
        self._stopped.set()
        self._ended.set()

    @contextmanager
    def following(self, job: str, variant: int) -> Iterator[None]:
        """
        Have a job under way, carried out by the task that runs.
        """
        self._active[job] = (variant, asyncio.current_task())
        try:
            yield
        finally:
            del self._active[job]
            self._ended.set()

    async def sleep(self, seconds: float) -> None:
        """
        Wait, until the stop at most.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    async def next_end(self, seconds: float) -> None:
        """
        Wait until a job has ended, or until the stop; at most so long.
        """
        self._ended.clear()
        if not self.stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), seconds)

    async def submits_end(self) -> None:
        """
        Wait a little for jobs that are just being handed in: broken off, nobody would be sure of
        them.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        until = self._clock() + _GRACE
        while self._clock() < until and any(
            self._ledger.get(job).state is State.INTENDED for job in self._active
        ):
            await asyncio.sleep(0.05)

    def _note(self, reason: str) -> None:
        if not self.stopping:
            self.stopping = True
            self.reason = reason

    def _leave_unsent(self) -> None:
        self.stop("")
        going_on: list[int] = []
        for job, (variant, task) in self._active.items():
            try:
                sent = self._ledger.get(job).state is not State.PLANNED
            except LedgerError:
                continue  # whoever carries it out finds out as well
            if sent:
                going_on.append(variant)
            elif task is not None:
                task.cancel()
        if going_on and not self.leaving:
            self._tell(BatchNotice(_going_on(going_on)))


def _going_on(variants: Sequence[int]) -> str:
    shown = ", ".join(map(str, sorted(variants)[:_SHOWN]))
    if len(variants) == 1:
        return f"nothing more is sent; variant {shown} is followed to its end"
    more = f" and {len(variants) - _SHOWN:,} more" if len(variants) > _SHOWN else ""
    return f"nothing more is sent; variants {shown}{more} are followed to their end"
