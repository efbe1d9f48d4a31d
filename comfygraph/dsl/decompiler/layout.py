"""
Python source laid out as `ruff format` lays it out, in lines of a hundred characters.

What does not fit on a line stands one item a line with a comma behind each, which the
formatter leaves alone; long texts become adjacent literals, broken where they have breaks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

WIDTH = 100
DEEPEST = 20
"""Constants that nest deeper are written as JSON, since Python's parser gives up at 200."""
HUGE = 10**4000
"""Python neither prints nor reads longer numbers in decimal."""

_BREAKS = re.compile(r"\n+|[^\n]*?(?:[ ,;]+|[、。，；：！？]|\n+|$)", re.S)


class Text:
    """
    Literals of one text: one of them where it fits.
    """

    __slots__ = ("flat", "value")

    def __init__(self, value: str) -> None:
        self.value = value
        self.flat = quoted(value)


class Group:
    """
    Items between brackets.

    Args:
        opening: What stands before the items, up to the bracket.
        items: What goes before each item (`width=`), and the item.
        closing: The closing bracket, and what follows it.
    """

    __slots__ = ("closing", "flat", "items", "opening")

    def __init__(self, opening: str, items: Sequence[tuple[str, Doc]], closing: str) -> None:
        self.opening = opening
        self.items = items
        self.closing = closing
        inner = ", ".join(f"{before}{flat(item)}" for before, item in items)
        self.flat = f"{opening}{inner}{closing}"


Doc: TypeAlias = str | Text | Group
"""A piece of source: words as they are, a text, or a group."""


def flat(doc: Doc) -> str:
    """
    Give a piece of source on one line.
    """
    return doc if isinstance(doc, str) else doc.flat


def laid_out(before: str, doc: Doc, indent: int = 0) -> Iterator[str]:
    """
    Yield the lines of a statement.

    Args:
        before: What it begins with, `image = `.
        doc: The rest.
        indent: How far it stands from the left, spaces.
    """
    yield from _lines(before, doc, "", indent)


def _lines(before: str, doc: Doc, after: str, indent: int) -> Iterator[str]:
    # Recursion goes as deep as constants may nest, see `DEEPEST`.
    space = " " * indent
    line = f"{space}{before}{flat(doc)}{after}"
    if isinstance(doc, str) or width(line) <= WIDTH:
        yield line
    elif isinstance(doc, Text):
        inner = indent + 4 if before else indent
        pieces = _pieces(doc.value, WIDTH - inner - len(after))
        if len(pieces) == 1:
            yield line
        elif before:
            yield f"{space}{before}("
            yield from (f"{space}    {piece}" for piece in pieces)
            yield f"{space}){after}"
        else:
            yield from (f"{space}{piece}" for piece in pieces[:-1])
            yield f"{space}{pieces[-1]}{after}"
    elif not doc.items:
        yield line
    else:
        yield f"{space}{before}{doc.opening}"
        for name, item in doc.items:
            yield from _lines(name, item, ",", indent + 4)
        yield f"{space}{doc.closing}{after}"


def _pieces(text: str, room: int) -> list[str]:
    """
    Cut a text into literals that fit into the room, after line breaks first of all.
    """
    out: list[str] = []
    current = ""
    length = 2
    for word in _BREAKS.findall(text):
        longer = width(quoted(word)) - 2
        if current and (current.endswith("\n") or length + longer > room):
            out.append(quoted(current))
            current, length = "", 2
        current += word
        length += longer
    return [*out, quoted(current)] if current else out


def width(text: str) -> int:
    """
    Give the number of columns that a line takes up.
    """
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def quoted(text: str) -> str:
    """
    Give the literal of a text on one line: all that is not printable is escaped.
    """
    # With a double quote in it, `repr` takes single quotes and escapes no double ones.
    body = repr(f'{text}"')[1:-2]
    if text.count('"') > text.count("'"):
        return f"'{body}'"
    return '"' + _QUOTES.sub(_requoted, body) + '"'


_QUOTES = re.compile(r'\\.|"', re.S)


def _requoted(match: re.Match[str]) -> str:
    found = match[0]
    if found == '"':
        return '\\"'
    return "'" if found == "\\'" else found


def constant(value: Any) -> Doc:
    """
    Give the source of a constant as JSON has them.
    """
    match value:
        case str():
            return Text(value)
        case None | bool():
            return repr(value)
        case int():
            if abs(value) < HUGE:
                return repr(value)
            return f"{'-' if value < 0 else ''}0x{abs(value):X}"
        case float():
            return repr(value).replace("e+", "e")
    if _depth(value) > DEEPEST:
        import json

        return Group("json.loads(", [("", Text(json.dumps(value)))], ")")
    if isinstance(value, Mapping):
        pairs = [(f"{quoted(key)}: ", constant(item)) for key, item in value.items()]
        return Group("{", pairs, "}")
    return Group("[", [("", constant(item)) for item in value], "]")


def _depth(value: Any) -> int:
    level = [value]
    depth = 0
    while level and depth <= DEEPEST:
        depth += 1
        level = [
            inner
            for item in level
            if isinstance(item, Mapping | list | tuple)
            for inner in (item.values() if isinstance(item, Mapping) else item)
        ]
    return depth
