"""
Workflows and their steps, as the emulated service holds them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import Echo
from comfygraph.emulator.civitai.trace import Trace
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.store import StoredFile

Status = Literal[
    "unassigned",
    "preparing",
    "scheduled",
    "processing",
    "succeeded",
    "failed",
    "expired",
    "canceled",
]
TERMINAL: frozenset[Status] = frozenset({"succeeded", "failed", "expired", "canceled"})


@dataclass(slots=True)
class Blob:
    """
    A file of a workflow, or an uploaded one.

    Args:
        id: 26 letters and digits, and the extension.
        file: The file, once it is there.
        job_id: The job that made it.
    """

    id: str
    file: StoredFile | None = None
    job_id: str | None = None


@dataclass(slots=True)
class StepJob:
    """
    One run of a step's graph. `job.id` is the worker's own, which nobody else uses.
    """

    id: str
    job: Job
    blobs: list[Blob] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Step:
    """
    Args:
        type: `comfy`, `customComfy`, `comfyNodepackSnapshot` or `echo`.
        name: Its name, else its index.
        input: As sent.
        seconds: The timeout.
        timeout: The timeout as sent.
        cold: Resources that were never used before, which are fetched first.
    """

    type: str
    name: str
    input: dict[str, JsonValue]
    seconds: float
    timeout: str | None = None
    priority: str = "normal"
    retries: int | None = None
    metadata: dict[str, JsonValue] = field(default_factory=dict)
    cold: list[str] = field(default_factory=list)

    status: Status = "unassigned"
    started: float | None = None
    completed: float | None = None
    fetched: float = 0.0
    error: str | None = None
    reason: str | None = None
    jobs: list[StepJob] = field(default_factory=list)
    output: dict[str, JsonValue] | None = None
    trace: Trace | None = None
    trace_polls: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Workflow:
    """
    Args:
        id: `{user}-{yyyyMMddHHmmssfff}`.
        created: Seconds since 1970.
        steps: In order.
        template: The body that made it.
        cost: Buzz.
        faults: The knobs of the request that made it.
        estimate: It was only asked what it would cost.
    """

    id: str
    created: float
    steps: list[Step]
    template: dict[str, JsonValue]
    tags: list[str]
    metadata: dict[str, JsonValue]
    cost: int
    faults: Faults
    estimate: bool = False

    status: Status = "unassigned"
    started: float | None = None
    completed: float | None = None
    canceling: bool = False
    refunded: int = 0
    allow_mature: bool | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    echo: Echo = field(default_factory=Echo)

    @property
    def is_custom(self) -> bool:
        """Whether a step of it is paid by the second."""
        return any(step.type == "customComfy" for step in self.steps)

    def touch(self) -> None:
        """
        Wake those who wait for a change.
        """
        self.changed.set()
        self.changed = asyncio.Event()

    def roll_up(self, now: float) -> None:
        """
        Work out the status of the workflow from those of its steps, and wake who waits.
        """
        states: list[Status] = [step.status for step in self.steps]
        if all(state in TERMINAL for state in states):
            bad: list[Status] = [state for state in states if state != "succeeded"]
            self.status = bad[0] if bad else "succeeded"
            self.completed = now
        else:
            going: list[Status] = [state for state in states if state not in TERMINAL]
            self.status = going[0]
            if self.status == "unassigned" and any(state in TERMINAL for state in states):
                self.status = "processing"
        starts = [step.started for step in self.steps if step.started is not None]
        self.started = min(starts, default=None)
        self.touch()


def iso(moment: float | None) -> str | None:
    """
    Give a moment as ISO 8601 in UTC with milliseconds, `2026-10-02T10:15:30.123Z`.
    """
    if moment is None:
        return None
    at = datetime.fromtimestamp(moment, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
