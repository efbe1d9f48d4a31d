"""
Asking a service what a batch would cost, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from comfygraph.errors import Rejected
from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.async_machine import run_talk
from comfygraph.jobs.batch.spending import Quote
from comfygraph.jobs.batch.variants import Variant, parameters_text
from comfygraph.jobs.courier import Courier
from comfygraph.jobs.effects import News, Talk
from comfygraph.jobs.settings import Settings
from comfygraph.targets.base import CheckAnswer, Submission, Target

MOST_ASKED = 24
"""For how many variants a service is asked at most; more are worked out from these."""
_PATIENCE = 600.0


@dataclass(slots=True)
class Sample:
    """
    Keeps some variants, spread evenly over all that are shown: all of them where they are few.
    """

    most: int = MOST_ASKED
    kept: list[Variant] = field(default_factory=list)
    seen: int = 0
    _stride: int = 1

    def show(self, variant: Variant) -> None:
        """
        Look at the next variant.
        """
        if self.seen % self._stride == 0:
            if len(self.kept) == self.most:
                self.kept = self.kept[::2]
                self._stride *= 2
            if self.seen % self._stride == 0:
                self.kept.append(variant)
        self.seen += 1


async def ask_quote(
    target: Target,
    sample: Sample,
    submission: Callable[[Variant], Submission],
    *,
    settings: Settings,
    clients: Clients,
) -> Quote:
    """
    Ask a service what the jobs of a batch would cost.

    Args:
        target: The service.
        sample: Some of the variants, or all.
        submission: Makes what would be handed in.
        settings: Clock, chance, rate limits.
        clients: Carry the requests.

    Returns:
        The quote; worked out where the sample has not all variants.

    Raises:
        TargetError: The service is out of reach, or would refuse a variant.
    """
    total = 0.0
    asked = 0
    unit = ""
    affordable: bool | None = None
    notes: list[str] = []
    for variant in sample.kept:
        answer = await _ask(target, submission(variant), settings, clients)
        if answer is None or (answer.valid and answer.cost is None):
            return Quote(None, jobs=sample.seen)
        if not answer.valid:
            raise _refused(variant, answer)
        total += answer.cost or 0.0
        asked += 1
        unit = answer.unit
        if affordable is not False:
            affordable = answer.affordable
        notes += [note for note in answer.notes if note not in notes]
    whole = total * sample.seen / asked if asked else 0.0
    return Quote(whole, unit, sample.seen, asked, affordable, tuple(notes))


async def _ask(
    target: Target, submission: Submission, settings: Settings, clients: Clients
) -> CheckAnswer | None:
    policy = target.policy
    courier = Courier(
        policy,
        settings,
        key=policy.rate_key or target.base_url,
        deadline=settings.clock() + _PATIENCE,
        on_news=_ignore,
    )
    return await run_talk(_check(target, submission, courier), clients)


def _check(target: Target, submission: Submission, courier: Courier) -> Talk[CheckAnswer | None]:
    exchange = target.check(submission)
    if exchange is None:
        return None
    answer = yield from courier.run(exchange)
    if not answer.valid and answer.retry_in is not None:
        yield from courier.pause(answer.retry_in)
        again = target.check(submission)
        assert again is not None
        answer = yield from courier.run(again)
    return answer


def _ignore(news: News) -> Talk[None]:
    return
    yield


def _refused(variant: Variant, answer: CheckAnswer) -> Rejected:
    complaint = answer.complaints[0] if answer.complaints else None
    if complaint is not None:
        place = f"node `{complaint.node_id}`" + (
            f", `{complaint.input}`" if complaint.input else ""
        )
        said = f"{place}: {complaint.message}"
    else:
        said = "; ".join(answer.notes) or "it does not say why"
    return Rejected(
        f"the service would refuse variant {variant.index} ({parameters_text(variant.parameters)})"
        f", so nothing was sent: {said}"
    )
