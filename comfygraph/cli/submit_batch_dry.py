"""
What `comfygraph submit --dry-run` prints of a batch.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from comfygraph.cli.progress import clean
from comfygraph.jobs.batch.planning import trial_of
from comfygraph.jobs.batch.variants import parameters_text

if TYPE_CHECKING:
    from comfygraph.jobs.batch.spending import Quote
    from comfygraph.jobs.batch.survey import Survey
    from comfygraph.targets.base import Target

_SHOWN = 3


def show_plan(
    found: Survey, target: Target, price: Quote | None, *, as_json: bool, stdout: TextIO
) -> None:
    """
    Print how many jobs there would be, the first of them, and the price where it was asked for.
    """
    shown = []
    for variant in islice(found.good(), _SHOWN):
        exchange = target.submit(trial_of(variant))
        shown.append((variant, next(exchange).masked()))
        exchange.close()
    if as_json:
        document = {
            "jobs": found.jobs,
            "twins": found.checked.twins,
            "invalid": found.checked.invalid,
            "times_the_first": round(found.times, 3),
            "cost": None if price is None else price.total,
            "first": [
                {
                    "index": variant.index,
                    "label": variant.label,
                    "parameters": dict(variant.parameters),
                    "request": masked,
                }
                for variant, masked in shown
            ],
        }
        print(json.dumps(document), file=stdout)
        return
    print(size_text(found) if price is None else price.text(), end="\n\n", file=stdout)
    wide = len(str(shown[-1][0].index)) if shown else 0
    for variant, _ in shown:
        label, said = clean(variant.label), parameters_text(variant.parameters)
        print(f"{variant.index:>{wide}}  {label}: {said}", file=stdout)
    if found.jobs > len(shown):
        print(f"{'':>{wide}}  and {found.jobs - len(shown):,} more", file=stdout)
    for _, masked in shown[:1]:
        print(f"\nthe first:\n{masked['method']} {masked['url']}", file=stdout)
        if "body" in masked:
            body = masked["body"]
            text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
            print(text, file=stdout)


def size_text(found: Survey) -> str:
    """
    Give how many jobs there are and, where they differ, what they cost measured by the first.
    """
    if found.jobs == 1:
        return "1 job"
    alike = abs(found.times - found.jobs) < 0.01 * found.jobs
    times = f"{found.times:,.0f}" if found.times >= 100 else f"{found.times:.3g}"
    cost = "" if alike else f", about {times} times what the first one costs"
    return f"{found.jobs:,} jobs{cost}"
