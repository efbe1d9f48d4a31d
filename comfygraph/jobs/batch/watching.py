"""
Looking on while others carry a batch out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from comfygraph.jobs.batch.events import BatchEnded, BatchEvent, BatchProgress, BatchStarted
from comfygraph.jobs.batch.planning import BatchPlan
from comfygraph.jobs.ledger import UNFINISHED, BatchRecord, Ledger, Query, State

_LOOK = 1.0
_IDLE_LOOKS = 3
"""Looks in a row at which nobody has anything to do with a batch: then it is left."""
_SHORTEST = 5.0
_UNDER_WAY = frozenset({State.ACCEPTED, State.RUNNING})


def watch_batch(
    ledger: Ledger,
    batch: BatchRecord,
    *,
    is_queued: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[BatchEvent]:
    """
    Yield how far a batch is, each second where that has changed, until it is over or nobody carries
    it out any more. Nothing is sent, and nothing is written.

    Args:
        ledger: Has the batch.
        batch: The batch.
        is_queued: Says whether somebody will take up what nobody has.
        clock: Seconds, never going back.
        sleep: Waits.

    Raises:
        LedgerError: The ledger cannot be read.
        UsageError: The batch was not made by this comfygraph.
    """
    jobs = BatchPlan.of(batch).jobs
    last = _reading(ledger, batch.id, jobs)
    yield BatchStarted(batch.id, jobs, last.succeeded + last.failed)
    began, start = clock(), last.fraction
    yield last
    idle = 0
    while idle < _IDLE_LOOKS:
        busy = _is_carried_out(ledger, batch.id) or is_queued()
        idle = 0 if busy else idle + 1
        if not busy and last.succeeded + last.failed >= jobs:
            break
        sleep(_LOOK)
        now = _reading(ledger, batch.id, jobs, last.fraction)
        span, gained = clock() - began, now.fraction - start
        left = (1.0 - now.fraction) * span / gained if gained > 0 and span > _SHORTEST else None
        if now != last:
            yield replace(now, remaining=left)
        last = now
    left_over = max(jobs - last.succeeded - last.failed, 0)
    reason = "nobody carries it out" if left_over else ""
    yield BatchEnded(batch.id, last.succeeded, last.failed, left_over, last.cost, reason)


def _reading(ledger: Ledger, batch: str, jobs: int, least: float = 0.0) -> BatchProgress:
    counts = ledger.counts(Query(batch=batch))
    succeeded = counts.get(State.SUCCEEDED, 0)
    ended = sum(count for state, count in counts.items() if state.ended)
    # each further try stands for a job that has ended otherwise
    tries = sum(counts.values()) - jobs
    failed = max(ended - succeeded - max(tries, 0), 0)
    active = list(ledger.jobs(Query(batch=batch, states=_UNDER_WAY)))
    done = succeeded + failed + sum(record.fraction for record in active)
    running = counts.get(State.RUNNING, 0)
    return BatchProgress(
        max(min(done / jobs, 1.0), least) if jobs else 1.0,
        None,
        waiting=counts.get(State.PLANNED, 0),
        queued=sum(counts.get(state, 0) for state in UNFINISHED - {State.PLANNED}) - running,
        running=running,
        succeeded=succeeded,
        failed=failed,
        cost=ledger.cost(Query(batch=batch)) or None,
    )


def _is_carried_out(ledger: Ledger, batch: str) -> bool:
    return any(record.holder for record in ledger.jobs(Query(batch=batch, states=UNFINISHED)))
