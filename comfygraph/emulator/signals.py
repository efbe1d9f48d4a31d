"""
What the engine tells while a job runs: a closed union, in the order of a real ComfyUI.

Each service turns them into its own messages or states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from comfygraph.core.values import JsonValue


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """The number of jobs in the queue changed, or one of them left it to run."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The worker took the job; `cached` nodes have their results already."""

    cached: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeRunning:
    """A node runs, or runs on after an input that it asked for late."""

    node_id: str


@dataclass(frozen=True, slots=True)
class NodeStepped:
    """A node made one step; its `value` and `max` are in the job's `NodeRun`."""

    node_id: str


@dataclass(frozen=True, slots=True)
class NodeSaid:
    """A node shows a line of text while it runs."""

    node_id: str
    text: str


@dataclass(frozen=True, slots=True)
class NodeShowed:
    """An output node has something to show (`ui`), maybe from the cache."""

    node_id: str
    ui: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class NodeEnded:
    """A node is done."""

    node_id: str


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run ended at a node; the job's `error` says how."""


@dataclass(frozen=True, slots=True)
class RunInterrupted:
    """The run was stopped at a node."""

    node_id: str


@dataclass(frozen=True, slots=True)
class RunSucceeded:
    """All output nodes are done."""


@dataclass(frozen=True, slots=True)
class JobEnded:
    """The job is in the history, and the worker is free."""


Signal: TypeAlias = (
    QueueChanged
    | RunStarted
    | NodeRunning
    | NodeStepped
    | NodeSaid
    | NodeShowed
    | NodeEnded
    | RunFailed
    | RunInterrupted
    | RunSucceeded
    | JobEnded
)
