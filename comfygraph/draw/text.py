"""
Texts in drawings: shortened to fit, and escaped.
"""

from __future__ import annotations

import re
from html import escape

from comfygraph.errors import clean
from comfygraph.workflow.boxes import text_width

_SPACE = re.compile(r"\s+")


def xml(text: str) -> str:
    """
    Escape a text for XML and HTML, also within quotes; what XML cannot hold, and what would turn
    the direction of the text, is taken out of its lines.
    """
    return escape("\n".join(map(clean, text.splitlines())), quote=True)


def one_line(text: str, longest: int = 400) -> str:
    """
    Give the beginning of a text on one line.
    """
    line = clean(_SPACE.sub(" ", text[: longest * 2])).strip()
    return line if len(line) <= longest and len(text) <= longest * 2 else line[: longest - 1] + "…"


def fitted(text: str, width: int, letter: float = 1.0) -> str:
    """
    Shorten a text on one line to a width in pixels.

    Args:
        text: The text.
        width: Room, pixels.
        letter: Size of the letters, 1 for 12 pixels.
    """
    line = one_line(text, 60)
    room = int(width / letter)
    if text_width(line) <= room:
        return line
    while line and text_width(line) + 7 > room:
        line = line[:-1]
    return line.rstrip() + "…"


def wrapped_lines(text: str, width: int, most: int) -> list[str]:
    """
    Break a text into lines of a width, words whole where they fit; the last line says if more
    follows.
    """
    lines: list[str] = []
    for paragraph in text[:2_000].splitlines():
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if len(longer) <= 60 and text_width(longer) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word if len(word) <= 60 and text_width(word) <= width else fitted(word, width)
        lines.append(line)
        if len(lines) > most:
            break
    if len(lines) > most or len(text) > 2_000:
        lines = lines[:most]
        lines[-1] = fitted(lines[-1], width - 14).removesuffix("…") + "…"
    return lines
