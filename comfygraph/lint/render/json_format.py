"""
`--format json`: one document, the schema is `schemas/report.json`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from comfygraph.lint.diagnostic import Report, Severity
from comfygraph.lint.render.places import place_of, places_of


def report_to_json(reports: Sequence[Report]) -> dict[str, Any]:
    """
    Give the JSON form of reports: `{"diagnostics": [...], "summary": {...}}`.
    """
    diagnostics: list[dict[str, Any]] = []
    for report in reports:
        places = places_of(report, related=True) if report.diagnostics else {}
        for found in report.diagnostics:
            place = place_of(found, places, report)
            diagnostics.append(
                {
                    "rule_id": found.rule_id,
                    "name": found.name,
                    "severity": found.severity.value,
                    "message": found.message,
                    "file": report.file,
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
    return {"diagnostics": diagnostics, "summary": summary_of(reports)}


def summary_of(reports: Sequence[Report]) -> dict[str, int]:
    """
    Count findings by severity, and files.
    """
    return {
        "errors": sum(report.count(Severity.ERROR) for report in reports),
        "warnings": sum(report.count(Severity.WARNING) for report in reports),
        "infos": sum(report.count(Severity.INFO) for report in reports),
        "files": len(reports),
    }


def render_json(reports: Sequence[Report]) -> str:
    """
    Give the report as JSON text.
    """
    return json.dumps(report_to_json(reports), indent=2, ensure_ascii=False)
