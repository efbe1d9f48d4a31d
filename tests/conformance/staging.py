"""
How a situation is brought about: the knobs, what a person does meanwhile, and what came of it.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from driving import Driver, OnEvent, Outcome, calm, plan_of, quick
from graphs import GRAPHS
from jobs_servers import Loopback, free_port
from PIL import Image
from services import APP_ID, PLAIN, TOKEN, Service
from situations import Situation

from comfygraph.emulator import Emulator, Faults
from comfygraph.jobs.plan import Plan
from comfygraph.jobs.sync_driver import Job
from comfygraph.targets.base import JobRef
from comfygraph.targets.events import Event, JobQueued, JobStarted, OutputReady

KEY = "0b5a5d0e-4a7c-4b1f-9d65-{:012x}"
COUNTING = frozenset(
    {
        "too_many", "errors", "pages", "drops", "lost_answers", "late_errors", "cut_answers",
        "redirects", "garbage", "odd_states", "expired_urls", "empty_history", "restarts",
    }
)  # fmt: skip
"""The knobs that strike so many times."""


class Stage:
    """
    One situation with one service and one driver.

    Args:
        situation: What happens.
        service: To whom.
        run: The driver.
        emulator: The service's stand-in.
        folder: Where files go.
        other: Another host.
    """

    def __init__(
        self,
        situation: Situation,
        service: Service,
        run: Driver,
        emulator: Emulator,
        folder: Path,
        other: Loopback,
    ) -> None:
        self.situation = situation
        self.service = service
        self.emulator = emulator
        self.folder = folder
        self._run = run
        self._other = other
        self.color = zlib.crc32(str(folder).encode()) % 0xFFFFFF
        self.before: Callable[[Any], None] | None = None
        self.on_event: OnEvent | None = None
        self.again = False
        self.other: JobRef | None = None

    def play(self) -> Outcome:
        """
        Let it happen; give what came of it.
        """
        known = self.emulator.received()
        seen = {id(request) for request in known}
        jobs = sum(self.emulator.stats().submits.values())
        asked = len(self._other.seen)
        self.emulator.speed = self.situation.speed
        self.emulator.faults = self._faults()
        plan = ACTS[self.situation.act](self, self.plan())
        events, ref, error = self._run(plan, before=self.before, on_event=self.on_event)
        first = ref
        if self.again and error is None:
            more, ref, error = self._run(plan)
            events = more if error is None else events
        requests = [
            (self.service.purpose(request), request)
            for request in self.emulator.received()
            if id(request) not in seen
        ]
        outcome = Outcome(
            events,
            ref,
            error,
            requests,
            sum(self.emulator.stats().submits.values()) - jobs,
            self.folder,
            self._other.seen[asked:],
        )
        outcome.first = first
        outcome.unstruck = self._unstruck()
        if self.other is not None:
            self.emulator.speed = 0
            with Job(self.plan(self.other, out=None)) as job:
                outcome.other = type(job.result()).__name__
        return outcome

    def _unstruck(self) -> list[str]:
        """
        Give the knobs that were to strike so many times, and have not struck at all.
        """
        faults, counts = self._faults(), self.emulator._host.counts
        return [
            name
            for name in self.situation.faults
            if name in COUNTING and not counts.struck(faults, name)
        ]

    def plan(self, job: Any = None, **changes: Any) -> Plan:
        """
        Give the plan of the situation, for its graph or another job.
        """
        situation = self.situation
        target = self.service.make(self._address(), **self._settings())
        clock = situation.clock
        return plan_of(
            target,
            job if job is not None else GRAPHS[situation.graph](self.color),
            **{
                "out": self.folder,
                "options": dict(self.service.options),
                "deadline": situation.deadline,
                "key": KEY.format(self.color),
                "policy": quick(target.policy, **situation.policy),
                "settings": calm(
                    patience=situation.patience, clock=lambda: time.monotonic() * clock
                ),
                **changes,
            },
        )

    def _address(self) -> str:
        if self.situation.settings.get("place") == "nowhere":
            return f"http://127.0.0.1:{free_port()}"
        return self.emulator.url()

    def _settings(self) -> dict[str, str]:
        if self.situation.settings.get("credentials") != "bad":
            return {}
        return {
            name: value.replace(TOKEN, f"{TOKEN}-not").replace(APP_ID, f"{APP_ID}-not")
            for name, value in self.service.settings.items()
        }

    def _faults(self) -> Faults:
        knobs = dict(self.situation.faults)
        if self.situation.at:
            knobs["route"] = self.service.routes[self.situation.at]
        if "elsewhere" in self.situation.settings:
            knobs["redirect_to"] = self._other.url
        return replace(PLAIN, **knobs)


def _plainly(stage: Stage, plan: Plan) -> Plan:
    return plan


def _one_part(stage: Stage, plan: Plan) -> Plan:
    return stage.plan(partial_targets=("5",))


def _nonsense(stage: Stage, plan: Plan) -> Plan:
    return stage.plan(options={**stage.service.options, "nonsense": 1})


def _others_first(stage: Stage, plan: Plan) -> Plan:
    """Have a long job and another before ours, and let them go once ours is told to wait."""
    stage.emulator.speed = 60

    def let_go(job: Any, event: Event) -> None:
        if isinstance(event, JobQueued) and event.position is not None:
            stage.emulator.speed = 0

    stage.on_event = let_go
    for number, graph in enumerate(("long", "picture"), 1):
        others = GRAPHS[graph](stage.color ^ number)
        with Job(stage.plan(others, out=None, key=KEY.format(stage.color ^ number))) as job:
            job.start()
            if number == 1:
                next(event for event in job if isinstance(event, JobStarted))
    return plan


def _cancel_when(*kinds: type) -> Callable[[Stage, Plan], Plan]:
    def act(stage: Stage, plan: Plan) -> Plan:
        def cancel(job: Any, event: Event) -> None:
            if isinstance(event, kinds):
                job.ask_cancel()

        stage.on_event = cancel
        return plan

    return act


def _behind_another(stage: Stage, plan: Plan) -> Plan:
    """Have the long job of another run, and cancel ours as soon as it waits behind it."""
    stage.emulator.speed = 20
    with Job(
        stage.plan(GRAPHS["long"](stage.color ^ 1), out=None, key=KEY.format(stage.color ^ 1))
    ) as job:
        job.start()
        next(event for event in job if isinstance(event, JobStarted))
        stage.other = job.ref
    return _cancel_when(JobQueued)(stage, plan)


def _same_before(stage: Stage, plan: Plan) -> Plan:
    with Job(stage.plan(out=None, key=KEY.format(stage.color ^ 1))) as job:
        job.result()
    return plan


def _cancel_first(stage: Stage, plan: Plan) -> Plan:
    stage.before = lambda job: job.ask_cancel()
    return plan


def _take_up(stage: Stage, plan: Plan) -> Plan:
    """Hand the graph in, leave, and write the reference down for another process."""
    with Job(stage.plan(out=None)) as job:
        job.start()
        assert job.ref is not None
        written = json.dumps(job.ref.to_json())
    return stage.plan(JobRef.from_json(json.loads(written)))


def _take_up_late(stage: Stage, plan: Plan) -> Plan:
    with Job(stage.plan(out=None)) as job:
        job.result()
        assert job.ref is not None
        written = json.dumps(job.ref.to_json())
    return stage.plan(JobRef.from_json(json.loads(written)))


def _again(stage: Stage, plan: Plan) -> Plan:
    stage.again = True
    return plan


def _from_here(stage: Stage, plan: Plan) -> Plan:
    place = stage.folder.with_name("mine")
    place.mkdir()
    Image.new("RGB", (24, 16), stage.color).save(place / "mine.png")
    return stage.plan(sources=place)


def _from_nowhere(stage: Stage, plan: Plan) -> Plan:
    place = stage.folder.with_name("nothing")
    place.mkdir()
    return stage.plan(sources=place)


ACTS: dict[str, Callable[[Stage, Plan], Plan]] = {
    "": _plainly,
    "ask for node 5 only": _one_part,
    "ask for nonsense": _nonsense,
    "queue others first": _others_first,
    "cancel first": _cancel_first,
    "cancel behind another": _behind_another,
    "run the same before": _same_before,
    "cancel when queued": _cancel_when(JobQueued),
    "cancel when it runs": _cancel_when(JobStarted),
    "cancel when a file is there": _cancel_when(OutputReady),
    "take up": _take_up,
    "take up late": _take_up_late,
    "same key again": _again,
    "upload from here": _from_here,
    "upload from nowhere": _from_nowhere,
}
"""What a person does, by name: may change the plan, and what is done at the job's events."""
