"""
Measuring in ratios: machines differ, what is measured side by side on one does not.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import time
from collections.abc import Callable
from typing import Any

from counting import growth

SLACK = 3.0
"""How far from its aim a ratio may be: what is quadratic, or no longer lazy, is farther."""
KEY = "ratio"


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


def processor_seconds(command: list[str], env: dict[str, str] | None = None) -> float:
    """
    Give the seconds of the processor that a process takes.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Compare:
    """
    Compare the time that some work takes with that of other work.
    """

    def __init__(self, *, measuring: bool, note: Callable[[str, object], None]) -> None:
        self.measuring = measuring
        self._note = note

    def __call__(
        self,
        work: Callable[[], Any],
        base: Callable[[], Any],
        *,
        aim: float,
        rounds: int = 5,
        label: str = "",
    ) -> None:
        """
        Hold work to so many times the time of its base, the least of some rounds of both in turn.
        """
        if self.measuring:
            self.hold(ratio(work, base, rounds), aim, label)
        else:
            base()
            work()

    def hold(self, found: float, aim: float, label: str = "") -> None:
        """
        Note a ratio that was measured, and refuse it where it misses its aim by far.
        """
        self._note(KEY, (label, found, aim))

        assert found < SLACK * aim

    def growth(
        self,
        large: Callable[[], Any],
        small: Callable[[], Any],
        *,
        times: float,
        rounds: int = 5,
        label: str = "",
    ) -> None:
        """
        Hold work that is so many times as much to 1.5 times as many calls, and as much time.
        """
        assert growth(large, small) < 1.5 * times
        if self.measuring:
            self(large, small, aim=1.5 * times, rounds=rounds, label=label)
