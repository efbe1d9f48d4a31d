"""
Work that may take so long and no longer, where what it waits for cannot be told to hurry.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """
    Do something in a thread of its own and give what came of it.

    A network library limits the silence between two bytes; a service that sends one a second is
    never silent. The thread of a work that took too long is left to itself, and ends with the
    process.

    Raises:
        TimeoutError: It took longer.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as exc:  # whoever asked is to see it
            future.set_exception(exc)

    Thread(target=run, name="comfygraph-within", daemon=True).start()
    return future.result(max(seconds, 0.0))
