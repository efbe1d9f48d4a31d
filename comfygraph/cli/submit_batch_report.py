"""
Showing how a batch goes on: a block that redraws in a terminal, plain lines or JSON elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from comfygraph.cli.progress import Quiet, clean, clock_text
from comfygraph.jobs.batch.events import (
    BatchEnded,
    BatchEvent,
    BatchNotice,
    BatchProgress,
    BatchStarted,
    VariantEnded,
    VariantEvent,
    VariantRetried,
    VariantSent,
)
from comfygraph.jobs.batch.variants import parameters_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_PAUSE = 10.0
"""Seconds between two plain lines, at least."""
_MOST_TROUBLES = 20
"""How many failures get a line of their own; manifest and ledger have them all."""
_WIDEST = 78
_BAR = 20


class BatchReporter(Protocol):
    """
    Shows the events of a batch. Used as a context manager around all of them.
    """

    cancelling: bool
    """Set, perhaps by a signal handler, when the person wants the batch stopped."""

    def event(self, event: BatchEvent) -> None:
        """
        Show an event.
        """
        ...

    def result(self, line: str, stdout: TextIO) -> None:
        """
        Print a line of results, such as the path of a file.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Troubles:
    """
    The lines about what went wrong: the first ones in full, then only that there are more.
    """

    def __init__(self) -> None:
        self._told = 0

    def line(self, event: BatchEvent) -> tuple[str, str] | None:
        """
        Give a word and a text for an event that a person should see at once, or `None`.
        """
        match event:
            case BatchNotice(message=message):
                return "note", clean(message)
            case VariantRetried(index=index, message=message, wait=wait):
                soon = f" in {wait:.0f} s" if wait >= 1 else ""
                return self._count("retry", f"{index}: {clean(message)}, trying again{soon}")
            case VariantEnded(state=state, message=message) if state != "succeeded" or message:
                state = "note" if state == "succeeded" else state
                said = f": {clean(event.message)}" if event.message else ""
                text = f"{event.index} ({parameters_text(event.parameters)}){said}"
                return self._count(state, text)
            case _:
                return None

    def _count(self, word: str, text: str) -> tuple[str, str] | None:
        self._told += 1
        if self._told > _MOST_TROUBLES:
            return None
        if self._told == _MOST_TROUBLES:
            return word, f"{text} (no more are shown)"
        return word, text


class PlainBatchReporter(Quiet):
    """
    A line now and then, with the overall figure first, and one for each thing that went wrong.

    Args:
        stream: Where the lines go.
        clock: Seconds, never going back.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._troubles = Troubles()
        self._next = 0.0
        self._shown = -1
        self._last: BatchProgress | None = None

    def event(self, event: BatchEvent) -> None:
        """
        Print an event, where it says something new.
        """
        match event:
            case BatchStarted():
                self._next = self._clock() + _PAUSE
            case BatchProgress():
                self._last = event
                percent = int(100 * event.fraction)
                if self._clock() >= self._next and percent > self._shown:
                    self._show(event)
            case BatchEnded():
                if self._last is not None:
                    self._show(self._last)
            case _:
                line = self._troubles.line(event)
                if line is not None:
                    self._write(f"       {line[0]:<6} {line[1]}")

    def _show(self, event: BatchProgress) -> None:
        self._next = self._clock() + _PAUSE
        self._shown = int(100 * event.fraction)
        left = f", about {clock_text(event.remaining)} left" if event.remaining is not None else ""
        self._write(f"{self._shown:>3} %  {counts_text(event)}{left}")

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


def counts_text(event: BatchProgress, *, dot: str = ", ") -> str:
    """
    Give the counts in words, those that are nought left out.
    """
    counts = (
        (event.succeeded, "done"),
        (event.failed, "failed"),
        (event.running, "running"),
        (event.queued, "queued"),
        (event.waiting, "to send"),
    )
    parts = [f"{count:,} {word}" for count, word in counts if count or word == "done"]
    if event.cost is not None:
        parts.append(f"cost {event.cost:,.10g}")
    return dot.join(parts)


class LiveBatchReporter:
    """
    Shows a batch in a terminal.

    Args:
        console: The terminal.
        clock: Seconds, never going back.
    """

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        from comfygraph.cli.bars import ASCII, UNICODE
        from comfygraph.cli.block import Block

        self._console = console
        self._clock = clock
        self._began = clock()
        self._glyphs = ASCII if console.options.ascii_only else UNICODE
        self._troubles = Troubles()
        self._last: BatchProgress | None = None
        self._block = Block(console, self._draw)
        self.cancelling = False

    def __enter__(self) -> Self:
        self._block.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._block.__exit__(kind, exc, trace)

    def event(self, event: BatchEvent) -> None:
        """
        Take in an event; the block shows it when it is drawn next.
        """
        match event:
            case BatchProgress():
                self._last = event
            case BatchEnded():
                for line in self._draw(self._console.width, 10):
                    self._block.print(line)
                self._last = None
            case BatchStarted() | VariantSent() | VariantEvent():
                return
            case _:
                trouble = self._troubles.line(event)
                if trouble is not None:
                    word, text = trouble
                    style = "yellow" if word in ("note", "retry") else "red"
                    line = self._line(word, style)
                    line.append(text)
                    self._block.print(line, wrap=True)

    def result(self, line: str, stdout: TextIO) -> None:
        """
        Print a line of results; above the block, where both share a terminal.
        """
        from rich.text import Text

        if stdout.isatty():
            self._block.print(Text(line), wrap=True)
        else:
            print(line, file=stdout)

    def _draw(self, width: int, height: int) -> list[Text]:
        last = self._last
        if last is None:
            return []
        width = max(min(width - 1, _WIDEST), 1)
        line = self._line(f"{int(100 * last.fraction)} %", "bold")
        if width >= 46:
            line.append(self._glyphs.bar(last.fraction, _BAR), "bold")
            line.append("  ")
        line.append(clock_text(self._clock() - self._began))
        if self.cancelling and last.fraction < 1:
            line.append(", stopping", "yellow")
        elif last.remaining is not None:
            line.append(f", about {clock_text(max(last.remaining + 0.5, 1.0))} left", "dim")
        counts = self._line("", "dim")
        counts.append(counts_text(last, dot=self._glyphs.dot), "dim")
        for text in (line, counts):
            text.truncate(width, overflow="ellipsis")
        return [line, counts]

    def _line(self, word: str, style: str) -> Text:
        from rich.text import Text

        line = Text("  ", no_wrap=True, overflow="ellipsis", end="\n")
        line.append(f"{word:<6} ", style)
        return line
