"""
`--format markdown`: a comment for a pull request.

The first line is a mark that lets a bot find its former comment. GitHub takes 65,536 characters
in a comment; what does not fit is counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
from comfygraph.lint.render.places import place_of, places_of
from comfygraph.lint.render.summary import plural, summary_text
from comfygraph.lint.render.text import clean, label_of

MARK = "<!-- comfygraph lint -->"
LONGEST = 60_000

_SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~&-])")


def render_markdown(reports: Sequence[Report]) -> str:
    """
    Give reports as Markdown: the counts, then a table a file.
    """
    lines = [MARK, f"### comfygraph lint: {_escape(summary_text(reports))}"]
    size = sum(map(len, lines))
    left_out = 0
    for report in reports:
        if not report.diagnostics:
            continue
        head = ["", f"**{_code(report.file)}**", "", "| | Line | Rule | Finding |", "|-|-|-|-|"]
        rows = _rows(report)
        fitting = []
        size += sum(map(len, head))
        for row in rows:
            if size + len(row) > LONGEST:
                break
            size += len(row) + 1
            fitting.append(row)
        left_out += len(rows) - len(fitting)
        if fitting:
            lines += [*head, *fitting]
    if left_out:
        lines += ["", f"… and {plural(left_out, 'finding')} more."]
    return "\n".join(lines)


def _rows(report: Report) -> list[str]:
    places = places_of(report)
    return [
        f"| {_SIGNS[found.severity]} | {place_of(found, places, report).line} "
        f"| {found.rule_id} {found.name} | {_finding(found)} |"
        for found in report
    ]


def _finding(found: Diagnostic) -> str:
    label = label_of(found)
    help = f"<br>{_prose(found.help)}" if found.help else ""
    return (f"{_escape(label)}: " if label else "") + _prose(found.message) + help


def _prose(text: str) -> str:
    """Words of strangers: no markup, no mention of anybody; what stands in backticks is code."""
    parts = clean(text).split("`")
    if len(parts) % 2 == 0:  # A backtick is left alone.
        return _escape(clean(text))
    return "".join(_code(part) if index % 2 else _escape(part) for index, part in enumerate(parts))


def _escape(text: str) -> str:
    # A zero-width space keeps `@name` from calling people and `#1` from linking.
    return _SPECIAL.sub(r"\\\1", text).replace("@", "@&#8203;").replace("://", "&#58;//")


def _code(text: str) -> str:
    if not text:
        return ""
    safe = clean(text).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", safe)), default=0) + 1)
    pad = " " if safe.startswith("`") or safe.endswith("`") else ""
    return f"{fence}{pad}{safe}{pad}{fence}"
