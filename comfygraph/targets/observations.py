"""
What one answer or one frame of a service claims about a job.

Services repeat themselves, leave things out, contradict themselves and send their news in any
order. A reader reports claims as they come; `comfygraph.targets.tracker` makes events of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TypeAlias

from comfygraph.targets.events import OutputFile


class JobPhase(IntEnum):
    """
    How far a job is that has not ended; only ever grows.
    """

    QUEUED = 1
    STARTED = 2


class Outcome(Enum):
    """
    How a job ended.
    """

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class NodeState(IntEnum):
    """
    How far a node is; only ever grows. The last three are ends: the first of them stays.
    """

    PENDING = 0
    QUEUED = 1
    STARTED = 2
    FINISHED = 4
    CACHED = 5
    FAILED = 6


@dataclass(frozen=True, slots=True)
class JobSeen:
    """
    The job is queued (`position` counts from 0, next to run) or runs.
    """

    phase: JobPhase
    position: int | None = None


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """
    A node is in a state; on `STARTED` it may be at `value` of `max`.

    `message` and `exception_type` go with `FAILED`.
    """

    node_id: str
    state: NodeState
    value: float | None = None
    max: float | None = None
    message: str | None = None
    exception_type: str | None = None


@dataclass(frozen=True, slots=True)
class FileSeen:
    """
    A file is there to be fetched. `file.node_id` says whose it is, where the service tells.
    """

    file: OutputFile


@dataclass(frozen=True, slots=True)
class ProgressSeen:
    """
    The job as a whole is at `fraction`, 0 to 1; `estimated` where it is a guess from the clock.
    """

    fraction: float
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class CostSeen:
    """
    What the job costs, in the service's own unit.
    """

    amount: float


@dataclass(frozen=True, slots=True)
class PreviewSeen:
    """
    A picture of a node at work. `node_id` is `None` where the frame does not say whose it is.
    """

    node_id: str | None
    image: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class NoticeSeen:
    """
    Something that a person should know and that is no end: a part of the graph that was left out,
    a blocked node, a withheld file.
    """

    message: str
    node_id: str | None = None


@dataclass(frozen=True, slots=True)
class JobEnded:
    """
    The job is over. `transient` says that another try may work.
    """

    outcome: Outcome
    message: str = ""
    node_id: str | None = None
    transient: bool = False


@dataclass(frozen=True, slots=True)
class PollNow:
    """
    The stream says that the job is over or has news: ask at once, the answer decides.
    """


Observation: TypeAlias = (
    JobSeen
    | NodeSeen
    | FileSeen
    | ProgressSeen
    | CostSeen
    | PreviewSeen
    | NoticeSeen
    | JobEnded
    | PollNow
)
