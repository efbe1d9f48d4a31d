"""
A job of the emulator, as the engine moves it along and the services read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from comfygraph.core.values import JsonValue
from comfygraph.emulator.facts import UNKNOWN_FRAME, Frame
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.schedule import Nodes
from comfygraph.emulator.store import StoredFile

JobState = Literal["pending", "running", "succeeded", "failed", "interrupted"]
ENDED: frozenset[JobState] = frozenset({"succeeded", "failed", "interrupted"})


@dataclass(slots=True)
class NodeRun:
    """
    How far one node is.

    Args:
        node_id: The node.
        value: Steps done; float as long as the node has not said how many there are.
        max: Steps to do.
        finished: Whether it is done.
        frame: The pictures that it works on, for previews.
    """

    node_id: str
    value: float = 0.0
    max: float = 1.0
    finished: bool = False
    frame: Frame = UNKNOWN_FRAME


@dataclass(frozen=True, slots=True)
class Result:
    """
    What a node gave, kept for the next run of the same graph.
    """

    ui: Mapping[str, JsonValue] | None = None
    files: tuple[StoredFile, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeFailure:
    """
    How a node failed, in ComfyUI's words.
    """

    node_id: str
    node_type: str
    exception_type: str
    message: str
    traceback: tuple[str, ...] = ()
    current_inputs: JsonValue = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """
    One run of a prompt.

    Args:
        id: The service's id of it.
        number: Its place in the queue: lower runs first.
        nodes: The prompt as JSON, checked.
        outputs: The output nodes that run.
        extra: The `extra_data` of the prompt.
        faults: The knobs of the request that made it.
        prelude: Phases before the nodes run, each with its number of ticks.
        metadata: What its files carry, `prompt` first.
        salt: Goes into the keys of the cache.
        created: Seconds since 1970.
    """

    id: str
    number: float
    nodes: Nodes
    outputs: list[str]
    extra: Mapping[str, JsonValue] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    prelude: tuple[tuple[str, int], ...] = ()
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)
    salt: str = ""
    created: float

    state: JobState = "pending"
    phase: str = ""
    phase_share: float = 0.0
    stopping: bool = False
    started: float | None = None
    ended: float | None = None
    cached: tuple[str, ...] = ()
    runs: dict[str, NodeRun] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)
    current: str | None = None
    shown: dict[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    files: dict[str, tuple[StoredFile, ...]] = field(default_factory=dict)
    failure: NodeFailure | None = None
    steps_done: int = 0
    steps_all: int = 1
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        return 1.0 if self.state == "succeeded" else min(1.0, self.steps_done / self.steps_all)

    def title(self, node_id: str) -> str:
        """
        Give the title of a node, else its class.
        """
        node = self.nodes.get(node_id, {})
        meta = node.get("_meta")
        title = meta.get("title") if isinstance(meta, Mapping) else None
        return title if isinstance(title, str) and title else self.class_of(node_id)

    def class_of(self, node_id: str) -> str:
        """
        Give the class of a node.
        """
        return str(self.nodes.get(node_id, {}).get("class_type", ""))

    def all_files(self) -> list[StoredFile]:
        """
        Give every file that the job wrote, in the order of writing.
        """
        return [file for files in self.files.values() for file in files]
