"""
`--statistics`: how often which rule was broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from comfygraph.lint.diagnostic import Report
from comfygraph.lint.render.json_format import dump_json
from comfygraph.lint.render.summary import summary_of, summary_text


class RuleCount(NamedTuple):
    """
    How often one rule was broken.

    Args:
        rule_id: The rule.
        name: Its name.
        findings: How many.
        fixable: Those with a safe repair.
        files: Files that have at least one.
    """

    rule_id: str
    name: str
    findings: int
    fixable: int
    files: int


def statistics_of(reports: Sequence[Report]) -> list[RuleCount]:
    """
    Count findings by rule, the most frequent first, then by id.
    """
    # by name as well: those of a service have all the same id
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for report in reports:
        for found in report:
            row = rows.setdefault(
                (found.rule_id, found.name),
                {"count": 0, "fixable": 0, "files": set[str]()},
            )
            row["count"] += 1
            row["fixable"] += found.fixable
            row["files"].add(report.file)
    counts = [
        RuleCount(*rule, row["count"], row["fixable"], len(row["files"]))
        for rule, row in rows.items()
    ]
    return sorted(counts, key=lambda row: (-row.findings, row.rule_id, row.name))


def render_statistics(reports: Sequence[Report]) -> str:
    """
    Give one line a rule: how often, which, in how many files.
    """
    rows = statistics_of(reports)
    width = max((len(str(row.findings)) for row in rows), default=1)
    names = max((len(row.name) for row in rows), default=1)
    lines = [
        f"{row.findings:>{width}}  {row.rule_id}  {row.name:<{names}}"
        f"  in {row.files} file{'s' if row.files != 1 else ''}"
        + (f"   {row.fixable} fixable" if row.fixable else "")
        for row in rows
    ]
    return "\n".join([*lines, summary_text(reports)])


def render_statistics_json(reports: Sequence[Report]) -> str:
    """
    Give the counts by rule as JSON text.
    """
    rules = [
        {
            "rule_id": row.rule_id,
            "name": row.name,
            "count": row.findings,
            "fixable": row.fixable,
            "files": row.files,
        }
        for row in statistics_of(reports)
    ]
    return dump_json({"rules": rules, "summary": summary_of(reports)})
