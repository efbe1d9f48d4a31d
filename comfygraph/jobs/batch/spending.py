"""
Money: what a batch would cost, and where it has to stop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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
        amount = f"{self.total:,.10g}" + (f" {self.unit}" if self.unit else "")
        if self.estimated:
            return f"{jobs}, about {amount} (worked out from {self.asked} of them)"
        return f"{jobs}, {amount}"


class Purse:
    """
    What a batch has spent, and whether it may send another job.

    A job that was sent and has not told its cost counts with what the dearest one so far has cost,
    or with its share of the quote: so that jobs that run at the same time do not overstep together.

    Args:
        most: What may be spent; `None` for no limit.
        expected: What a job is expected to cost.
        spent: What was spent before, by an earlier run of the same batch.
    """

    def __init__(
        self, most: float | None = None, *, expected: float = 0.0, spent: float = 0.0
    ) -> None:
        self._most = most
        self._expected = max(expected, 0.0)
        self._under_way = 0
        self.spent = spent
        self.known = spent > 0

    @property
    def limited(self) -> bool:
        """
        Whether there is a limit at all.
        """
        return self._most is not None

    def may_send(self) -> bool:
        """
        Whether another job fits.
        """
        if self._most is None:
            return True
        committed = self.spent + self._under_way * self._expected
        return committed < self._most and committed + self._expected <= self._most + 1e-9

    @property
    def waits(self) -> bool:
        """
        Whether a job does not fit now, and may when those that run have told their costs.
        """
        return not self.may_send() and self._under_way > 0

    def sent(self) -> None:
        """
        Take in that a job was sent.
        """
        self._under_way += 1

    def ended(self, cost: float | None) -> None:
        """
        Take in that a job is over, and what it cost where the service said so.
        """
        self._under_way -= 1
        if cost is None or not math.isfinite(cost):
            return
        self.known = True
        self.spent += max(cost, 0.0)
        self._expected = max(self._expected, cost)


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
