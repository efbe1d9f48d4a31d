"""
What a workflow of Civitai costs, in Buzz: priced before the run, paid by the second, refunded.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.core.values import JsonValue
from comfygraph.targets.observations import CostSeen, NoticeSeen, Observation
from comfygraph.targets.reading import mapping, mappings, number, text


def read_money(
    workflow: dict[str, JsonValue], steps: list[dict[str, JsonValue]], *, over: bool
) -> Iterator[Observation]:
    """
    Yield what a workflow claims about money.

    A `comfy` step has its price in `cost` from the start. A `customComfy` step is paid after the
    run: its price grows in `output.usage`. When all is over, the account's own transactions say
    what was really taken, refunds included.
    """
    total = number(mapping(workflow.get("cost")).get("total"))
    used = spent(steps)
    amounts = [amount for amount in (total, used) if amount is not None]
    amount = max(amounts, default=None)
    debit, credit = _moved(workflow)
    if over and debit:
        amount = max(debit - credit, 0.0)
    if over and workflow.get("forceRefunded") is True:
        credit, amount = credit or amount or 0.0, 0.0
    if amount is not None:
        yield CostSeen(amount)
    if credit:
        yield NoticeSeen(f"{credit:g} Buzz were refunded")
    lost = number(workflow.get("lostBlobsRefund"))
    if lost:
        yield NoticeSeen(f"{lost:g} Buzz were refunded for files that the service has lost")


def spent(steps: list[dict[str, JsonValue]]) -> float | None:
    """
    Give what the steps that are paid by the second have cost so far; `None` where there are none.
    """
    usages = [mapping(mapping(step.get("output")).get("usage")) for step in steps]
    costs = [number(usage.get("estimatedCost")) for usage in usages]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def _moved(workflow: dict[str, JsonValue]) -> tuple[float, float]:
    sums = {"debit": 0.0, "credit": 0.0}
    for entry in mappings(mapping(workflow.get("transactions")).get("list")):
        kind, amount = text(entry.get("type")).lower(), number(entry.get("amount"))
        if kind in sums and amount is not None and amount > 0:
            sums[kind] += amount
    return sums["debit"], sums["credit"]
