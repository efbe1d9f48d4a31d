"""
The servers that a batch runs on: a new job goes to the one with the fewest of ours under way.

A server that is busy with other people's jobs keeps ours for longer, and so is given fewer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from comfygraph.errors import ServiceUnavailable
from comfygraph.jobs.ledger import JobRecord, State
from comfygraph.jobs.resuming import target_for
from comfygraph.targets.base import Policy, Target

AWAY = 30.0
"""Seconds for which a server that was out of reach gets no new job, while another one is there."""


class Servers:
    """
    One service, or several servers that are alike.

    Args:
        targets: The servers, one at least.
        clock: Seconds that never go back.
    """

    def __init__(self, targets: Sequence[Target], clock: Callable[[], float]) -> None:
        self._targets = list(targets)
        self._clock = clock
        self._busy: dict[str, int] = {}
        self._away: dict[str, float] = {}

    @property
    def policy(self) -> Policy:
        """
        How they want to be treated.
        """
        return self._targets[0].policy

    @contextmanager
    def server_for(self, record: JobRecord) -> Iterator[Target]:
        """
        Give the server of a job while it is carried out: where it is, or where a new one goes.

        Raises:
            UsageError: The job is at a place that is not configured.
        """
        target = self._of(record)
        place = target.base_url
        self._busy[place] = self._busy.get(place, 0) + 1
        try:
            yield target
        except ServiceUnavailable:
            self._away[place] = self._clock() + AWAY
            raise
        finally:
            self._busy[place] -= 1

    def _of(self, record: JobRecord) -> Target:
        if record.embedded:
            return self._targets[0]
        if record.state is State.PLANNED:
            now = self._clock()
            return min(
                self._targets,
                key=lambda target: (
                    self._away.get(target.base_url, now) > now,
                    self._busy.get(target.base_url, 0),
                ),
            )
        for target in self._targets:
            if target.base_url == record.base_url:
                return target
        found = target_for(record, os.environ)
        self._targets.append(found)
        return found
