"""
`--baseline`: findings that are known, so that only new ones are told.

A finding is recognised by its rule, file, node and input. Lines, messages and the order of the
file do not matter; several alike are counted.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from comfygraph.errors import UsageError
from comfygraph.lint.builtin import ALWAYS
from comfygraph.lint.diagnostic import Diagnostic, Report
from comfygraph.lint.globs import relative_to

VERSION = 1
MAX_BYTES = 64 << 20


class Known(NamedTuple):
    """What a finding is recognised by."""

    file: str
    rule: str
    node: str | None
    input: str | None


@dataclass(frozen=True, slots=True)
class Filtered:
    """
    Reports without the findings that a baseline knows.

    Args:
        reports: The reports, in the same order.
        gone: How many findings of the baseline were not met in the files that were checked.
    """

    reports: tuple[Report, ...]
    gone: int


class Baseline:
    """
    Known findings with their numbers.

    Args:
        counts: The findings.
        folder: Where the paths of the files start from.
    """

    def __init__(self, counts: Counter[Known], folder: str) -> None:
        self._counts = counts
        self._folder = folder

    def __len__(self) -> int:
        return self._counts.total()

    def filter(self, reports: Sequence[Report]) -> Filtered:
        """
        Take the known findings out of reports; what could not be checked is never known.
        """
        left = self._counts.copy()
        out = []
        for report in reports:
            kept = []
            for found in report:
                key = self._key(report, found)
                if found.rule_id not in ALWAYS and left[key] > 0:
                    left[key] -= 1
                else:
                    kept.append(found)
            silenced = report.suppressed + len(report) - len(kept)
            out.append(replace(report, diagnostics=tuple(kept), suppressed=silenced))
        files = {relative_to(report.file, self._folder) for report in reports}
        return Filtered(tuple(out), sum(count for key, count in left.items() if key.file in files))

    def _key(self, report: Report, found: Diagnostic) -> Known:
        file = relative_to(report.file, self._folder)
        return Known(file, found.rule_id, found.node_id, found.input)

    def to_json(self) -> dict[str, Any]:
        """
        Give the JSON form, sorted so that it merges well.
        """

        def order(known: Known) -> tuple[str, ...]:
            return (known.file, known.rule, known.node or "", known.input or "")

        return {
            "version": VERSION,
            "findings": [
                {**known._asdict(), "count": self._counts[known]}
                for known in sorted(self._counts, key=order)
            ],
        }


def baseline_of(reports: Iterable[Report], folder: str) -> Baseline:
    """
    Make a baseline of all findings of reports.

    Args:
        reports: The reports.
        folder: Where the baseline will stand.
    """
    counts: Counter[Known] = Counter()
    made = Baseline(counts, folder)
    for report in reports:
        counts.update(made._key(report, found) for found in report if found.rule_id not in ALWAYS)
    return made


def render_baseline(baseline: Baseline) -> str:
    """
    Give the text of a baseline file: one finding a line.
    """
    document = baseline.to_json()
    lines = ",\n".join(
        "    " + json.dumps(entry, ensure_ascii=False) for entry in document["findings"]
    )
    body = f"[\n{lines}\n  ]" if lines else "[]"
    return f'{{\n  "version": {VERSION},\n  "findings": {body}\n}}\n'


def load_baseline(path: str) -> Baseline:
    """
    Read a baseline file.

    Raises:
        UsageError: It cannot be read, or is no baseline.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise UsageError(
            f"{path}: {exc.strerror or exc}", hint="`--write-baseline` writes one"
        ) from exc
    try:
        document = json.loads(data[:MAX_BYTES])
        if document["version"] != VERSION:
            raise UsageError(f"{path}: a baseline of version {document['version']!r:.20}")
        counts = Counter({_known(entry): _count(entry) for entry in document["findings"]})
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise UsageError(f"{path}: no baseline of `comfygraph lint`") from exc
    return Baseline(counts, os.path.dirname(os.path.abspath(path)))


def _known(entry: dict[str, Any]) -> Known:
    known = Known(entry["file"], entry["rule"], entry["node"], entry["input"])
    if not all(item is None or isinstance(item, str) for item in known):
        raise TypeError("a baseline holds texts")
    return known


def _count(entry: dict[str, Any]) -> int:
    count = entry.get("count", 1)
    if not isinstance(count, int) or count < 1:
        raise TypeError("a count is a number from 1 on")
    return count
