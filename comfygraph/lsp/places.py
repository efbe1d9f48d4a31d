"""
Findings as an editor takes them, and the places of nodes: definition, references, outline.
"""

from __future__ import annotations

from lsprotocol import types

from comfygraph.core.pointer import parse_pointer
from comfygraph.documents.positions import LineTable
from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
from comfygraph.lint.render.places import place_of, places_of
from comfygraph.lsp.reading import Reading
from comfygraph.lsp.text_map import TextMap

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}


def diagnostics_of(report: Report, text_map: TextMap, uri: str) -> list[types.Diagnostic]:
    """
    Give the findings of a report as diagnostics of the protocol, in the same order.
    """
    places = places_of(report, related=True)
    lines = LineTable(report.text or "")

    def range_at(line: int, column: int, end: int) -> types.Range:
        return text_map.range(lines.offset(line, column), lines.offset(line, end))

    out = []
    for found in report:
        place = place_of(found, places, report)
        related = [
            types.DiagnosticRelatedInformation(
                types.Location(uri, range_at(there.line, there.column, there.end_column)),
                item.message,
            )
            for item in found.related
            if (there := places.get(item.pointer)) is not None
        ]
        out.append(
            types.Diagnostic(
                range=range_at(place.line, place.column, place.end_column),
                message=_message(found),
                severity=_SEVERITIES[found.severity],
                code=found.rule_id,
                source="comfygraph",
                related_information=related or None,
                data={"rule": found.rule_id, "pointer": found.pointer},
            )
        )
    return out


def _message(found: Diagnostic) -> str:
    text = f"{found.message} [{found.name}]"
    return f"{text}\n{found.help}" if found.help else text


def definition_of(reading: Reading, offset: int) -> str | None:
    """
    Give the pointer of the node that the link under the cursor comes from, or `None`.
    """
    spot = reading.spot(offset)
    return None if spot is None else spot.source


def users_of(reading: Reading, offset: int) -> list[str]:
    """
    Give the pointers of the inputs that take something from the node under the cursor.
    """
    spot = reading.spot(offset)
    document = reading.document
    if spot is None or document is None or not isinstance(document.prompt, dict):
        return []
    wanted = spot.source or spot.pointer
    out = []
    for pointer in reading.node_pointers():
        inputs = reading.node(pointer).get("inputs")
        for name, value in inputs.items() if isinstance(inputs, dict) else ():
            if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
                source = document.node_pointer(str(value[0]))
                if source == wanted:
                    out.append(document.input_pointer(parse_pointer(pointer)[-1], name))
    return out


def outline(reading: Reading, text_map: TextMap) -> list[types.DocumentSymbol]:
    """
    Give the nodes of a graph as symbols, in the order of the text.
    """
    pointers = reading.node_pointers()
    spans = reading.spans(*pointers)
    out = []
    for pointer in pointers:
        span = spans[pointer]
        start = span.start if span.key_start is None else span.key_start
        end = span.start + 1 if span.key_end is None else span.key_end
        out.append(
            types.DocumentSymbol(
                name=reading.label(pointer) or "?",
                kind=types.SymbolKind.Object,
                range=text_map.range(start, span.end),
                selection_range=text_map.range(start, end),
                detail=reading.class_of(reading.node(pointer)),
            )
        )
    return out
