"""
Jobs with both drivers, and what holds for the story of every job, whatever happens.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from comfygraph.emulator import Received
from comfygraph.errors import ComfyGraphError
from comfygraph.jobs.async_driver import AsyncJob
from comfygraph.jobs.files import open_folder
from comfygraph.jobs.limits import RateLimits
from comfygraph.jobs.local_files import Sources
from comfygraph.jobs.plan import Plan, make_submission
from comfygraph.jobs.settings import Settings
from comfygraph.jobs.sync_driver import Job
from comfygraph.jobs.upload_cache import UploadCache
from comfygraph.targets.base import JobRef, Policy, Target
from comfygraph.targets.events import (
    Event,
    JobEnd,
    JobFailed,
    JobProgress,
    JobQueued,
    JobStarted,
    JobSucceeded,
    NodeCached,
    NodeFailed,
    NodeFinished,
    NodeProgress,
    NodeStarted,
    Notice,
    OutputReady,
)

OnEvent = Callable[[Any, Event], None]


class Driver(Protocol):
    """
    Runs a job to its end.
    """

    def __call__(
        self,
        plan: Plan,
        *,
        before: Callable[[Any], None] | None = None,
        on_event: OnEvent | None = None,
    ) -> tuple[list[Event], JobRef | None, ComfyGraphError | None]:
        """
        Run a plan; give its events, its reference and the error that ended it, if one did.
        """
        ...


def run_sync(
    plan: Plan,
    *,
    before: Callable[[Any], None] | None = None,
    on_event: OnEvent | None = None,
) -> tuple[list[Event], JobRef | None, ComfyGraphError | None]:
    """
    Run a plan with the driver for ordinary code.
    """
    events: list[Event] = []
    with Job(plan) as job:
        try:
            if before is not None:
                before(job)
            for event in job.start():
                events.append(event)
                if on_event is not None:
                    on_event(job, event)
        except ComfyGraphError as exc:
            return events, job.ref, exc
        return events, job.ref, None


def run_async(
    plan: Plan,
    *,
    before: Callable[[Any], None] | None = None,
    on_event: OnEvent | None = None,
) -> tuple[list[Event], JobRef | None, ComfyGraphError | None]:
    """
    Run a plan with the driver for asyncio.
    """
    events: list[Event] = []

    async def main() -> tuple[JobRef | None, ComfyGraphError | None]:
        async with AsyncJob(plan) as job:
            try:
                if before is not None:
                    before(job)
                await job.start()
                async for event in job:
                    events.append(event)
                    if on_event is not None:
                        on_event(job, event)
            except ComfyGraphError as exc:
                return job.ref, exc
            return job.ref, None

    ref, error = asyncio.run(main())
    return events, ref, error


DRIVERS: dict[str, Driver] = {"sync": run_sync, "async": run_async}


def quick(policy: Policy, **changes: Any) -> Policy:
    """
    Give the target's own policy with short pauses.
    """
    return replace(
        policy,
        **{
            "poll_intervals": (0.01, 0.02, 0.05),
            "stream_poll_interval": 0.2,
            "requests_per_second": None,
            "backoff_base": 0.005,
            "backoff_cap": 0.02,
            "connect_timeout": 5.0,
            "deadline": 30.0,
            **changes,
        },
    )


def plan_of(
    target: Target,
    job: Any,
    *,
    out: Path | None,
    options: dict[str, Any] | None = None,
    partial_targets: tuple[str, ...] = (),
    key: str | None = None,
    deadline: float | None = None,
    policy: Policy | None = None,
    settings: Settings | None = None,
    sources: Path | None = None,
) -> Plan:
    """
    Give the plan for a graph, or for the reference of a job.
    """
    if not isinstance(job, JobRef):
        job = make_submission(job, key=key, options=options, partial_targets=partial_targets)
    return Plan(
        target,
        job,
        folder=None if out is None else open_folder(out),
        policy=policy or quick(target.policy),
        deadline=deadline,
        settings=settings or calm(),
        sources=Sources(() if sources is None else (sources,)),
    )


def calm(**changes: Any) -> Settings:
    """
    Give settings that share nothing with other jobs.
    """
    return Settings(
        **{
            "limits": RateLimits(),
            "uploads": UploadCache(),
            "chance": lambda: 0.5,
            **changes,
        }
    )


@dataclass
class Outcome:
    """
    What came of a job.

    Args:
        events: What was told.
        ref: The reference of the job.
        error: What ended it, if it was no event.
        requests: What arrived at the emulator, with its purpose.
        jobs: How many jobs were made there.
        out: The folder for its files.
        elsewhere: What arrived at another host.
        first: The reference of the first of two submits.
        other: How the job of another ended.
        unstruck: The knobs that have had nothing to spoil.
    """

    events: list[Event]
    ref: JobRef | None
    error: ComfyGraphError | None
    requests: list[tuple[str, Received]]
    jobs: int
    out: Path
    elsewhere: list[Any] = field(default_factory=list)
    first: JobRef | None = None
    other: str = ""
    unstruck: list[str] = field(default_factory=list)

    @property
    def end(self) -> str:
        """
        The kind of the end: `succeeded`, `failed`, `cancelled`, or the name of the error.
        """
        if self.error is not None:
            return type(self.error).__name__
        last = self.events[-1] if self.events else None
        return type(last).__name__.removeprefix("Job").lower()

    @property
    def said(self) -> str:
        """
        All notices, and the message of the end.
        """
        words = [event.message for event in self.events if isinstance(event, Notice | JobFailed)]
        return "\n".join([*words, *([f"{self.error}"] if self.error is not None else [])])

    @property
    def files(self) -> list[Path]:
        """
        The files in the folder, sorted.
        """
        return sorted(path for path in self.out.rglob("*") if path.is_file())

    def sent(self, purpose: str) -> list[Received]:
        """
        The requests of one purpose.
        """
        return [request for what, request in self.requests if what == purpose]


def broken_laws(events: list[Event], out: Path) -> list[str]:
    """
    Say what about a story is not as every story is.
    """
    broken: list[str] = []

    def hold(law: str, holds: bool) -> None:
        if not holds:
            broken.append(law)

    ends = [event for event in events if isinstance(event, JobEnd)]
    hold("there is one end at most, and it comes last", ends in ([], events[-1:]))
    kinds = Counter(type(event) for event in events)
    hold("a job starts once", kinds[JobStarted] <= 1)
    positions = [event.position for event in events if isinstance(event, JobQueued)]
    known = [position for position in positions if position is not None]
    hold("a job only moves up in its queue", known == sorted(set(known), reverse=True))
    started = next((i for i, event in enumerate(events) if isinstance(event, JobStarted)), None)
    nodes = [
        i
        for i, event in enumerate(events)
        if isinstance(event, NodeStarted | NodeProgress | NodeFinished | NodeCached)
    ]
    hold("nodes run in a job that runs", not nodes or (started is not None and started < nodes[0]))
    queued = [i for i, event in enumerate(events) if isinstance(event, JobQueued)]
    hold("no job that runs is queued", started is None or all(i < started for i in queued))
    shares = [event.fraction for event in events if isinstance(event, JobProgress)]
    hold(
        "progress of the job grows, up to 1",
        shares == sorted(set(shares)) and max([0, *shares]) <= 1,
    )
    for node_id in {
        event.node_id for event in events if isinstance(event, NodeStarted | NodeFinished)
    }:
        own = [event for event in events if getattr(event, "node_id", None) == node_id]
        own = [it for it in own if not isinstance(it, Notice | JobFailed)]
        over = [it for it in own if isinstance(it, NodeFinished | NodeCached | NodeFailed)]
        hold(f"node {node_id} ends once, and last", over in ([], own[-1:]))
        steps = [it.value / it.max for it in own if isinstance(it, NodeProgress)]
        hold(f"progress of node {node_id} grows", steps == sorted(set(steps)))
    ready = [event.file for event in events if isinstance(event, OutputReady)]
    told = [file.id or file.url for file in ready]
    hold("a file is told once", len(told) == len(set(told)))
    paths = [Path(file.path) for file in ready if file.path is not None]
    hold("files are in their folder", all(path.parent == out and path.is_file() for path in paths))
    hold("no file is written twice", len(paths) == len(set(paths)))
    if ends and isinstance(ends[0], JobSucceeded):
        hold(
            "the end names the files that were told",
            {file.path for file in ends[0].files if not file.preview or file.path}
            == {file.path for file in ready if not file.preview or file.path},
        )
    return broken
