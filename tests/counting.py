"""
Counting calls: what grows with the size of a graph is held by a figure that no other work on the
machine can change.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def calls(work: Callable[[], Any]) -> int:
    """
    Give how many functions one run calls, those written in C as well. A pass over a list inside
    one call of C is not seen: benchmarks measure that.
    """
    count = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event == "call" or event == "c_call":
            count += 1

    gc.collect()
    gc.disable()
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


def growth(large: Callable[[], Any], small: Callable[[], Any]) -> float:
    """
    Give how many times as many calls the large work makes; what is computed once is computed
    before.
    """
    small()
    few = calls(small)
    return calls(large) / few
