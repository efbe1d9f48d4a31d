"""
`--format json`: one document, its schema is what `comfygraph schema report` prints.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, TypedDict, cast

from comfygraph.lint.diagnostic import Report
from comfygraph.lint.render.fingerprints import fingerprints_of
from comfygraph.lint.render.places import place_of, places_of
from comfygraph.lint.render.summary import summary_of

VERSION: Literal[1] = 1


class RelatedJson(TypedDict):
    """Another place that a finding speaks of."""

    pointer: str
    message: str
    line: int
    column: int


class FixJson(TypedDict):
    """A repair that `--fix` (safe) or `--unsafe-fixes` applies."""

    title: str
    safe: bool


class DiagnosticJson(TypedDict):
    """
    One finding. Lines and columns count from 1 and count characters; the end column is exclusive.
    """

    rule_id: str
    name: str
    severity: Literal["error", "warning", "info"]
    message: str
    file: str
    line: int
    column: int
    end_column: int
    pointer: str
    node_id: str | None
    input: str | None
    title: str | None
    class_type: str | None
    help: str | None
    server_error: str | None
    fingerprint: str
    related: list[RelatedJson]
    fixes: list[FixJson]


class SummaryJson(TypedDict):
    """How many findings, by severity, in how many files, and how many of them were silenced."""

    errors: int
    warnings: int
    infos: int
    files: int
    suppressed: int


class ReportJson(TypedDict):
    """What `comfygraph lint --format json` prints."""

    version: Literal[1]
    diagnostics: list[DiagnosticJson]
    summary: SummaryJson


def report_to_json(reports: Sequence[Report]) -> ReportJson:
    """
    Give the JSON form of reports: `{"version": 1, "diagnostics": [...], "summary": {...}}`.
    """
    diagnostics = [item for report in reports for item in _diagnostics(report)]
    summary = cast("SummaryJson", summary_of(reports))
    return {"version": VERSION, "diagnostics": diagnostics, "summary": summary}


def _diagnostics(report: Report) -> list[DiagnosticJson]:
    if not report.diagnostics:
        return []
    out: list[DiagnosticJson] = []
    places = places_of(report, related=True)
    for found, fingerprint in zip(report, fingerprints_of(report), strict=True):
        place = place_of(found, places, report)
        out.append(
            {
                "rule_id": found.rule_id,
                "name": found.name,
                "severity": found.severity.value,
                "message": found.message,
                "file": place.file or report.file,
                "line": place.line,
                "column": place.column,
                "end_column": place.end_column,
                "pointer": found.pointer,
                "node_id": found.node_id,
                "input": found.input,
                "title": found.title,
                "class_type": found.class_type,
                "help": found.help,
                "server_error": found.server_error,
                "fingerprint": fingerprint,
                "related": [
                    {
                        "pointer": item.pointer,
                        "message": item.message,
                        "line": places[item.pointer].line,
                        "column": places[item.pointer].column,
                    }
                    for item in found.related
                ],
                "fixes": [{"title": fix.title, "safe": fix.safe} for fix in found.fixes],
            }
        )
    return out


def render_json(reports: Sequence[Report]) -> str:
    """
    Give the report as JSON text.
    """
    return dump_json(report_to_json(reports))


def dump_json(value: object) -> str:
    """
    Write JSON that any stream takes: half characters (lone surrogates) are written as escapes.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=2)
    return text
