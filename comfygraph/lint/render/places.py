"""
Where findings stand in the text: late, and once for a whole report.
"""

from __future__ import annotations

from comfygraph.core.pointer import pointer_chain
from comfygraph.core.records import NamedTuple
from comfygraph.documents.positions import LineTable, Span, find_spans
from comfygraph.lint.diagnostic import Diagnostic, Report


class Place(NamedTuple):
    """
    A place in a text; lines and columns count from 1, the end column is exclusive.

    `file` is the script or module in which it is, where that is not the file of the report.
    """

    line: int
    column: int
    end_column: int
    excerpt: str | None = None
    file: str | None = None


def places_of(report: Report, *, related: bool = False) -> dict[str, Place]:
    """
    Find the place of every pointer that a report names; secrets are masked in all excerpts.

    Args:
        report: The report; without text, every place is line 1, column 1.
        related: Also find the places of related findings.
    """
    pointers = {found.pointer for found in report.diagnostics if found.place is None}
    if related:
        pointers |= {item.pointer for found in report.diagnostics for item in found.related}
    if report.written is not None:
        from comfygraph.lint.render.script_places import places_in_scripts

        return places_in_scripts(report, pointers)
    if report.text is None or not pointers:
        return {pointer: Place(1, 1, 2) for pointer in pointers}
    chains = {pointer: pointer_chain(pointer) for pointer in pointers}
    spans = find_spans(report.text, {item for chain in chains.values() for item in chain})
    table = LineTable(report.text)
    secrets = [
        spans[found.pointer]
        for found in report.diagnostics
        if found.sensitive and found.pointer in spans
    ]
    out: dict[str, Place] = {}
    for pointer, chain in chains.items():
        span = next((spans[item] for item in chain if item in spans), None)
        if span is None:
            out[pointer] = Place(1, 1, 2)
            continue
        start, end = span.start, span.end
        # A whole node is shown by its key: its text goes over many lines.
        is_node = report.text[start : start + 1] == "{"
        if span.key_start is not None and (is_node or "\n" in report.text[start:end]):
            start, end = span.key_start, span.key_end or span.key_start + 1
        elif is_node:  # Of a member of a list, the brace says enough.
            end = start + 1
        line, column = table.position(start)
        excerpt = table.line_text(line)
        last = max(column + 1, min(column + end - start, len(excerpt) + 1))
        if secrets:
            excerpt = _masked(excerpt, start - column + 1, secrets)
        out[pointer] = Place(line, column, last, excerpt)
    return out


def _masked(line: str, line_start: int, secrets: list[Span]) -> str:
    """Put stars where a secret stands: a line of a prompt can hold the whole graph."""
    for span in secrets:
        start = max(0, span.start - line_start)
        end = min(len(line), span.end - line_start)
        if start < end:
            line = line[:start] + "*" * (end - start) + line[end:]
    return line


def place_of(diagnostic: Diagnostic, places: dict[str, Place], report: Report) -> Place:
    """
    Give the place of one finding.
    """
    if diagnostic.place is not None:
        line, column = diagnostic.place
        excerpt = LineTable(report.text).line_text(line) if report.text is not None else None
        return Place(line, column, column + 1, excerpt)
    return places[diagnostic.pointer]
