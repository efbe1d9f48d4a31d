"""
Taking a job over from a process on another machine, once that has been silent for long enough.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from comfygraph.jobs.ledger.claims import Claim
from comfygraph.jobs.ledger.leases import SILENCE, Life, Watch, describe, life_of
from comfygraph.jobs.ledger.store import Held, Ledger

_LOOK = 1.0


def claim_patiently(
    ledger: Ledger,
    job: str,
    *,
    tell: Callable[[str], None],
    patience: float = SILENCE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Claim:
    """
    Claim a job; where a process elsewhere has it, watch whether that still lives.

    Args:
        ledger: The ledger.
        job: The id of the job.
        tell: Is told, in one line, what is waited for.
        patience: Seconds of silence after which that process is taken for dead.
        clock: Seconds, never going back.
        sleep: Waits.

    Raises:
        Held: It lives, or is a process of this machine.
        NoSuchJob: There is no such job.
    """
    watch = Watch(clock)
    first_beat: int | None = None
    while True:
        try:
            return ledger.claim(job)
        except Held as exc:
            holder = exc.holder
            if life_of(holder) is not Life.ELSEWHERE:
                raise
            if first_beat is None:
                first_beat = holder.beat
                tell(f"job {job[:8]} was with {describe(holder)}: waiting to see whether it lives")
            elif holder.beat != first_beat:
                raise
            if watch.silent(holder, patience):
                return ledger.claim(job, instead_of=holder)
        sleep(_LOOK)
