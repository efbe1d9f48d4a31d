"""
JSON pointers → places in the text. Late: only when something is printed.

One pass over the text finds any number of pointers; values that no pointer
leads into are skipped by the C scanner of `json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from comfygraph.core.pointer import parse_pointer, pointer_chain
from comfygraph.core.records import NamedTuple

_SPACE = re.compile(r"[ \t\n\r]*")


class Span(NamedTuple):
    """
    Where a value stands: character offsets into the text, and those of its key if it has one.
    """

    start: int
    end: int
    key_start: int | None = None
    key_end: int | None = None


class _Branch:
    def __init__(self) -> None:
        self.wanted: list[str] = []
        self.children: dict[str, _Branch] = {}


def find_spans(text: str, pointers: Iterable[str]) -> dict[str, Span]:
    """
    Find where the values of JSON pointers stand.

    Args:
        text: Valid JSON.
        pointers: RFC 6901; those that lead nowhere are missing from the result.
    """
    root = _Branch()
    for pointer in pointers:
        branch = root
        for token in parse_pointer(pointer):
            branch = branch.children.setdefault(token, _Branch())
        branch.wanted.append(pointer)
    decode = json.JSONDecoder().raw_decode
    spans: dict[str, Span] = {}
    start = skip_space(text, 0)
    for pointer in root.wanted:
        spans[pointer] = Span(start, len(text.rstrip()))
    # (position after the bracket, branch, index in a list or None)
    stack: list[tuple[int, _Branch, int | None]] = []
    if root.children and text[start : start + 1] in ("{", "["):
        stack.append((start + 1, root, None if text[start] == "{" else 0))
    while stack:
        at, branch, index = stack.pop()
        at = skip_space(text, at)
        if text[at : at + 1] == ",":
            at = skip_space(text, at + 1)
        if text[at : at + 1] in ("}", "]", ""):
            if stack:
                _resume(stack, at + 1)
            continue
        key_start = key_end = None
        if index is None:
            key_start = at
            token, at = decode(text, at)
            key_end = at
            at = skip_space(text, skip_space(text, at) + 1)
        else:
            token = str(index)
        child = branch.children.get(token)
        end: int | None = None
        if child is None or child.wanted or text[at] not in "{[":
            _, end = decode(text, at)
        if child is not None and end is not None:
            for pointer in child.wanted:
                spans[pointer] = Span(at, end, key_start, key_end)
        follow = None if index is None else index + 1
        if child is not None and child.children and text[at] in "{[":
            stack.append((end if end is not None else at, branch, follow))
            stack.append((at + 1, child, None if text[at] == "{" else 0))
        else:
            if end is None:
                _, end = decode(text, at)
            stack.append((end, branch, follow))
    return spans


def _resume(stack: list[tuple[int, _Branch, int | None]], at: int) -> None:
    """Go on in the parent where its member ended."""
    _, branch, index = stack.pop()
    stack.append((at, branch, index))


def skip_space(text: str, at: int) -> int:
    """
    Give the first offset from `at` on where there is no white space of JSON.
    """
    match = _SPACE.match(text, at)
    return match.end() if match else at


class LineTable:
    """
    Offsets → line and column, both counted from 1; columns count characters.
    """

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer(r"\n", text))]
        self._text = text

    def position(self, offset: int) -> tuple[int, int]:
        """
        Give `(line, column)` of a character offset.
        """
        from bisect import bisect_right

        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """
        Give the character offset of a position; a line behind the last is the last.
        """
        return self._starts[min(line, len(self._starts)) - 1] + column - 1

    def line_text(self, line: int) -> str:
        """
        Give the text of a line, without its end.
        """
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self._text)
        return self._text[start:end].rstrip("\r\n")


def locate(text: str, pointer: str) -> tuple[int, int]:
    """
    Give `(line, column)` of the value that a JSON pointer leads to, or of its nearest parent.
    """
    return locate_all(text, [pointer])[pointer]


def locate_all(text: str, pointers: Iterable[str]) -> dict[str, tuple[int, int]]:
    """
    Give `(line, column)` for every pointer; one that leads nowhere gets its nearest parent.
    """
    chains = {pointer: pointer_chain(pointer) for pointer in pointers}
    spans = find_spans(text, {ancestor for chain in chains.values() for ancestor in chain})
    table = LineTable(text)
    out: dict[str, tuple[int, int]] = {}
    for pointer, chain in chains.items():
        span = next(spans[ancestor] for ancestor in chain if ancestor in spans)
        out[pointer] = table.position(span.start)
    return out
