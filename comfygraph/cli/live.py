"""
The block that redraws: what runs, how far everything is, and what is done collapsed to lines.

      done   Load Checkpoint (4) · LoRA: style (10) · positive (6)
      17/26  base pass (3)      ███████████▌       0:04
      wait   4 more
      58 %   ██████████▋        0:06, about 0:04 left
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from comfygraph.cli.bars import ASCII, UNICODE
from comfygraph.cli.block import Block
from comfygraph.cli.progress import clean, clock_text, label_of, steps_text
from comfygraph.core.values import Node
from comfygraph.jobs.progress import Active, Progress
from comfygraph.targets.events import (
    Event,
    JobEnd,
    JobQueued,
    JobStarted,
    JobSucceeded,
    NodeCached,
    NodeFailed,
    NodeFinished,
    Notice,
)

_WIDEST = 78
_INDENT = "  "
_WORD = 6
_BAR = 20
_BURST_LINES = 3
"""The most lines for nodes that were done in no time, between two that were not."""
_SLOW = 1.0
"""A node that took so many seconds gets a line of its own when it is done."""


class LiveReporter:
    """
    Shows a job in a terminal.

    Args:
        nodes: The graph.
        progress: Follows the job; is fed here.
        console: The terminal.
        place: Where the job runs, for the line before it does.
        clock: Seconds, never going back.
    """

    def __init__(
        self,
        nodes: Mapping[str, Node],
        progress: Progress,
        console: Console,
        *,
        place: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._nodes = nodes
        self._progress = progress
        self._console = console
        self._clock = clock
        self._state = f"handing the graph to {place}"
        self._queued = False
        self._began = clock()
        self._glyphs = ASCII if console.options.ascii_only else UNICODE
        self._group: list[str] = []
        self._group_word = "done"
        self._burst = 0
        self._more = 0
        labels = (cell_len(label_of(nodes, node_id)) for node_id in nodes)
        self._label_width = min(max(labels, default=8), 30)
        self.cancelling = False
        self._screen = Block(console, self._draw)

    def __enter__(self) -> Self:
        self._screen.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress.started_at is not None:
            self._flush()
        self._screen.__exit__(kind, exc, trace)

    def event(self, event: Event) -> None:
        """
        Take in an event; the block shows it when it is drawn next.
        """
        before: Active | None = None
        if isinstance(event, NodeFinished):
            before = self._progress.active.get(event.node_id)
        self._progress.feed(event)
        match event:
            case JobQueued(position=position):
                self._queued = True
                ahead = "" if not position else f", {position} before it"
                self._state = f"queued{ahead}"
            case JobStarted():
                self._state = "started"
            case NodeFinished(node_id=node_id):
                self._finished(node_id, before)
            case NodeCached(node_id=node_id):
                self._collect("cached", label_of(self._nodes, node_id))
            case NodeFailed(node_id=node_id, message=message):
                self._flush()
                label = label_of(self._nodes, node_id)
                self._print("failed", f"{label}: {clean(message)}", "red", wrap=True)
            case Notice(message=message, node_id=node_id):
                self._flush()
                label = f"{label_of(self._nodes, node_id)}: " if node_id is not None else ""
                self._print("note", f"{label}{clean(message)}", "yellow", wrap=True)
            case _ if isinstance(event, JobEnd):
                self._end(event)
            case _:
                pass

    def show(self, picture: str) -> None:
        """
        Write a picture, as the terminal takes it, above the block.
        """
        self._flush()
        self._screen.show(picture)

    def redraw(self) -> None:
        """
        Draw the block now, without waiting for its next turn.
        """
        self._screen.draw()

    def _end(self, event: JobEnd) -> None:
        self._flush()
        if isinstance(event, JobSucceeded):
            self._screen.print(self._overall(self._width(), final=True))

    def _finished(self, node_id: str, active: Active | None) -> None:
        label = label_of(self._nodes, node_id)
        took = 0.0 if active is None else self._clock() - active.since
        if active is None or took < _SLOW:
            self._collect("done", label)
            return
        self._flush()
        steps = f"{int(active.max)} steps, " if active.max > 1 and active.max % 1 == 0 else ""
        self._print_done(label, steps, clock_text(took))

    def _collect(self, word: str, label: str) -> None:
        """
        Put a label into the line of what was done in no time; full lines are printed. What does
        not fit into a few lines is only counted, so that a graph of 500 nodes stays on the screen.
        """
        if word != self._group_word:
            self._flush()
            self._group_word = word
        last = self._burst == _BURST_LINES - 1
        room = self._width() - len(_INDENT) - _WORD - 1 - (len(", 1234 more") if last else 0)
        longer = self._glyphs.dot.join([*self._group, label])
        if self._more or (self._group and cell_len(longer) > room):
            if last:
                self._more += 1
                return
            self._print_group()
            self._burst += 1
        self._group.append(label)

    def _flush(self) -> None:
        """
        Print what was collected, and begin anew.
        """
        self._print_group()
        self._burst = self._more = 0

    def _print_group(self) -> None:
        if self._group:
            text = self._group_text()
            self._group = []
            self._print(self._group_word, text, "green")

    def _group_text(self) -> str:
        more = f"{self._glyphs.dot}{self._more} more" if self._more else ""
        return self._glyphs.dot.join(self._group) + more

    def _print(self, word: str, text: str, style: str, *, wrap: bool = False) -> None:
        line = self._line(word, style)
        line.append(text)
        self._screen.print(line, wrap=wrap)

    def _print_done(self, label: str, steps: str, took: str) -> None:
        line = self._line("done", "green")
        room = self._width() - cell_len(line.plain)
        tail = f"  {steps}{took}" if room >= self._label_width + 24 else f"  {took}"
        line.append(self._fit(label, max(min(self._label_width, room - len(tail)), 4)))
        line.append(tail, "dim")
        self._screen.print(line)

    def _draw(self, width: int, height: int) -> list[Text]:
        return list(self._block(min(width - 1, _WIDEST), max(height - 6, 1)))

    def _block(self, width: int, most: int) -> Iterator[Text]:
        progress = self._progress
        if self._group:
            line = self._line(self._group_word, "green")
            line.append(self._group_text())
            yield self._cut(line, width)
        if progress.started_at is None:
            line = self._line(self._waiting_word(), "yellow" if self.cancelling else "cyan")
            line.append(f"{self._state}  ")
            line.append(clock_text(self._clock() - self._began), "dim")
            yield self._cut(line, width)
            return
        active = list(progress.active.items())
        for node_id, state in active[:most]:
            yield self._active(node_id, state, width)
        left = progress.left + max(len(active) - most, 0)
        if left:
            line = self._line("wait", "dim")
            line.append(f"{left} more", "dim")
            yield self._cut(line, width)
        yield self._overall(width)

    def _waiting_word(self) -> str:
        if self.cancelling:
            return "cancel"
        return "queue" if self._queued else "send"

    def _active(self, node_id: str, state: Active, width: int) -> Text:
        line = self._line(steps_text(state.value, state.max) or "run", "cyan")
        took = clock_text(self._clock() - state.since)
        bar = _BAR if width >= 60 else width - 40 if width >= 46 else 0
        room = width - cell_len(line.plain) - len(took) - 2 - (bar + 2 if bar else 0)
        label = label_of(self._nodes, node_id)
        line.append(self._fit(label, max(min(self._label_width, room), 4)))
        if bar:
            line.append("  ")
            line.append(self._glyphs.bar(state.fraction, bar), "cyan")
        line.append(f"  {took}", "dim")
        return self._cut(line, width)

    def _overall(self, width: int, *, final: bool = False) -> Text:
        progress = self._progress
        line = self._line(f"{int(100 * progress.fraction)} %", "bold")
        if width >= 46:
            line.append(self._glyphs.bar(progress.fraction, _BAR), "green" if final else "bold")
            line.append("  ")
        # at the end a person wants to know what they waited for, the queue included
        line.append(clock_text(self._clock() - self._began if final else progress.elapsed()))
        remaining = progress.remaining()
        if self.cancelling:
            line.append(", asking the service to cancel", "yellow")
        elif remaining is not None:
            left = clock_text(max(remaining + 0.5, 1.0))
            for words in (f", about {left} left", f", {left} left"):
                if cell_len(line.plain + words) <= width:
                    line.append(words, "dim")
                    break
        return self._cut(line, width)

    def _line(self, word: str, style: str) -> Text:
        line = Text(_INDENT, no_wrap=True, overflow="ellipsis", end="\n")
        line.append(f"{word:<{_WORD}} ", style)
        return line

    def _fit(self, text: str, width: int) -> str:
        if cell_len(text) <= width:
            return set_cell_size(text, width)
        dots = self._glyphs.dots
        # the end of a label is the node's id, which tells more than the middle of its title
        head, tail = text, ""
        opening = text.rfind(" (")
        if opening > 0 and cell_len(text[opening:]) < width - 4:
            head, tail = text[:opening], text[opening:]
        room = max(width - cell_len(tail) - cell_len(dots), 0)
        return set_cell_size(set_cell_size(head, room).rstrip() + dots + tail, width)

    def _cut(self, line: Text, width: int) -> Text:
        line.truncate(max(width, 1), overflow="crop" if self._glyphs is ASCII else "ellipsis")
        return line

    def _width(self) -> int:
        return min(self._console.width, _WIDEST + 1) - 1
