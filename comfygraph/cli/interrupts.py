"""
Ctrl-C: the first cancels, or stops what is more than one job; the second leaves.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Any, Protocol, Self


class Left(BaseException):
    """
    The person pressed Ctrl-C once more than there are steps to take.
    """


class _Cancelling(Protocol):
    cancelling: bool


class Interrupts:
    """
    Takes Ctrl-C over while jobs are followed; after the last step it raises `Left`.

    The handler runs in the middle of anything, so it only leaves notes; it prints nothing.

    Args:
        steps: What is called at the first Ctrl-C, at the second and so on; must be fit for a signal
            handler. An exception in the midst of an event loop may get lost, so whoever runs one
            gives the way to leave it as a step.
        reporter: Is told that a cancel is under way.
    """

    def __init__(self, steps: Sequence[Callable[[], None]], reporter: _Cancelling) -> None:
        self._steps = deque(steps)
        self._reporter = reporter
        self._before: Any = None
        self.asked = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._reporter.cancelling = True
        if not self._steps:
            raise Left
        self._steps.popleft()()
