"""
`--format text`: findings for people, with the line they stand on; `concise`: a line each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comfygraph.core.nearest import shorten
from comfygraph.errors import clean as clean
from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
from comfygraph.lint.render.summary import summary_of, summary_text

_COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_BOLD, _DIM = "1", "2"
WIDEST = 100
"""A longer source line is cut around the place: prompts are often one line of text."""


def render_text(reports: Sequence[Report], *, color: bool = False) -> str:
    """
    Give reports as text: one block a finding, then one line that counts.

    Args:
        reports: The reports, in the order to print.
        color: Use ANSI colours.
    """
    lines: list[str] = []
    for report in reports:
        lines.extend(report_lines(report, color=color))
    lines.append(summary_line(reports, color=color))
    return "\n".join(lines)


def render_concise(reports: Sequence[Report], *, color: bool = False) -> str:
    """
    Give reports as text for editors and `grep`: `file:line:column: error CG203 name: message`.
    """
    lines: list[str] = []
    for report in reports:
        if report.diagnostics:
            lines.extend(_concise(report, color))
    lines.append(summary_line(reports, color=color))
    return "\n".join(lines)


def _concise(report: Report, color: bool) -> Iterator[str]:
    from comfygraph.lint.render.places import place_of, places_of

    places = places_of(report)
    for found in report.diagnostics:
        place = place_of(found, places, report)
        label = label_of(found)
        head = _head(found, place.file or report.file, place.line, place.column, color)
        yield f"{head}: {f'{label}: ' if label else ''}{clean(found.message)}"


def report_lines(report: Report, *, color: bool) -> Iterator[str]:
    """
    Yield the lines of one report.
    """
    if not report.diagnostics:
        return
    from comfygraph.lint.render.excerpt import excerpt_lines
    from comfygraph.lint.render.places import place_of, places_of

    places = places_of(report, related=True)
    file = clean(report.file)
    for found in report.diagnostics:
        place = place_of(found, places, report)
        mark = _paint("   fixable", _DIM, color) if found.fixable else ""
        where = place.file or report.file
        yield _head(found, where, place.line, place.column, color) + mark
        label = label_of(found)
        yield "    " + (f"{label}: " if label else "") + clean(found.message)
        if place.excerpt is not None and place.excerpt.strip():
            source, carets = excerpt_lines(place, WIDEST)
            margin = f"{place.line} | "
            yield f"    {_paint(margin, _DIM, color)}{source}"
            blank = " " * (len(margin) - 2)
            yield f"    {blank}{_paint('| ', _DIM, color)}" + _marked(carets, found, color)
        for item in found.related:
            other = places[item.pointer]
            there = clean(other.file) if other.file is not None else file
            yield f"    {there}:{other.line}:{other.column}: {clean(item.message)}"
        if found.help:
            yield f"    {_paint('help:', _BOLD, color)} {clean(found.help)}"
        yield ""


def _head(found: Diagnostic, file: str, line: int, column: int, color: bool) -> str:
    where = _paint(f"{clean(file)}:{line}:{column}:", _BOLD, color)
    kind = _paint(found.severity.value, f"{_BOLD};{_COLORS[found.severity]}", color)
    return f"{where} {kind} {found.rule_id} {found.name}"


def _marked(carets: str, found: Diagnostic, color: bool) -> str:
    shift = len(carets) - len(carets.lstrip(" "))
    return " " * shift + _paint(carets[shift:], _COLORS[found.severity], color)


def label_of(found: Diagnostic) -> str:
    """
    Name the node of a finding for a person: `KSampler "base pass" (3)`; empty where there is none.
    """
    if found.node_id is None:
        return ""
    class_type, node_id = shorten(found.class_type or "node"), shorten(found.node_id)
    if found.title and found.title != found.class_type:
        return clean(f'{class_type} "{shorten(found.title)}" ({node_id})')
    return clean(f"{class_type} ({node_id})")


def summary_line(reports: Sequence[Report], *, color: bool = False) -> str:
    """
    Give the last line: `2 errors, 1 warning in 12 files · 1 fixable with --fix`.
    """
    counts = summary_of(reports)
    code = "31" if counts["errors"] else "33" if counts["warnings"] else "32"
    return _paint(summary_text(reports), f"{_BOLD};{code}", color)


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
