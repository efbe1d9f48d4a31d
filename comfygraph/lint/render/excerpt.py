"""
The source line of a finding with a mark below, cut to a width: prompts are often one line of text.
"""

from __future__ import annotations

from comfygraph.lint.render.places import Place
from comfygraph.lint.render.text import clean


def excerpt_lines(place: Place, widest: int) -> tuple[str, str]:
    """
    Give the source line and the line of carets below it.

    Args:
        place: The place, with its line.
        widest: How many characters of the line are shown at most.
    """
    text = (place.excerpt or "").replace("\t", " ")
    start, end = place.column - 1, place.end_column - 1
    indent = len(text) - len(text.lstrip(" "))
    first = min(indent, start)
    cut = False
    if len(text) - first > widest and start - first > widest // 2:
        # As much before the place as fits with its end, and the key in any case.
        shown = min(end, start + widest // 2) - start
        first, cut = start - max(widest // 4, widest // 2 - shown), True
    last = min(len(text), first + widest)
    head = "…" if cut else ""
    tail = "…" if last < len(text) else ""
    before = head + clean(text[first:start])
    marked = clean(text[start : min(max(end, start + 1), last)])
    line = head + clean(text[first:last]) + tail
    return line, " " * columns(before) + "^" * max(1, columns(marked))


def columns(text: str) -> int:
    """
    Count the columns of a terminal that a text takes: East Asian letters take two.
    """
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )
