"""
Where findings about a graph stand in the Python script that built it.

A node remembers the line of the call that wrote it. The script is parsed when something is
printed, to find the argument of that call which a finding speaks of.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from comfygraph.core.pointer import parse_pointer
from comfygraph.documents.json_text import MAX_BYTES
from comfygraph.dsl.names import identifier
from comfygraph.lint.diagnostic import Report
from comfygraph.lint.render.places import Place

_QUOTES = frozenset("'\"")


class _Script(NamedTuple):
    """A script's lines, and its calls by the line on which they begin."""

    lines: list[str]
    calls: dict[int, list[ast.Call]]


def places_in_scripts(report: Report, pointers: Iterable[str]) -> dict[str, Place]:
    """
    Find the places of JSON pointers into a graph that scripts built.

    Args:
        report: The report, with the lines on which nodes were written.
        pointers: Pointers into the prompt.
    """
    written = report.written or {"": (report.file, 1)}
    read = cache(_read)
    classes = {found.node_id: found.class_type for found in report if found.node_id}
    classes |= {found.pointer: found.class_type for found in report}
    inputs = {found.pointer: found.input for found in report}
    secret = any(found.sensitive for found in report)
    out: dict[str, Place] = {}
    for pointer in pointers:
        tokens = parse_pointer(pointer)
        node_id = tokens[0] if tokens else ""
        file, line = written.get(node_id) or written[""]
        other = file if file != report.file else None
        script = read(file)
        if script is None:
            out[pointer] = Place(line, 1, 2, file=other)
            continue
        name = tokens[2] if len(tokens) > 2 and tokens[1] == "inputs" else inputs.get(pointer)
        place = _place(script, line, classes.get(pointer) or classes.get(node_id), name)
        # Where the script spells a secret, nobody knows: no line with a text in it is shown.
        hide = secret and place.excerpt is not None and not _QUOTES.isdisjoint(place.excerpt)
        out[pointer] = place._replace(file=other, excerpt=None if hide else place.excerpt)
    return out


def _read(file: str) -> _Script | None:
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            source = stream.read(MAX_BYTES)
    except (OSError, ValueError):  # A line of a notebook, or a file that is gone.
        return None
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return _Script(source.splitlines(), {})
    calls: dict[int, list[ast.Call]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            calls.setdefault(node.lineno, []).append(node)
    return _Script(source.splitlines(), calls)


def _place(script: _Script, line: int, class_type: str | None, name: str | None) -> Place:
    """
    Give the argument `name` of the call on a line, else the call's name, else the line.
    """
    wanted = identifier(class_type) if class_type else None
    calls = [call for call in script.calls.get(line, ()) if _makes(call, class_type, wanted)]
    if len(calls) == 1:
        call = calls[0]
        if name is not None:
            short = name.partition(".")[0]
            spellings = (name, identifier(name), short, identifier(short))
            for keyword in call.keywords:
                if keyword.arg in spellings:
                    return _of_node(script, keyword.value)
        return _of_node(script, call.func)
    text = script.lines[line - 1] if 0 < line <= len(script.lines) else ""
    start = len(text) - len(text.lstrip())
    return Place(line, start + 1, max(len(text.rstrip()), start + 1) + 1, text)


def _makes(call: ast.Call, class_type: str | None, name: str | None) -> bool:
    match call.func:
        case ast.Name(id="raw_node") | ast.Attribute(attr="raw_node"):
            first = call.args[0] if call.args else None
            return isinstance(first, ast.Constant) and first.value == class_type
        case ast.Name(id=called) | ast.Attribute(attr=called):
            return called == name
    return False


def _of_node(script: _Script, node: ast.expr) -> Place:
    text = script.lines[node.lineno - 1]
    # The parser counts in bytes of UTF-8.
    start = len(text.encode()[: node.col_offset].decode(errors="replace"))
    if node.end_lineno == node.lineno and node.end_col_offset is not None:
        end = len(text.encode()[: node.end_col_offset].decode(errors="replace"))
    else:
        end = len(text.rstrip())
    return Place(node.lineno, start + 1, max(end, start + 1) + 1, text)
