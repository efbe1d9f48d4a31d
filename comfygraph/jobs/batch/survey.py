"""
The first walk through a batch, before anything is written down or sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from comfygraph.catalog import NodeCatalog
from comfygraph.errors import UsageError
from comfygraph.jobs.batch.checking import Checked, Checker
from comfygraph.jobs.batch.planning import weigh
from comfygraph.jobs.batch.quoting import Sample
from comfygraph.jobs.batch.variants import Variant, Variants


@dataclass(slots=True)
class Survey:
    """
    What a walk through all variants found.

    Args:
        variants: All of them, to be walked through again.
        checked: How many are good, and what is wrong with the others.
        sample: Some of the good ones.
        weight: What the good ones weigh together.
        first: What the first good one weighs.
    """

    variants: Variants
    checked: Checked
    sample: Sample
    weight: float = 0.0
    first: float = 0.0
    _left_out: set[int] = field(default_factory=set)

    @property
    def jobs(self) -> int:
        """
        How many jobs there will be.
        """
        return self.checked.good

    @property
    def times(self) -> float:
        """
        How many times as much as the first job they cost together; what a server keeps from one
        job to the next does not count.
        """
        return self.weight / self.first if self.first > 0 else float(self.jobs)

    def good(self) -> Iterator[Variant]:
        """
        Yield the good ones.
        """
        return (item for item in self.variants if item.index not in self._left_out)


def survey(
    variants: Variants,
    catalog: NodeCatalog,
    *,
    lint: bool = True,
    paces: Mapping[str, float] | None = None,
    on_seen: Callable[[Checked], None] | None = None,
) -> Survey:
    """
    Walk through all variants once: lint them, leave twins out, weigh them, keep a sample.

    Args:
        variants: The variants.
        catalog: What lint checks against.
        lint: Whether to lint.
        paces: What a unit of work of a class takes.
        on_seen: Is told how far the walk is, after each variant.

    Raises:
        UsageError: A variant cannot be made.
        InputError: A graph cannot be read.
    """
    checker = Checker(catalog, lint=lint)
    found = Survey(variants, checker.result, Sample())
    for variant in variants:
        if next(checker.good((variant,)), None) is None:
            found._left_out.add(variant.index)
        else:
            found.sample.show(variant)
            weight = weigh(variant.prompt, paces or {})
            found.first = found.first or weight
            found.weight += weight
        if on_seen is not None:
            on_seen(checker.result)
    return found


def require_some(found: Survey) -> None:
    """
    Refuse a batch without jobs.

    Raises:
        UsageError: No variant is good.
    """
    if not found.jobs:
        raise UsageError("no variant can be sent", hint="`comfygraph lint` says what is wrong")
