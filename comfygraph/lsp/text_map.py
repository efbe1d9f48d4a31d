"""
Offsets in a text ↔ positions as editors count them.

The protocol ends lines at LF, CRLF and CR only, where `str.splitlines` knows more; and it counts
columns in the code units that were agreed on (LSP 3.17, `PositionEncodingKind`).
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol.types import Position, PositionEncodingKind, Range

_LINE_END = re.compile(r"\r\n|\n|\r")


class TextMap:
    """
    The lines of one text.

    Args:
        text: The text.
        encoding: `utf-8`, `utf-16` or `utf-32`, as agreed with the editor.
    """

    def __init__(self, text: str, encoding: str = PositionEncodingKind.Utf16) -> None:
        self._text = text
        self._encoding = encoding
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def position(self, offset: int) -> Position:
        """
        Give the position of a character offset.
        """
        line = bisect_right(self._starts, offset) - 1
        return Position(line, self._units(self._text[self._starts[line] : offset]))

    def range(self, start: int, end: int) -> Range:
        """
        Give the range between two offsets, the second excluded.
        """
        return Range(self.position(start), self.position(end))

    def offset(self, position: Position) -> int:
        """
        Give the character offset of a position; one outside the text is moved to its nearest edge.
        """
        if position.line >= len(self._starts):
            return len(self._text)
        start = self._starts[position.line]
        end = self._line_end(position.line)
        line = self._text[start:end]
        if self._encoding == PositionEncodingKind.Utf32 or line.isascii():
            return min(start + position.character, end)
        units = 0
        for index, char in enumerate(line):
            if units >= position.character:
                return start + index
            units += self._units(char)
        return end

    def _line_end(self, line: int) -> int:
        """Where a line ends, what ends it left out."""
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self._text)
        start = self._starts[line]
        return start + len(self._text[start:end].rstrip("\r\n"))

    def _units(self, text: str) -> int:
        if self._encoding == PositionEncodingKind.Utf32 or text.isascii():
            return len(text)
        if self._encoding == PositionEncodingKind.Utf8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(char > "\uffff" for char in text)
