"""
How far a batch is, as one figure that never goes back, and how long it may still take.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from comfygraph.jobs.batch.events import BatchProgress

_ALMOST = 0.9999
_WINDOW = 300.0
_SHORTEST = 2.0


class Meter:
    """
    Adds up the variants of a batch, each weighted by what its graph costs.

    Holds something only for the variants that are under way.

    Args:
        jobs: How many variants there are.
        total: The weight of all of them.
        clock: Seconds, never going back.
        succeeded: How many had ended well before.
        failed: How many had ended otherwise before.
        cost: What they have cost.
    """

    def __init__(
        self,
        jobs: int,
        total: float,
        *,
        clock: Callable[[], float],
        succeeded: int = 0,
        failed: int = 0,
        cost: float | None = None,
    ) -> None:
        self._jobs = jobs
        self._total = total if total > 0 else float(max(jobs, 1))
        self._clock = clock
        self._active: dict[int, tuple[float, float]] = {}
        self._active_weight = 0.0
        self._running: set[int] = set()
        done = succeeded + failed
        self._done_weight = self._total * done / jobs if jobs else 0.0
        self._fraction = self._whole(done)
        self._samples: deque[tuple[float, float]] = deque([(clock(), self._fraction)])
        self.succeeded = succeeded
        self.failed = failed
        self.cost = cost

    @property
    def fraction(self) -> float:
        """
        The overall figure, 0 to 1.
        """
        return self._fraction

    @property
    def done(self) -> int:
        """
        How many variants are over.
        """
        return self.succeeded + self.failed

    def sent(self, index: int, weight: float) -> None:
        """
        Take in that a variant is under way; a second time for one that is tried again.
        """
        if index not in self._active:
            self._active[index] = (weight, 0.0)
        self._running.discard(index)

    def started(self, index: int) -> None:
        """
        Take in that the service works on a variant.
        """
        if index in self._active:
            self._running.add(index)

    def at(self, index: int, fraction: float) -> None:
        """
        Take in how far a variant is, 0 to 1; what it had reached in an earlier try stays.
        """
        known = self._active.get(index)
        if known is None or fraction <= known[1]:
            return
        weight, before = known
        fraction = min(fraction, 1.0)
        self._active[index] = (weight, fraction)
        self._active_weight += weight * (fraction - before)
        self._update()

    def ended(self, index: int, *, success: bool, cost: float | None) -> None:
        """
        Take in that a variant is over.
        """
        weight, fraction = self._active.pop(index, (self._total / max(self._jobs, 1), 0.0))
        self._running.discard(index)
        self._active_weight -= weight * fraction
        self._done_weight += weight
        if success:
            self.succeeded += 1
        else:
            self.failed += 1
        self.spend(cost)
        self._update()

    def left(self, index: int) -> None:
        """
        Take in that a variant is not followed any more, and not over.
        """
        weight, fraction = self._active.pop(index, (0.0, 0.0))
        self._running.discard(index)
        self._active_weight -= weight * fraction

    def spend(self, cost: float | None) -> None:
        """
        Take in what a job has cost.
        """
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost

    def remaining(self) -> float | None:
        """
        Estimate the seconds to the end by the pace of the last while; `None` where nobody knows.
        """
        if self.done >= self._jobs:
            return None
        first_time, first = self._samples[0]
        span, gained = self._clock() - first_time, self._fraction - first
        if span < _SHORTEST or gained <= 0:
            return None
        return (1.0 - self._fraction) * span / gained

    def reading(self) -> BatchProgress:
        """
        Give everything as an event.
        """
        running = len(self._running)
        return BatchProgress(
            self._fraction,
            self.remaining(),
            waiting=max(self._jobs - self.done - len(self._active), 0),
            queued=len(self._active) - running,
            running=running,
            succeeded=self.succeeded,
            failed=self.failed,
            cost=self.cost,
        )

    def _whole(self, done: int) -> float:
        if done >= self._jobs:
            return 1.0
        return min(max((self._done_weight + self._active_weight) / self._total, 0.0), _ALMOST)

    def _update(self) -> None:
        figure = self._whole(self.done)
        if figure <= self._fraction:
            return
        self._fraction = figure
        now = self._clock()
        # at most a few hundred samples, however fast jobs end
        if now - self._samples[-1][0] >= _WINDOW / 300 or len(self._samples) == 1:
            self._samples.append((now, figure))
        while len(self._samples) > 2 and self._samples[1][0] < now - _WINDOW:
            self._samples.popleft()
