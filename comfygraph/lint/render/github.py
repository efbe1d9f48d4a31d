"""
`--format github`: workflow commands that GitHub Actions turns into annotations.

Escapes as in `@actions/core`: `%`, CR and LF in messages, and `:` and `,` in properties also.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from comfygraph.lint.diagnostic import Report, Severity
from comfygraph.lint.render.places import place_of, places_of
from comfygraph.lint.render.summary import summary_text
from comfygraph.lint.render.text import clean, label_of

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(reports: Sequence[Report]) -> str:
    """
    Give one command a finding, and the line that counts.
    """
    lines = []
    for report in reports:
        places = places_of(report) if report.diagnostics else {}
        for found in report:
            place = place_of(found, places, report)
            label = label_of(found)
            message = f"{label}: {clean(found.message)}" if label else clean(found.message)
            if found.help:
                message += f"\n{clean(found.help)}"
            properties = {
                "file": clean(_relative(place.file or report.file)),
                "line": str(place.line),
                "col": str(place.column),
                "endColumn": str(place.end_column),
                "title": f"{found.rule_id} {found.name}",
            }
            told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
            lines.append(f"::{_COMMANDS[found.severity]} {told}::{_data(message)}")
    lines.append(summary_text(reports))
    return "\n".join(lines)


def _relative(file: str) -> str:
    if file.startswith("<"):
        return file
    here = os.path.relpath(file) if os.path.isabs(file) else os.path.normpath(file)
    return (file if here.startswith("..") else here).replace(os.sep, "/")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
