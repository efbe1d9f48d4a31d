"""
Money: what a batch would cost, and where it has to stop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from comfygraph.errors import UsageError


@dataclass(frozen=True, slots=True)
class Quote:
    """
    What a batch would cost.

    Args:
        total: In the service's own unit; `None` where the service does not tell beforehand.
        unit: The name of that unit, such as `"credits"`.
        jobs: How many jobs there are.
        asked: For how many of them the service was asked.
        affordable: Whether the account can pay for one; `None` where the service does not say.
        notes: What else a person should know.
    """

    total: float | None
    unit: str = ""
    jobs: int = 0
    asked: int = 0
    affordable: bool | None = None
    notes: tuple[str, ...] = ()

    @property
    def estimated(self) -> bool:
        """
        Whether the total was worked out from a sample.
        """
        return self.total is not None and self.asked < self.jobs

    def text(self) -> str:
        """
        Say it in a few words.
        """
        jobs = f"{self.jobs:,} job" + ("" if self.jobs == 1 else "s")
        if self.total is None:
            return f"{jobs}, the service does not say what they cost"
        return f"{jobs}, {self.amount()}"

    def amount(self) -> str:
        """
        Give the total with its unit, and where it comes from.
        """
        if self.total is None:
            return "unknown"
        amount = f"{self.total:,.10g}" + (f" {self.unit}" if self.unit else "")
        if self.estimated:
            return f"about {amount} (worked out from {self.asked} of them)"
        return amount


class Room(Enum):
    """
    Whether there is money for another job.
    """

    YES = "yes"
    LATER = "later"
    """Not now, and perhaps when those that are under way have told their costs."""
    NO = "no"


class Purse:
    """
    What a batch may still spend, by what the ledger has of its jobs, whoever carries them out.

    A job that is under way and has not told its cost counts with what the dearest one so far has
    cost, or with its share of the quote; so does one that may exist.

    Args:
        look: Gives what `Ledger.outlay` says of the batch.
        most: What may be spent; `None` for no limit.
        expected: What a job is expected to cost.
        clock: Seconds, never going back.
        rest: How many times as long as a look at the ledger took, at least, none is taken while
            by the last one there is room; 0 to look each time. A look takes the longer the larger
            the batch is.
    """

    def __init__(
        self,
        look: Callable[[], tuple[float, float, int, int]],
        most: float | None,
        *,
        expected: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        rest: float = 20.0,
    ) -> None:
        self._ask = look
        self._most = most
        self._expected = max(expected, 0.0)
        self._clock = clock
        self._rest = rest
        self._next_look = -math.inf
        self._gone = 0.0
        self._under_way = 0

    def room(self) -> Room:
        """
        Say whether a job that this process has claimed may be sent. Whoever else claims one at this
        moment sees our claim, as we see theirs: together they do not overstep.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        if self._most is None:
            return Room.YES
        if self._clock() >= self._next_look or not self._fits(self._most, self._under_way):
            self._look()
        if self._fits(self._most, self._under_way):
            self._under_way += 1
            return Room.YES
        return Room.LATER if self._fits(self._most, 0) else Room.NO

    def _look(self) -> None:
        began = self._clock()
        spent, dearest, under_way, doubtful = self._ask()
        self._expected = max(self._expected, dearest)
        self._gone = spent + doubtful * self._expected
        self._under_way = max(under_way - 1, 0)
        ended = self._clock()
        self._next_look = ended + self._rest * (ended - began)

    def _fits(self, most: float, under_way: int) -> bool:
        committed = self._gone + under_way * self._expected
        return committed < most and committed + self._expected <= most + 1e-9


def check_budget(quote: Quote, most: float | None) -> None:
    """
    Refuse a batch whose quote is above the limit.

    Raises:
        UsageError: It is, or the account cannot pay.
    """
    if most is not None and quote.total is not None and quote.total > most:
        raise UsageError(
            f"{quote.text()}: that is more than --max-cost {most:g}, so nothing was sent",
            hint="raise --max-cost, or make fewer variants",
        )
    if quote.affordable is False:
        raise UsageError(
            "the account cannot pay for this, so nothing was sent", hint="top the account up"
        )
