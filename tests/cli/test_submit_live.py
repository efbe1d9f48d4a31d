"""
What a person sees in a terminal while a job runs, read off a small terminal made for the purpose.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from comfygraph.cli.live import LiveReporter
from comfygraph.core.values import Prompt
from comfygraph.jobs.progress import Progress
from comfygraph.targets.events import (
    Event,
    JobFailed,
    JobQueued,
    JobStarted,
    JobSucceeded,
    NodeCached,
    NodeFailed,
    NodeFinished,
    NodeProgress,
    NodeStarted,
    Notice,
)

EXAMPLE = Prompt.from_json(
    json.loads((Path(__file__).parents[2] / "examples" / "hires.json").read_text())
)
_CODES = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])")


class Screen:
    """
    As much of a terminal as the block needs: lines, a cursor, wrapping at the right edge.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[str] = [""]
        self.row = 0
        self.column = 0
        self.cursor_shown = True

    def feed(self, text: str) -> None:
        """
        Take what a program writes.
        """
        place = 0
        while place < len(text):
            code = _CODES.match(text, place)
            if code:
                self._control(code[1], code[2])
                place = code.end()
                continue
            self._put(text[place])
            place += 1

    def shown(self) -> list[str]:
        """
        Give the lines, trailing blanks off.
        """
        lines = [line.rstrip() for line in self.lines]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def narrow(self, width: int) -> None:
        """
        Make the window narrower; long lines wrap anew.
        """
        self.width = width
        lines: list[str] = []
        for line in self.lines:
            text = line.rstrip()
            lines += [text[at : at + width] for at in range(0, len(text), width)] or [""]
        self.lines = lines
        self.row, self.column = len(lines) - 1, 0

    def _control(self, value: str, kind: str) -> None:
        if kind == "A":
            self.row = max(self.row - int(value or 1), 0)
        elif kind == "K":
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif kind == "J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1 :]
        elif value == "?25":
            self.cursor_shown = kind == "h"
        else:
            assert kind == "m", (value, kind)

    def _put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.row, self.column = self.row + 1, 0
            while len(self.lines) <= self.row:
                self.lines.append("")
        else:
            if self.column >= self.width:
                self._put("\n")
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
            self.column += 1


class Terminal:
    """
    A reporter, its screen and a clock that stands until it is moved.
    """

    def __init__(self, width: int = 80, *, encoding: str = "utf-8", color: bool = False) -> None:
        self.now = 0.0
        raw = io.BytesIO()
        self.file = io.TextIOWrapper(raw, encoding=encoding, newline="")
        self.console = Console(
            file=self.file, width=width, height=24, force_terminal=True, no_color=not color,
            highlight=False, markup=False, emoji=False, legacy_windows=False,
        )  # fmt: skip
        self.screen = Screen(width)
        progress = Progress(EXAMPLE, clock=lambda: self.now)
        self.reporter = LiveReporter(
            EXAMPLE, progress, self.console, place="the emulator", clock=lambda: self.now
        )

    def tell(self, *events: Event | float) -> list[str]:
        """
        Tell events, and let time pass where a number stands; give the screen.
        """
        for event in events:
            if isinstance(event, float):
                self.now += event
            else:
                self.reporter.event(event)
        return self.draw()

    def draw(self) -> list[str]:
        """
        Draw the block now, and give the screen.
        """
        self.reporter.redraw()
        return self.look()

    def look(self) -> list[str]:
        """
        Give the screen as it is.
        """
        self.file.flush()
        raw = self.file.buffer
        assert isinstance(raw, io.BytesIO)
        self.screen.feed(raw.getvalue().decode(self.file.encoding))
        raw.seek(0)
        raw.truncate()
        return self.screen.shown()


LOADERS: list[Event | float] = [
    JobQueued("j"), JobStarted("j"),
    *(event for node in "1623" for event in (NodeStarted(node), 0.1, NodeFinished(node))),
    *(event for node in "54" for event in (NodeStarted(node), 0.1, NodeFinished(node))),
]  # fmt: skip


def test_story() -> None:
    """
    From the submit to the last line: what waits, runs and is done, each on its line.
    """
    terminal = Terminal()
    with terminal.reporter:
        screens = [
            terminal.tell(2.0),
            terminal.tell(JobQueued("j")),
            terminal.tell(JobQueued("j", 3)),
            terminal.tell(*LOADERS, NodeStarted("7"), 1.0, NodeProgress("7", 4, 26)),
            terminal.tell(3.0, NodeProgress("7", 16, 26)),
            terminal.tell(2.0, NodeProgress("7", 26, 26), NodeFinished("7"), NodeStarted("8")),
        ]
        terminal.tell(0.1, NodeFinished("8"), NodeStarted("9"), 5.0, NodeProgress("9", 30, 30))
        terminal.tell(NodeFinished("9"), NodeFinished("10"), NodeFinished("11"))
        terminal.tell(JobSucceeded("j"))
    done = [
        "  done   Load Checkpoint (1) · canvas (6) · LoRA: style (2) · LoRA: detail (3)",
        "  done   negative (5) · positive (4)",
    ]

    assert ["  send   handing the graph to the emulator  0:02"] == screens[0]
    assert ["  queue  queued  0:02"] == screens[1]
    assert ["  queue  queued, 3 before it  0:02"] == screens[2]
    assert [
        *done,
        "  4/26   base pass (7)        ███                   0:01",
        "  wait   4 more",
        "  9 %    █▊                    0:01, about 0:16 left",
    ] == screens[3]
    assert [
        *done,
        "  16/26  base pass (7)        ████████████▎         0:04",
        "  wait   4 more",
        "  20 %   ████                  0:04, about 0:18 left",
    ] == screens[4]
    assert [
        *done,
        "  done   base pass (7)        26 steps, 0:06",
        "  run    upscale (8)                                0:00",
        "  wait   3 more",
        "  29 %   █████▊                0:06, about 0:16 left",
    ] == screens[5]
    assert [
        *done,
        "  done   base pass (7)        26 steps, 0:06",
        "  done   upscale (8)",
        "  done   second pass (9)      30 steps, 0:05",
        "  done   VAE Decode (10) · Save Image (11)",
        "  100 %  ████████████████████  0:13",
    ] == terminal.look()
    assert terminal.screen.cursor_shown


@pytest.mark.parametrize("width", [20, 33, 46, 60, 79, 200])
def test_any_width(width: int) -> None:
    """
    However narrow the terminal, no line of the block is wider, and the figures stay.
    """
    terminal = Terminal(width)
    with terminal.reporter:
        screen = terminal.tell(*LOADERS, NodeStarted("7"), 1.0, NodeProgress("7", 16, 26))

    assert all(len(line) <= width for line in screen)
    assert "  16/26" == screen[-3][:7]
    assert "  20 %" == screen[-1][:6]


def test_made_narrower() -> None:
    """
    When the window is made narrower, the lines of the block that wrapped are cleared as well.
    """
    terminal = Terminal(80)
    with terminal.reporter:
        terminal.tell(JobStarted("j"), NodeStarted("7"), 1.0, NodeProgress("7", 16, 26), 2.0)
        terminal.screen.narrow(36)
        terminal.console.width = 36
        screen = terminal.draw()

    assert [
        "  16/26  base pass (7)        0:03",
        "  wait   4 more",
        "  20 %   0:03, about 0:12 left",
    ] == screen[-3:]
    assert 3 == len(screen)


def test_many_nodes_in_no_time() -> None:
    """
    A crowd of quick nodes takes a few lines, the rest is counted.
    """
    terminal = Terminal(40)
    with terminal.reporter:
        terminal.tell(*LOADERS, NodeCached("8"), NodeStarted("9"), 1.0, NodeProgress("9", 1, 30))
        screen = terminal.look()

    assert [
        "  done   Load Checkpoint (1)",
        "  done   canvas (6) · LoRA: style (2)",
        "  done   LoRA: detail (3) · 2 more",
        "  cached upscale (8)",
        "  1/30   second pass (9)      0:01",
    ] == screen[:5]


def test_failure_and_notices() -> None:
    """
    What went wrong stays on the screen, whole, above the block.
    """
    terminal = Terminal(60)
    with terminal.reporter:
        terminal.tell(
            JobStarted("j"),
            NodeStarted("7"),
            Notice("the service is busy (HTTP 503), trying again in 2 s"),
            NodeFailed("7", "out of memory: \x1b[31m" + "x" * 60),
            JobFailed("j", "out of memory", "7"),
        )
    screen = terminal.look()

    assert [
        "  note   the service is busy (HTTP 503), trying again in 2 s",
        "  failed base pass (7): out of memory:",
        "·[31m" + "x" * 55,
        "x" * 5,
    ] == screen


def test_cancelling() -> None:
    """
    While the service is asked to cancel, the block says so, before and after the start.
    """
    terminal = Terminal()
    with terminal.reporter:
        terminal.reporter.cancelling = True
        before = terminal.draw()
        after = terminal.tell(JobStarted("j"), NodeStarted("1"))

    assert ["  cancel handing the graph to the emulator  0:00"] == before
    assert "  0 %    " + " " * 22 + "0:00, asking the service to cancel" == after[-1]


def test_plain_terminals() -> None:
    """
    Terminals without Unicode get bars of ASCII, those without colour no colours.
    """
    terminal = Terminal(encoding="ascii")
    with terminal.reporter:
        screen = terminal.tell(*LOADERS, NodeStarted("7"), 1.0, NodeProgress("7", 13, 26))

    assert "  done   negative (5), positive (4)" == screen[1]
    assert "  13/26  base pass (7)        ##########            0:01" == screen[2]


def test_colours() -> None:
    """
    Colours come only where they are wanted.
    """
    texts = []
    for color in (True, False):
        terminal = Terminal(color=color)
        with terminal.reporter:
            terminal.reporter.event(JobStarted("j"))
            terminal.reporter.event(NodeStarted("1"))
        terminal.file.flush()
        raw = terminal.file.buffer
        assert isinstance(raw, io.BytesIO)
        texts.append("\x1b[36m" in raw.getvalue().decode())

    assert [True, False] == texts
