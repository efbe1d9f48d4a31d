"""
Looking at every variant before the first is sent: lint, and twins left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from comfygraph.catalog import NodeCatalog
from comfygraph.core.values import JsonValue
from comfygraph.jobs.batch.places import Place
from comfygraph.jobs.batch.variants import Variant
from comfygraph.lint.diagnostic import Report
from comfygraph.targets.base import graph_digest

_KEPT = 20
_SAFE_INTEGER = 2**53
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Invalid:
    """
    A variant that lint has errors for.

    Args:
        variant: Which.
        report: What lint found.
    """

    variant: Variant
    report: Report


@dataclass(slots=True)
class Checked:
    """
    What came of the check so far.
    """

    good: int = 0
    twins: int = 0
    invalid: int = 0
    examples: list[Invalid] = field(default_factory=list)
    """The first of the invalid ones."""

    @property
    def seen(self) -> int:
        """
        How many variants were looked at.
        """
        return self.good + self.twins + self.invalid


class Checker:
    """
    Gives the variants that are valid and no twin of an earlier one.

    A graph that differs from a fine one only in numbers which the class of the node allows is not
    linted again: no rule has an error for these. Twins have the same digest and the same
    outputs to run.

    Args:
        catalog: What lint checks against.
        lint: Whether to lint at all.
    """

    def __init__(self, catalog: NodeCatalog, *, lint: bool = True) -> None:
        self._catalog = catalog
        self._lint = lint
        self._digests: set[bytes] = set()
        self._fine: set[tuple[object, ...]] = set()
        self.result = Checked()

    def good(self, variants: Iterable[Variant]) -> Iterator[Variant]:
        """
        Yield the variants that may be sent; what is wrong with the others is in `result`.
        """
        for variant in variants:
            digest = bytes.fromhex(graph_digest(variant.prompt))
            if variant.partial_targets:
                digest += json.dumps(sorted(variant.partial_targets)).encode()
            if digest in self._digests:
                self.result.twins += 1
                continue
            self._digests.add(digest)
            report = self._report(variant) if self._lint else None
            if report is not None and report.has_errors:
                self.result.invalid += 1
                if len(self.result.examples) < _KEPT:
                    self.result.examples.append(Invalid(variant, report))
                continue
            self.result.good += 1
            yield variant

    def _report(self, variant: Variant) -> Report | None:
        """
        Lint a variant; `None` where one like it was found fine.
        """
        from comfygraph.lint import lint

        key = _likeness(variant)
        if key is not None and key in self._fine:
            return None
        report = lint(variant.prompt, self._catalog)
        if key is not None and not report.has_errors and len(self._fine) < _MOST_REMEMBERED:
            self._fine.add(key)
        return report


def _likeness(variant: Variant) -> tuple[object, ...] | None:
    """
    Give what two variants share whose lints have the same errors; `None` where that is not known.
    """
    key: list[object] = [variant.base]
    for place in variant.changed:
        node = variant.prompt[place.node_id]
        value = node.inputs[place.input]
        plain = _is_plain_number(place, value)
        if not plain and not isinstance(value, str | int | float | None):
            return None
        key.append((place.node_id, place.input, plain or (type(value), value)))
    # parameters of a script may change anything
    return tuple(key) if len(variant.changed) == len(variant.parameters) else None


def _is_plain_number(place: Place, value: JsonValue) -> bool:
    spec = place.spec
    if spec is None or spec.options is not None or spec.is_dynamic or isinstance(value, bool):
        return False
    if spec.type == "INT":
        if type(value) is not int or abs(value) > _SAFE_INTEGER:
            return False
    elif spec.type != "FLOAT" or not isinstance(value, int | float):
        return False
    least, most = spec.min, spec.max
    if not isinstance(least, int | float) or not isinstance(most, int | float):
        return False
    return bool(least <= value <= most)


def in_chunks(variants: Iterable[Variant], size: int) -> Iterator[list[Variant]]:
    """
    Give the variants in lists of at most `size`.
    """
    iterator = iter(variants)
    while chunk := list(islice(iterator, size)):
        yield chunk
