"""
Edits of JSON text: what is not edited keeps its bytes.

Each edit becomes one replacement of a stretch of the text. Edits whose stretches touch are left
for another round. What comes out is parsed and compared with the same edits made on the value:
a text that fools us (a repeated key, say) stays as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from comfygraph.core.pointer import escape_pointer, parse_pointer, pointer_chain
from comfygraph.documents.positions import Span, find_spans
from comfygraph.lint.diagnostic import Edit, Fix

_INDENT = re.compile(r"\n([ \t]+)\S")
_SPACES = " \t\r\n"
_ATTEMPTS = 50
"""Fixes of one round that are tried alone where they do not work together."""


class Patch(NamedTuple):
    """Put `text` where `start` to `end` (exclusive) stands."""

    start: int
    end: int
    text: str


class Applied(NamedTuple):
    """A text after a round, and the fixes that it took in."""

    text: str
    fixes: tuple[Fix, ...]


def apply_fixes(text: str, fixes: Sequence[Fix]) -> Applied:
    """
    Apply as many fixes as fit side by side; the earlier ones go first.

    Args:
        text: Valid JSON.
        fixes: Repairs of this very text. One that does not fit it is left out.
    """
    value = json.loads(text)
    writer = _Writer(text, value, [edit for fix in fixes for edit in fix.edits])
    chosen: list[tuple[Fix, list[tuple[Patch, Edit]]]] = []
    free = _Free()
    for fix in fixes:
        patches = writer.patches(fix)
        if patches is not None and free.take([patch for patch, _ in patches]):
            chosen.append((fix, patches))
    if not chosen:
        return Applied(text, ())
    result = _attempt(text, chosen)
    if result is not None:
        return Applied(result, tuple(fix for fix, _ in chosen))
    # One of them fools us: find those that hold by themselves, the first that does wins.
    for fix, patches in chosen[:_ATTEMPTS]:
        result = _attempt(text, [(fix, patches)])
        if result is not None:
            return Applied(result, (fix,))
    return Applied(text, ())


def _attempt(text: str, chosen: Sequence[tuple[Fix, list[tuple[Patch, Edit]]]]) -> str | None:
    """Apply patches, or give `None` where the outcome is not what the edits say."""
    pairs = sorted((pair for _, patches in chosen for pair in patches), reverse=True, key=_start)
    pieces: list[str] = []
    end = len(text)
    value = json.loads(text)
    try:
        for patch, edit in pairs:
            pieces += (text[patch.end : end], patch.text)
            end = patch.start
            value = edited(value, edit)
        pieces.append(text[:end])
        result = "".join(reversed(pieces))
        return result if json.dumps(json.loads(result)) == json.dumps(value) else None
    except (ValueError, RecursionError):
        return None


def _start(pair: tuple[Patch, Edit]) -> tuple[int, int]:
    return pair[0].start, pair[0].end


class _Free:
    """The stretches of the text that are not taken yet."""

    def __init__(self) -> None:
        self._taken: list[tuple[int, int]] = []

    def take(self, patches: Sequence[Patch]) -> bool:
        """Take the stretches of a fix, all or none; touching counts as overlapping."""
        from bisect import bisect_left, insort

        before = list(self._taken)
        for patch in patches:
            span = (patch.start, patch.end)
            at = bisect_left(self._taken, span)
            beside = self._taken[max(0, at - 1) : at + 1]
            if any(start <= patch.end and patch.start <= end for start, end in beside):
                self._taken = before
                return False
            insort(self._taken, span)
        return True


class _Writer:
    """Turns edits of one text into patches."""

    def __init__(self, text: str, value: Any, edits: Sequence[Edit]) -> None:
        self._text = text
        self._value = value
        pointers = {""}
        for edit in edits:
            pointers.update(self._needed(edit))
        self._spans = find_spans(text, pointers)

    def _needed(self, edit: Edit) -> list[str]:
        chain = pointer_chain(edit.pointer)
        out = [*chain]
        for pointer in chain:
            members = _at(self._value, pointer)
            if isinstance(members, dict) and members:
                out.append(f"{pointer}/{escape_pointer(next(reversed(members)))}")
        return out

    def patches(self, fix: Fix) -> list[tuple[Patch, Edit]] | None:
        """Give the patches of a fix, or `None` where one of its edits does not fit the text."""
        out = []
        for edit in fix.edits:
            patch = self._patch(edit)
            if patch is None:
                return None
            out.append((patch, edit))
        return out

    def _patch(self, edit: Edit) -> Patch | None:
        span = self._spans.get(edit.pointer)
        match edit.action:
            case "set":
                if span is not None:
                    return Patch(span.start, span.end, self._dump(edit.value, span.start))
                return self._insertion(edit)
            case "remove":
                return self._removal(span) if span is not None and edit.pointer else None
            case "unwrap":
                parent = self._spans.get(edit.pointer.rpartition("/")[0])
                if span is None or parent is None or not edit.pointer:
                    return None
                return Patch(parent.start, parent.end, self._dedented(span, parent))
            case _:
                return None

    def _removal(self, span: Span) -> Patch:
        text = self._text
        start = span.key_start if span.key_start is not None else span.start
        after = _forward(text, span.end)
        if text[after] == ",":
            return Patch(start, _forward(text, after + 1), "")
        before = _backward(text, start)
        if text[before] == ",":
            return Patch(_backward(text, before) + 1, span.end, "")
        return Patch(before + 1, after, "")

    def _dedented(self, span: Span, parent: Span) -> str:
        """The inner value with the indentation that its parent had."""
        text = self._text[span.start : span.end]
        inner, outer = self._indent_at(span.start), self._indent_at(parent.start)
        if "\n" not in text or not inner.startswith(outer) or inner == outer:
            return text
        surplus = inner[len(outer) :]
        first, *lines = text.split("\n")
        if not all(line.startswith(outer + surplus) or not line.strip() for line in lines):
            return text
        return "\n".join([first, *(outer + line[len(inner) :] for line in lines)])

    def _insertion(self, edit: Edit) -> Patch | None:
        """Put a member that is not there after the last one, in the manner of its neighbours."""
        value = edit.value
        names: list[str] = []
        pointer = edit.pointer
        while pointer not in self._spans:
            pointer, _, name = pointer.rpartition("/")
            names.append(parse_pointer(f"/{name}")[0])
        for name in names[:-1]:
            value = {name: value}
        members = _at(self._value, pointer)
        if not isinstance(members, dict):
            return None
        parent = self._spans[pointer]
        if not members:
            return self._first_member(parent, names[-1], value)
        last = self._spans.get(f"{pointer}/{escape_pointer(next(reversed(members)))}")
        if last is None or last.key_start is None or last.key_end is None:
            return None
        colon = self._text[last.key_end : last.start]
        before = _backward(self._text, last.key_start)
        space = self._text[before + 1 : last.key_start]
        if self._text[before] == "{" and "\n" not in space:
            space = " " if colon.endswith(" ") else ""
        text = f",{space}{self._dump(names[-1], last.start)}{colon}"
        return Patch(last.end, last.end, text + self._dump(value, last.start))

    def _first_member(self, parent: Span, name: str, value: Any) -> Patch:
        text = self._text
        member = f"{self._dump(name, parent.start)}{self._separators()[1]}"
        member += self._dump(value, parent.start)
        line_start = text.rfind("\n", 0, parent.start) + 1
        own_line = not text[line_start : parent.key_start or parent.start].strip()
        unit = _INDENT.search(text)
        if "\n" not in text or not own_line or unit is None:
            return Patch(parent.start, parent.end, "{" + member + "}")
        indent = self._indent_at(parent.start)
        end = "\r\n" if "\r\n" in text else "\n"
        return Patch(
            parent.start, parent.end, "{" + end + indent + unit[1] + member + end + indent + "}"
        )

    def _indent_at(self, offset: int) -> str:
        line_start = self._text.rfind("\n", 0, offset) + 1
        line = self._text[line_start:offset]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _separators(self) -> tuple[str, str]:
        """How the text separates members, and keys from values."""
        tight = '":' in self._text and '": ' not in self._text
        return (",", ":") if tight else (", ", ": ")

    def _dump(self, value: Any, near: int) -> str:
        """Write a value; letters beyond ASCII as the text itself writes them."""
        text = json.dumps(value, ensure_ascii=False, separators=self._separators())
        escaped = "\\u" in self._text[max(0, near - 2000) : near + 2000] or _has_surrogates(text)
        return json.dumps(value, separators=self._separators()) if escaped else text


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def edited(value: Any, edit: Edit) -> Any:
    """
    Make an edit on a JSON value in place; the root is given back, as it may be another.

    Raises:
        ValueError: The value has no such place.
    """
    tokens = parse_pointer(edit.pointer)
    if not tokens:
        if edit.action != "set":
            raise ValueError("the root can neither be removed nor unwrapped")
        return edit.value
    parents: list[tuple[Any, Any]] = []
    here = value
    for token in tokens[:-1]:
        key: Any = int(token) if isinstance(here, list) else token
        if edit.action == "set" and isinstance(here, dict):
            here.setdefault(key, {})
        parents.append((here, key))
        here = _member(here, key)
    last: Any = int(tokens[-1]) if isinstance(here, list) else tokens[-1]
    match edit.action:
        case "set":
            if not isinstance(here, dict | list):
                raise ValueError("no place for the value")
            if isinstance(here, list) and last >= len(here):
                raise ValueError("no such place")
            here[last] = edit.value
        case "remove":
            _member(here, last)
            del here[last]
        case _:
            inner = _member(here, last)
            if not parents:
                return inner
            holder, key = parents[-1]
            holder[key] = inner
    return value


def _member(holder: Any, key: Any) -> Any:
    try:
        return holder[key]
    except (KeyError, IndexError, TypeError) as exc:
        raise ValueError("no such place") from exc


def _at(value: Any, pointer: str) -> Any:
    """Give the value at a pointer, or `None`."""
    for token in parse_pointer(pointer):
        if isinstance(value, dict):
            value = value.get(token)
        elif isinstance(value, list) and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            return None
    return value


def _forward(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACES:
        at += 1
    return at


def _backward(text: str, at: int) -> int:
    at -= 1
    while at >= 0 and text[at] in _SPACES:
        at -= 1
    return at
