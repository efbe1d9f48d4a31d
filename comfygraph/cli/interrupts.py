"""
Ctrl-C: the first asks the service to cancel, the second leaves at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Protocol, Self


class Left(BaseException):
    """
    The person pressed Ctrl-C a second time.
    """


class _Cancelling(Protocol):
    cancelling: bool


class Interrupts:
    """
    Takes Ctrl-C over while a job is followed.

    The handler runs in the middle of anything, so it only leaves notes; it prints nothing.

    Args:
        cancel: Called at the first Ctrl-C; must be fit for a signal handler.
        reporter: Is told that a cancel is under way.
    """

    def __init__(self, cancel: Callable[[], None], reporter: _Cancelling) -> None:
        self._cancel = cancel
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
        if self.asked:
            raise Left
        self.asked = True
        self._reporter.cancelling = True
        self._cancel()
