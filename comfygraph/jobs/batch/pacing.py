"""
How often to ask how the jobs of a batch are: learned from how long they took.
"""

from __future__ import annotations

from dataclasses import replace

from comfygraph.targets.policy import Policy

_SHARE = 0.7
"""The part of a service's rate limit that polls may take; the rest is for submits and files."""
_FIRST, _NEXT = 0.5, 0.15
"""The first poll and the pause between two, in parts of what a job took so far."""
_LONGEST = 30.0
_MOST = 10.0
"""How many times as long as usual a job may have taken, to count in full."""


class Pace:
    """
    Plans the polls of a batch.

    A job that takes a minute is not asked for each second, and one that takes a tenth of a second
    is not left alone for one. However many jobs there are, together they stay inside the limit.

    Args:
        policy: How the service wants to be treated.
        concurrency: How many jobs are under way at the same time.
    """

    def __init__(self, policy: Policy, concurrency: int) -> None:
        self._policy = policy
        rate = policy.requests_per_second
        crowd = concurrency / (_SHARE * rate) if rate else 0.0
        usual = policy.poll_intervals or (1.0,)
        self._least = max(usual[0] / 10.0, crowd)
        self._usual = tuple(max(pause, crowd) for pause in usual)
        self._typical: float | None = None

    def took(self, seconds: float) -> None:
        """
        Take in how long a job was under way.
        """
        if self._typical is None:
            self._typical = seconds
        else:
            # a laptop that was closed meanwhile says nothing of how long jobs take
            self._typical += 0.2 * (min(seconds, _MOST * self._typical) - self._typical)

    def policy(self) -> Policy:
        """
        Give the policy for the next job. The service was asked for prices already.
        """
        return replace(self._policy, poll_intervals=self.intervals(), check_first=False)

    def intervals(self) -> tuple[float, ...]:
        """
        Give the pauses between polls, in seconds.
        """
        if self._typical is None:
            return (self._least, *self._usual)
        first = min(max(_FIRST * self._typical, self._least), _LONGEST)
        pause = min(max(_NEXT * self._typical, self._least), max(self._usual))
        # a job that takes much longer than the others is asked for as any job is
        return (first, *(pause,) * 6, *(max(pause, usual) for usual in self._usual))
