"""
What happens to a batch, in one vocabulary.

`BatchEvent` is a closed union: match over it and end with `assert_never`.
The JSON form of an event is `{"type": <class name>, ...fields}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from comfygraph.core.values import JsonValue
from comfygraph.targets.events import Event, event_to_json


@dataclass(frozen=True, slots=True)
class BatchStarted:
    """
    The batch begins, or goes on: `jobs` variants in all, of which `done` are over already.
    """

    batch: str
    jobs: int
    done: int = 0


@dataclass(frozen=True, slots=True)
class VariantSent:
    """
    A variant is on its way to the service; `attempt` counts from 1.
    """

    index: int
    parameters: Mapping[str, JsonValue]
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class VariantEvent:
    """
    Something happened to the job of a variant.
    """

    index: int
    event: Event


@dataclass(frozen=True, slots=True)
class VariantRetried:
    """
    The job of a variant failed in a way that may pass; another one is made in `wait` seconds.
    """

    index: int
    message: str
    attempt: int
    wait: float


@dataclass(frozen=True, slots=True)
class VariantEnded:
    """
    A variant is over.

    `state` is `succeeded`, `failed`, `cancelled`, `refused`, `uncertain` or `abandoned`; `files`
    are paths where files are saved, else addresses; `label` is the graph that it was made of.
    """

    index: int
    state: str
    parameters: Mapping[str, JsonValue]
    job: str = ""
    files: tuple[str, ...] = ()
    cost: float | None = None
    message: str = ""
    attempts: int = 1
    label: str = ""


@dataclass(frozen=True, slots=True)
class BatchNotice:
    """
    Something that a person should know and that is no end.
    """

    message: str


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """
    How far the batch is.

    Args:
        fraction: The overall figure, 0 to 1; never goes back.
        remaining: Estimated seconds to the end, or `None` where nobody knows.
        waiting: Variants that were not sent yet.
        queued: Jobs that wait at the service.
        running: Jobs that the service works on.
        succeeded: Variants that ended well.
        failed: Variants that ended otherwise.
        cost: What the batch has cost so far in the service's own unit; `None` where unknown.
    """

    fraction: float
    remaining: float | None
    waiting: int
    queued: int
    running: int
    succeeded: int
    failed: int
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class BatchEnded:
    """
    The batch is left: `left` variants are not over, since it was interrupted or the money is spent.
    """

    batch: str
    succeeded: int
    failed: int
    left: int = 0
    cost: float | None = None
    reason: str = ""


BatchEvent: TypeAlias = (
    BatchStarted
    | VariantSent
    | VariantEvent
    | VariantRetried
    | VariantEnded
    | BatchNotice
    | BatchProgress
    | BatchEnded
)

BATCH_EVENT_TYPES: tuple[type[BatchEvent], ...] = (
    BatchStarted,
    VariantSent,
    VariantEvent,
    VariantRetried,
    VariantEnded,
    BatchNotice,
    BatchProgress,
    BatchEnded,
)


def batch_event_to_json(event: BatchEvent) -> dict[str, Any]:
    """
    Give the JSON form of an event, `{"type": "VariantEnded", "index": 3, ...}`.
    """
    out: dict[str, Any] = {"type": type(event).__name__}
    for spec in fields(event):
        value = getattr(event, spec.name)
        if isinstance(event, VariantEvent) and spec.name == "event":
            value = event_to_json(event.event)
        elif isinstance(value, Mapping):
            value = dict(value)
        elif isinstance(value, tuple):
            value = list(value)
        out[spec.name] = value
    return out
