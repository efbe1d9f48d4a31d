"""
What the target remembers of a job between two polls: how long to have the service hold the next
one, and the trace of its run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from comfygraph.targets.civitai.trace import Trace
from comfygraph.targets.observations import JobEnded, Observation, ProgressSeen

_WAITS = (0, 2, 5, 10)
"""Seconds that polls in a row without news are held."""
_HELD_PAUSE = 0.5
_LATE_ADDRESS, _LATE_BYTES, _LATE_END = 4, 10, 20
"""How many polls the end is kept back for a trace: without an address yet, without a byte yet,
and still growing."""


@dataclass(slots=True)
class Followed:
    """
    One job that is being followed.

    Args:
        trace: What its run said so far.
        url: Where the trace is; empty where nobody said yet.
        wanted: Whether somebody asked for the live stream.
        cancelled: Whether we have cancelled it.
    """

    trace: Trace = field(default_factory=Trace)
    url: str = ""
    wanted: bool = False
    cancelled: bool = False
    _quiet: int = 0
    _last: tuple[Observation, ...] | None = None
    _kept_back: int = 0

    def turn_to(self, url: str) -> None:
        """
        Take in where the trace is. At another place it is the trace of another run (the service
        may try a step again), which is read from its first byte; a signature may change.
        """
        if self.url and urlsplit(self.url).path != urlsplit(url).path:
            self.trace = Trace()
        self.url = url

    def wait(self) -> int:
        """
        Give the seconds that the next poll may be held: short ones first, so that "queued" does
        not stand for longer than it is true, longer ones while nothing happens.
        """
        return _WAITS[min(self._quiet, len(_WAITS) - 1)]

    def note(self, seen: tuple[Observation, ...]) -> None:
        """
        Take in what a poll claimed.
        """
        self._quiet = self._quiet + 1 if seen == self._last else 1
        self._last = seen

    def pause_before_end(self, *, traced: bool) -> float | None:
        """
        Give the seconds until the end of a job should be asked for again, since its trace, which
        somebody reads, has not told all yet; `None` where the end may be told.

        Args:
            traced: Whether the run leaves a trace.
        """
        if not traced or not self.wanted or self.trace.finished:
            return None
        patience = _LATE_ADDRESS
        if self.url:
            patience = _LATE_END if self.trace.received else _LATE_BYTES
        self._kept_back += 1
        return _HELD_PAUSE if self._kept_back <= patience else None

    def told(self, seen: Iterable[Observation]) -> tuple[Observation, ...]:
        """
        Give claims without the guess from the clock, where the trace tells better.
        """
        guess = self.trace.tells_nodes
        return tuple(it for it in seen if not (guess and isinstance(it, ProgressSeen)))


def without_end(seen: Iterable[Observation]) -> tuple[Observation, ...]:
    """
    Give claims without the end of the job.
    """
    return tuple(it for it in seen if not isinstance(it, JobEnded))
