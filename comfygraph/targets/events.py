"""
What happens to a job, in one vocabulary for every service.

`Event` is a closed union: match over it and end with `assert_never`.
The JSON form of an event is `{"type": <class name>, ...fields}`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class OutputFile:
    """
    One file that a job made.

    Args:
        url: Where it can be fetched; may expire. May be relative to the service's base URL.
        name: The name that the service gives it; never trusted as a path.
        node_id: The node that made it, where the service says so.
        kind: `"image"`, `"video"`, `"audio"`, `"model3d"` or `"file"`.
        width: Pixels, where the service says so.
        height: Pixels, where the service says so.
        preview: Made by a node that only shows, such as `PreviewImage`.
        id: The service's own id of the file; two entries with the same id are one file.
        path: Where it was saved, once it was.
    """

    url: str
    name: str
    node_id: str | None = None
    kind: str = "image"
    width: int | None = None
    height: int | None = None
    preview: bool = False
    id: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class JobQueued:
    """The service has the job; `position` counts from 0 (next to run), where it tells."""

    job_id: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class JobStarted:
    """The service works on the job."""

    job_id: str


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node runs."""

    node_id: str


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """
    A node is at `value` of `max` (steps on ComfyUI, 0 to 1 where a service gives a share).
    """

    node_id: str
    value: float
    max: float


@dataclass(frozen=True, slots=True)
class NodeCached:
    """A node's result was still there; it does not run."""

    node_id: str


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node is done; `outputs` are the files that it made."""

    node_id: str
    outputs: tuple[OutputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """A node ended badly; `message` is the service's own, shortened."""

    node_id: str
    message: str
    exception_type: str | None = None


@dataclass(frozen=True, slots=True)
class NodePreview:
    """
    A picture of a node at work; only where previews were asked for. JSON: `image` in base64.
    """

    node_id: str | None
    image: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Notice:
    """
    Something that a person should know and that is no end: a part of the graph that the service
    left out, a blocked node, a withheld file.
    """

    message: str
    node_id: str | None = None


@dataclass(frozen=True, slots=True)
class JobProgress:
    """
    The whole job is at `fraction` (0 to 1); `estimated` where the service says nothing about it.
    """

    fraction: float
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class OutputReady:
    """A file can be fetched (or was: `file.path`)."""

    file: OutputFile


@dataclass(frozen=True, slots=True)
class JobSucceeded:
    """The end: all went well. `cost` is in the service's own unit."""

    job_id: str
    files: tuple[OutputFile, ...] = ()
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class JobFailed:
    """
    The end: it did not work. `transient` says that another try may work.
    """

    job_id: str
    message: str
    node_id: str | None = None
    transient: bool = False
    files: tuple[OutputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """The end: someone cancelled it."""

    job_id: str
    files: tuple[OutputFile, ...] = ()


JobEnd: TypeAlias = JobSucceeded | JobFailed | JobCancelled
Event: TypeAlias = (
    JobQueued
    | JobStarted
    | NodeStarted
    | NodeProgress
    | NodeCached
    | NodeFinished
    | NodeFailed
    | NodePreview
    | Notice
    | JobProgress
    | OutputReady
    | JobEnd
)

EVENT_TYPES: tuple[type[Event], ...] = (
    JobQueued,
    JobStarted,
    NodeStarted,
    NodeProgress,
    NodeCached,
    NodeFinished,
    NodeFailed,
    NodePreview,
    Notice,
    JobProgress,
    OutputReady,
    JobSucceeded,
    JobFailed,
    JobCancelled,
)


def event_to_json(event: Event) -> dict[str, Any]:
    """
    Give the JSON form of an event, `{"type": "NodeProgress", "node_id": "3", ...}`.
    """
    out: dict[str, Any] = {"type": type(event).__name__}
    for spec in fields(event):
        out[spec.name] = _plain(getattr(event, spec.name))
    return out


def _plain(value: Any) -> Any:
    match value:
        case OutputFile():
            return {spec.name: getattr(value, spec.name) for spec in fields(value)}
        case bytes():
            return base64.b64encode(value).decode()
        case tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return value
