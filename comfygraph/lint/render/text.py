"""
`--format text`: findings for people, with the line they stand on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
from comfygraph.lint.render.json_format import summary_of
from comfygraph.lint.render.places import Place, place_of, places_of

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


def report_lines(report: Report, *, color: bool) -> Iterator[str]:
    """
    Yield the lines of one report.
    """
    if not report.diagnostics:
        return
    places = places_of(report, related=True)
    for found in report.diagnostics:
        yield from _block(found, place_of(found, places, report), places, report.file, color)
        yield ""


def _block(
    found: Diagnostic, place: Place, places: dict[str, Place], file: str, color: bool
) -> Iterator[str]:
    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if color else text

    where = paint(f"{file}:{place.line}:{place.column}:", _BOLD)
    kind = paint(found.severity.value, f"{_BOLD};{_COLORS[found.severity]}")
    mark = paint("   fixable", _DIM) if found.fixable else ""
    yield f"{where} {kind} {found.rule_id} {found.name}{mark}"
    label = _label(found)
    yield "    " + (f"{label}: " if label else "") + _clean(found.message)
    if place.excerpt is not None and place.excerpt.strip():
        yield from _excerpt(
            place, paint(str(place.line) + " | ", _DIM), _COLORS[found.severity], color
        )
    for item in found.related:
        other = places[item.pointer]
        yield f"    {file}:{other.line}:{other.column}: {_clean(item.message)}"
    if found.help:
        yield f"    {paint('help:', _BOLD)} {_clean(found.help)}"


def _excerpt(place: Place, margin: str, code: str, color: bool) -> Iterator[str]:
    text = (place.excerpt or "").replace("\t", " ")
    start, end = place.column - 1, place.end_column - 1
    indent = len(text) - len(text.lstrip(" "))
    # Cut the indentation, and all that does not fit around the place.
    first = min(indent, start)
    if max(end, len(text)) - first > WIDEST and start - first > WIDEST // 2:
        first = start - WIDEST // 2
    shown = text[first : first + WIDEST]
    width = len(str(place.line))
    yield "    " + margin + ("…" if first > indent else "") + _clean(shown)
    shift = start - first + (1 if first > indent else 0)
    carets = "^" * max(1, min(end - start, WIDEST - (start - first)))
    painted = f"\x1b[{code}m{carets}\x1b[0m" if color else carets
    yield "    " + " " * width + " | " + " " * shift + painted


def _label(found: Diagnostic) -> str:
    if found.node_id is None:
        return ""
    class_type = found.class_type or "node"
    if found.title and found.title != class_type:
        return _clean(f'{class_type} "{found.title}" ({found.node_id})')
    return _clean(f"{class_type} ({found.node_id})")


def _clean(text: str) -> str:
    """Keep control characters of strangers away from the terminal."""
    return "".join(char if char.isprintable() else "·" for char in text)


def summary_line(reports: Sequence[Report], *, color: bool = False) -> str:
    """
    Give the last line: `2 errors, 1 warning in 12 files · 1 fixable with --fix`.
    """
    counts = summary_of(reports)
    parts = [
        _plural(counts[key], word)
        for key, word in (("errors", "error"), ("warnings", "warning"), ("infos", "info"))
        if counts[key] or key == "errors"
    ]
    total = counts["errors"] + counts["warnings"] + counts["infos"]
    files = _plural(counts["files"], "file")
    line = f"no findings in {files}" if not total else f"{', '.join(parts)} in {files}"
    fixable = sum(found.fixable for report in reports for found in report.diagnostics)
    if fixable:
        line += f" · {fixable} fixable with --fix"
    suppressed = sum(report.suppressed for report in reports)
    if suppressed:
        line += f" · {suppressed} silenced"
    if not color:
        return line
    code = "31" if counts["errors"] else "33" if counts["warnings"] else "32"
    return f"\x1b[{_BOLD};{code}m{line}\x1b[0m"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 or word == "info" else f"{count} {word}s"
