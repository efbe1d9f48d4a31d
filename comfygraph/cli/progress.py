"""
Showing how a job goes on: a block that redraws in a terminal, plain lines or JSON elsewhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TextIO, TypeVar

from comfygraph.core.values import Node
from comfygraph.errors import clean as clean
from comfygraph.targets.events import (
    Event,
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

if TYPE_CHECKING:
    from comfygraph.jobs.progress import Progress

E = TypeVar("E")

_PAUSE = 1.0
"""Seconds between two plain lines about the steps of one node."""


class Reporter(Protocol):
    """
    Shows the events of one job. Used as a context manager around all of them.
    """

    cancelling: bool
    """Set, perhaps by a signal handler, when the person wants the job cancelled."""

    def event(self, event: Event) -> None:
        """
        Show an event.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def label_of(nodes: Mapping[str, Node], node_id: str) -> str:
    """
    Give what a person calls a node: `base pass (3)`.
    """
    node = nodes.get(node_id)
    return clean(f"{node.title} ({node_id})" if node is not None else f"node {node_id}")


def clock_text(seconds: float) -> str:
    """
    Give a span as `0:07`, `12:34` or `1:02:03`.
    """
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def steps_text(value: float, maximum: float) -> str:
    """
    Give the place of a node: `17/26` for steps, `45 %` for a share; `""` where nothing is known.
    """
    if maximum <= 0:
        return ""
    if maximum <= 1 or value != int(value) or maximum != int(maximum):
        return f"{int(100 * value / maximum)} %"
    return f"{int(value)}/{int(maximum)}"


class Quiet:
    """
    What a reporter does that has nothing to open, to close or to keep apart.
    """

    cancelling = False

    def result(self, line: str, stdout: TextIO) -> None:
        """
        Print a line of results.
        """
        print(line, file=stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return


class JsonReporter(Quiet, Generic[E]):
    """
    One JSON object a line, each as soon as it is there.

    Args:
        stream: Where the lines go.
        to_json: Gives the JSON form of an event.
    """

    def __init__(self, stream: TextIO, to_json: Callable[[E], dict[str, Any]]) -> None:
        self._stream = stream
        self._to_json = to_json

    def event(self, event: E) -> None:
        """
        Print an event.
        """
        self._stream.write(json.dumps(self._to_json(event)) + "\n")
        self._stream.flush()


class PlainReporter(Quiet):
    """
    One line a change, with the overall figure first.

    Args:
        nodes: The graph.
        progress: Follows the job; is fed here.
        stream: Where the lines go.
        clock: Seconds, never going back.
    """

    def __init__(
        self,
        nodes: Mapping[str, Node],
        progress: Progress,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._nodes = nodes
        self._progress = progress
        self._stream = stream
        self._clock = clock
        self._told: dict[str, float] = {}

    def event(self, event: Event) -> None:
        """
        Print an event, where it says something new.
        """
        self._progress.feed(event)
        match event:
            case JobQueued(position=position):
                self._line("queued" if position is None else f"queued, {position} before it")
            case JobStarted():
                self._line("started")
            case NodeStarted(node_id=node_id):
                self._told[node_id] = self._clock()
                self._line("run", node_id)
            case NodeProgress(node_id=node_id, value=value, max=maximum):
                if self._clock() - self._told.get(node_id, 0.0) >= _PAUSE:
                    self._told[node_id] = self._clock()
                    self._line(steps_text(value, maximum), node_id)
            case NodeFinished(node_id=node_id):
                self._line("done", node_id)
            case NodeCached(node_id=node_id):
                self._line("cached", node_id)
            case NodeFailed(node_id=node_id, message=message):
                self._line("failed", node_id, f": {clean(message)}")
            case JobSucceeded():
                self._line("succeeded")
            case Notice(message=message, node_id=node_id):
                self._line("note", node_id, f"{': ' if node_id else ''}{clean(message)}")
            case _:
                return

    def _line(self, word: str, node_id: str | None = None, tail: str = "") -> None:
        label = label_of(self._nodes, node_id) if node_id is not None else ""
        rest = f"{word:<6} {label}{tail}" if label or tail else word
        self._stream.write(f"{int(100 * self._progress.fraction):>3} %  {rest}\n")
        self._stream.flush()
