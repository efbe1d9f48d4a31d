"""
Read what Civitai says of a workflow that was only to be priced (`whatif`).
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.core.values import JsonValue
from comfygraph.targets.base import CheckAnswer
from comfygraph.targets.civitai.problems import complaints, message_of, problem_body
from comfygraph.targets.civitai.template import Plan
from comfygraph.targets.civitai.times import time_span
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.reading import mapping, number

_SHORT = 90
"""Seconds: with less, a step has expired on a cold worker before it began."""


def read_price(workflow: dict[str, JsonValue], response: HttpResponse, plan: Plan) -> CheckAnswer:
    """
    Read an estimate.

    For a `customComfy` step the service answers 0, since it is paid by the second: that is no
    price, and is told as none.
    """
    total = number(mapping(workflow.get("cost")).get("total"))
    if total is None:
        total = number(response.header("X-Civitai-Cost-Total"))
    lacking = mapping(workflow.get("transactions")).get("insufficientBuzz")
    if not isinstance(lacking, bool):
        header = (response.header("X-Civitai-Insufficient-Buzz") or "").lower()
        lacking = {"true": True, "false": False}.get(header)
    custom = plan.options.custom
    affordable = not lacking if isinstance(lacking, bool) else None
    return CheckAnswer(
        True,
        total if not custom or total else None,
        "Buzz",
        # where there is no price, "enough" means nothing
        affordable=None if custom and affordable else affordable,
        complaints=plan.complaints,
        notes=tuple(_notes(plan)),
    )


def read_refusal(response: HttpResponse, plan: Plan) -> CheckAnswer:
    """
    Read why a workflow would not be taken.
    """
    body = problem_body(response)
    said = message_of(body) or "Civitai says no more than that it is invalid"
    found = complaints(body, plan)
    return CheckAnswer(False, unit="Buzz", complaints=found, notes=(said, *_notes(plan)))


def _notes(plan: Plan) -> Iterator[str]:
    if plan.options.custom:
        most = plan.timeout
        yield (
            "post-paid: about 1 Buzz for each second on a GPU, at most about "
            f"{most} Buzz until the timeout of {time_span(most)}"
        )
    if plan.timeout < _SHORT:
        yield (
            f"a timeout of {time_span(plan.timeout)} may pass before the run begins: models are "
            "fetched first on a worker that has none of them"
        )
