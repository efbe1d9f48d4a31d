"""
Measuring in ratios: machines differ, what is measured side by side on one does not.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any


def best(work: Callable[[], Any], rounds: int = 5) -> float:
    """
    Give the least seconds of the processor over some rounds: other work on the machine only
    ever adds. The garbage collector waits, as its time depends on what else is in memory.
    """
    least = float("inf")
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        try:
            started = time.process_time()
            work()
            least = min(least, time.process_time() - started)
        finally:
            gc.enable()
    return least


def ratio(work: Callable[[], Any], base: Callable[[], Any], rounds: int = 5) -> float:
    """
    Give how many times as long one takes as the other, rounds of both in turn.
    """
    mine = theirs = float("inf")
    for _ in range(rounds):
        mine = min(mine, best(work, 1))
        theirs = min(theirs, best(base, 1))
    return mine / theirs
