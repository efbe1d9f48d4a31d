"""
How far a job is, as one figure that never goes back, and how long it may still take.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from comfygraph.core.graph import adjacency_of
from comfygraph.core.values import Node
from comfygraph.jobs.weights import node_weights
from comfygraph.targets.events import (
    Event,
    JobCancelled,
    JobFailed,
    JobProgress,
    JobQueued,
    JobStarted,
    JobSucceeded,
    NodeCached,
    NodeFailed,
    NodeFinished,
    NodePreview,
    NodeProgress,
    NodeStarted,
    Notice,
    OutputReady,
)

_ALMOST = 0.999
"""The most before the service says that the job is over: its files are still to come."""
_WINDOW = 20.0
_SHORTEST = 1.0


@dataclass(slots=True)
class Active:
    """
    A node at work: at `value` of `max` (0 of 0 where it does not say) since `since`, in seconds.
    """

    since: float
    value: float = 0.0
    max: float = 0.0

    @property
    def fraction(self) -> float:
        """
        How far it is, 0 to 1.
        """
        return min(max(self.value / self.max, 0.0), 1.0) if self.max > 0 else 0.0


class Progress:
    """
    Follows the events of one job.

    Services mention nodes as they please, some only the samplers. A node that has made its first
    step has what it needs, so everything above it is taken for done; a node that is never
    mentioned holds nothing back, and success is 100 %.

    Args:
        nodes: The graph.
        runs: Ids of the nodes that will run (those that an output needs); default is all.
        weights: What each node costs; default is `node_weights`.
        clock: Seconds, never going back.
    """

    def __init__(
        self,
        nodes: Mapping[str, Node],
        *,
        clock: Callable[[], float],
        runs: Iterable[str] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        given = node_weights(nodes) if weights is None else weights
        wanted = list(nodes) if runs is None else [node_id for node_id in runs if node_id in nodes]
        self._weights = {node_id: given.get(node_id, 1.0) for node_id in wanted}
        self._total = sum(self._weights.values()) or 1.0
        self._needs = adjacency_of(nodes)
        self._clock = clock
        self._done: set[str] = set()
        self._finished: set[str] = set()
        self._done_weight = 0.0
        self._service = 0.0
        self._fraction = 0.0
        self._samples: deque[tuple[float, float]] = deque()
        self.active: dict[str, Active] = {}
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.position: int | None = None

    @property
    def fraction(self) -> float:
        """
        The overall figure, 0 to 1.
        """
        return self._fraction

    @property
    def left(self) -> int:
        """
        How many nodes are neither done nor at work.
        """
        return sum(
            node_id not in self._done and node_id not in self.active for node_id in self._weights
        )

    def is_done(self, node_id: str) -> bool:
        """
        Whether a node is done, or must be, since one that needs it has made a step.
        """
        return node_id in self._done

    def elapsed(self) -> float:
        """
        Seconds since the service began with the job; 0 before.
        """
        if self.started_at is None:
            return 0.0
        return (self._clock() if self.ended_at is None else self.ended_at) - self.started_at

    def remaining(self) -> float | None:
        """
        Estimate the seconds to the end by the pace of the last while; `None` where nobody knows.
        """
        if self.ended_at is not None or not self._samples:
            return None
        now = self._clock()
        first_time, first = self._samples[0]
        span, gained = now - first_time, self._fraction - first
        if span < _SHORTEST or gained <= 0:
            return None
        return (1.0 - self._fraction) * span / gained

    def feed(self, event: Event) -> None:
        """
        Take in an event.
        """
        now = self._clock()
        match event:
            case JobQueued(position=position):
                self.position = position
            case JobStarted():
                self._start(now)
            case NodeStarted(node_id=node_id):
                self._begin(node_id, now)
            case NodeProgress(node_id=node_id, value=value, max=maximum):
                self._begin(node_id, now)
                active = self.active.get(node_id)
                if active is not None:
                    active.value, active.max = value, maximum
                if value > 0:
                    self._finish_above(node_id)
            case NodeFinished(node_id=node_id) | NodeCached(node_id=node_id):
                self._start(now)
                self._finish(node_id)
            case NodeFailed(node_id=node_id):
                self._start(now)
                self.active.pop(node_id, None)
            case JobProgress(fraction=fraction, estimated=estimated):
                self._start(now)
                # a guess from the clock counts only where nothing better is known
                if not estimated or not (self._done or self.active):
                    self._service = max(self._service, fraction)
            case JobSucceeded() | JobFailed() | JobCancelled():
                self._end(event, now)
                return
            case NodePreview() | Notice() | OutputReady():
                return
            case _:
                assert_never(event)
        self._update(now)

    def _start(self, now: float) -> None:
        if self.started_at is None:
            self.started_at = now
            self._samples.append((now, self._fraction))

    def _begin(self, node_id: str, now: float) -> None:
        self._start(now)
        if node_id in self._finished or node_id in self.active:
            return
        if node_id in self._done:  # taken for done too early: an input that is worked out late
            self._done.remove(node_id)
            self._done_weight -= self._weights.get(node_id, 0.0)
        self.active[node_id] = Active(now)

    def _finish(self, node_id: str) -> None:
        self.active.pop(node_id, None)
        self._finished.add(node_id)
        self._finish_above(node_id)
        self._mark(node_id)

    def _finish_above(self, node_id: str) -> None:
        # each node is walked over once in all: what is done has everything above it done
        todo = [above for above in self._needs.get(node_id, ()) if above not in self._done]
        while todo:
            above = todo.pop()
            if above in self._done:
                continue
            self.active.pop(above, None)
            self._mark(above)
            todo.extend(self._needs.get(above, ()))

    def _mark(self, node_id: str) -> None:
        if node_id not in self._done:
            self._done.add(node_id)
            self._done_weight += self._weights.get(node_id, 0.0)

    def _end(self, event: JobSucceeded | JobFailed | JobCancelled, now: float) -> None:
        self._start(now)
        self.ended_at = now
        self.active.clear()
        if isinstance(event, JobSucceeded):
            self._fraction = 1.0

    def _update(self, now: float) -> None:
        weight = self._done_weight + sum(
            self._weights.get(node_id, 0.0) * active.fraction
            for node_id, active in self.active.items()
        )
        figure = min(max(weight / self._total, self._service), _ALMOST)
        if figure > self._fraction:
            self._fraction = figure
            self._samples.append((now, figure))
            while len(self._samples) > 2 and self._samples[1][0] < now - _WINDOW:
                self._samples.popleft()
