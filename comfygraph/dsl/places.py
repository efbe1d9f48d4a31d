"""
Where nodes were written: files and lines, worked out when somebody asks.

A node remembers the code that called and how far it was. Its line is read later: CPython
finds each `f_lineno` by walking through the table of the code from its start, so that asking
at every call of a long script takes quadratic time.
"""

from __future__ import annotations

from bisect import bisect_right
from types import CodeType

Where = tuple[str, int] | None
"""The file and line of the call that made a node."""


class Places:
    """
    Files and lines of many calls; the table of each code is read once.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Where] = {}
        self._tables: dict[int, tuple[CodeType, list[int], list[int]]] = {}

    def where(self, code: CodeType, offset: int) -> Where:
        """
        Give the file and line of a place.

        Args:
            code: The code that called.
            offset: The offset of the call in it, bytes.
        """
        key = (id(code), offset)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (code.co_filename, self._line(code, offset))
        return found

    def _line(self, code: CodeType, offset: int) -> int:
        table = self._tables.get(id(code))
        if table is None:
            starts, lines = [0], [code.co_firstlineno]
            for start, _, line in code.co_lines():
                if line is not None:
                    starts.append(start)
                    lines.append(line)
            # The code stays in the table, so that no other gets its id.
            table = self._tables[id(code)] = (code, starts, lines)
        return table[2][bisect_right(table[1], offset) - 1]
