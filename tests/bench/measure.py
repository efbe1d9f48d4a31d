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

import pytest
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
    Compare the time that some work takes with that of other work, by pytest-benchmark.
    """

    def __init__(self, request: pytest.FixtureRequest, note: Callable[[str, object], None]) -> None:
        self._request = request
        self._note = note
        self.measuring = bool(request.config.getoption("benchmark_enable"))

    def __call__(
        self, work: Callable[[], Any], base: Callable[[], Any], *, aim: float, rounds: int = 5
    ) -> None:
        """
        Hold work to so many times the time of its base, which is measured before and after: the
        least of some rounds of each.
        """
        if not self.measuring:
            base()
            work()
            return
        before = best(base, rounds)
        benchmark = self._request.getfixturevalue("benchmark")
        benchmark.pedantic(work, rounds=rounds)
        found = benchmark.stats.stats.min / min(before, best(base, rounds))
        benchmark.extra_info.update(ratio=found, aim=aim)
        self.hold(found, aim)

    def hold(self, found: float, aim: float) -> None:
        """
        Note a ratio that was measured, and refuse it where it misses its aim by far.
        """
        self._note(KEY, (found, aim))

        assert found < SLACK * aim

    def growth(
        self, large: Callable[[], Any], small: Callable[[], Any], *, times: float, rounds: int = 5
    ) -> None:
        """
        Hold work that is so many times as much to 1.5 times as many calls, and as much time.
        """
        assert growth(large, small) < 1.5 * times
        if self.measuring:
            self(large, small, aim=1.5 * times, rounds=rounds)
