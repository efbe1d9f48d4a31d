"""
A few lines at the bottom of a terminal that are drawn again and again.

rich's `Live` takes the lines that it has drawn for as many rows. Most terminals wrap lines anew
when they are made narrower; the rows are counted here by the width of the moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_UP, _CLEAR_RIGHT, _CLEAR_BELOW = "\x1b[{}A", "\x1b[K", "\x1b[J"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_PER_SECOND = 8.0


class Block:
    """
    Draws lines at regular intervals while it is entered; nothing of them stays.

    Args:
        console: The terminal.
        lines: Gives the lines for a width and a height; called from a thread of the block.
    """

    def __init__(self, console: Console, lines: Callable[[int, int], Sequence[Text]]) -> None:
        self._console = console
        self._lines = lines
        self._lock = RLock()
        self._drawn: list[int] = []
        self._ended = Event()
        self._thread = Thread(target=self._tick, name="comfygraph-progress", daemon=True)

    def __enter__(self) -> Self:
        self._write(_HIDE_CURSOR)
        self.draw()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        with self._lock:
            self._write(self._to_start() + _CLEAR_BELOW + _SHOW_CURSOR)

    def print(self, line: Text, *, wrap: bool = False) -> None:
        """
        Print a line above the block, to stay.
        """
        with self._lock:
            text = self._rendered(line, wrap)
            self._write(self._to_start() + text + _CLEAR_RIGHT + "\n" + _CLEAR_BELOW)
            self.draw()

    def show(self, picture: str) -> None:
        """
        Write a picture, as the terminal takes it, above the block.
        """
        with self._lock:
            self._write(self._to_start() + _CLEAR_BELOW + picture + "\n")
            self.draw()

    def draw(self) -> None:
        """
        Draw the block now.
        """
        with self._lock:
            width, height = self._console.size
            lines = list(self._lines(width, height))[: max(height - 1, 1)]
            out = [self._to_start()]
            out += [f"{self._rendered(line)}{_CLEAR_RIGHT}\n" for line in lines]
            out.append(_CLEAR_BELOW)
            self._write("".join(out))
            self._drawn = [cell_len(line.plain) for line in lines]

    def _to_start(self) -> str:
        width = max(self._console.width, 1)
        rows = sum(max(-(-cells // width), 1) for cells in self._drawn)
        self._drawn = []
        return f"\r{_UP.format(rows)}" if rows else "\r"

    def _rendered(self, line: Text, wrap: bool = False) -> str:
        with self._console.capture() as capture:
            self._console.print(
                line,
                end="",
                no_wrap=not wrap,
                crop=not wrap,
                overflow="fold" if wrap else "ellipsis",
            )
        return capture.get().rstrip("\n").replace("\n", f"{_CLEAR_RIGHT}\n")

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()

    def _tick(self) -> None:
        while not self._ended.wait(1.0 / _PER_SECOND):
            self.draw()
