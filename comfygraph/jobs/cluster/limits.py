"""
Rate limits that all workers share, kept in the database of the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from comfygraph.jobs.ledger import LedgerError
from comfygraph.jobs.ledger.postgres import PostgresEngine
from comfygraph.jobs.limits import RateLimits

_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"
_LONGEST = 900.0
"""Seconds that a departure may be ahead: a clock of the server that jumps back stops nobody."""
_RESERVE = (
    f"INSERT INTO limits AS l (key, free_at) VALUES (?, {_NOW} + ?) "
    f"ON CONFLICT (key) DO UPDATE SET "
    f"free_at = LEAST(GREATEST(l.free_at, {_NOW}), {_NOW} + {_LONGEST}) + ? "
    f"RETURNING free_at - ? - {_NOW}"
)
_HOLD = (
    f"INSERT INTO limits AS l (key, free_at) VALUES (?, {_NOW} + ?) "
    f"ON CONFLICT (key) DO UPDATE SET free_at = GREATEST(l.free_at, {_NOW} + ?)"
)


class SharedLimits(RateLimits):
    """
    Hand out departure times among all workers of a ledger, by the clock of its server.

    Only keys with a limit cost a look into the database. While that is out of reach, the limits of
    this process alone hold.

    Args:
        engine: The database.
        clock: The clock of the jobs, seconds.
    """

    def __init__(
        self, engine: PostgresEngine, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._engine = engine
        self._clock = clock

    def reserve(self, key: str, rate: float | None, now: float) -> float:
        """
        Take the next departure.
        """
        alone = super().reserve(key, rate, now)
        if rate is None or rate <= 0:
            return alone
        gap = 1.0 / rate
        try:
            with self._engine.write(durable=False) as write:
                ((wait,),) = write.rows(_RESERVE, (key, gap, gap, gap))
        except LedgerError:
            return alone
        return max(float(wait), 0.0)

    def hold(self, key: str, until: float) -> None:
        """
        Let nothing leave before `until`, from any worker.
        """
        super().hold(key, until)
        pause = max(until - self._clock(), 0.0)
        try:
            with self._engine.write(durable=False) as write:
                write.run(_HOLD, (key, pause, pause))
        except LedgerError:
            return
