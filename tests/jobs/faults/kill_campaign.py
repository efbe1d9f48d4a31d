"""
Batches whose processes are killed again and again, and the count of what came of them.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comfygraph.core.values import Prompt
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.server import Emulator
from comfygraph.jobs import submit
from comfygraph.jobs.ledger import JobRecord, Query, State, open_ledger
from comfygraph.targets.base import Policy

TOKEN = "emulator"
FAULTS = Faults(qps=0, lag=0, duplicate_id="new")
"""No limits; a TAMS that takes a repeated id for a new job, so that repeating it is seen."""
PROMPT = Prompt.from_json(
    {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0},
        },
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
    }
)
_SUBMITS = {
    "comfyui": ("/prompt", "prompt_id"),
    "civitai": ("/v2/consumer/workflows", "externalId"),
    "tams": ("/v1/jobs/workflow", "requestId"),
}
SUBMITS = {name: f"POST {path}" for name, (path, _) in _SUBMITS.items()}
"""Service → what it is called to hand a job in."""
VITAL = (
    *(f"update jobs {state.value}" for state in (State.INTENDED, State.ACCEPTED, State.SUCCEEDED)),
    *SUBMITS.values(),
)
"""How the places begin at which a job is won or lost."""
_KNOWS_KEYS = {"comfyui": True, "civitai": True, "tams": False}


def config_of(emulator: Emulator, target: str) -> dict[str, str]:
    """
    Give the settings of a target on the emulator.
    """
    return {
        "comfyui": {"COMFYUI_URL": emulator.url()},
        "tams": {"TAMS_API_KEY": TOKEN, "TAMS_BASE_URL": emulator.url("tams")},
        "civitai": {"CIVITAI_API_TOKEN": TOKEN, "CIVITAI_API_URL": emulator.url("civitai")},
    }[target]


class KillServer:
    """
    A process that forks children to be killed, see `kill_server`.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("kill_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        """
        Have an order carried out, and give what became of the child.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """
        End the process.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@contextmanager
def kill_server() -> Iterator[KillServer]:
    """
    Give a server until the block is left.
    """
    server = KillServer()
    try:
        yield server
    finally:
        server.close()


@dataclass(slots=True)
class Tally:
    """
    What kills did.

    Args:
        kills: How many processes were killed.
        jobs: How many jobs were to be made.
        lost: Those that neither ended nor were told to be uncertain.
        twice: Those that the service was made to run once more.
        missing: Those without their file.
        stray: Files of no job.
        uncertain: Those that the ledger calls so: the service cannot be asked.
    """

    kills: int = 0
    jobs: int = 0
    lost: int = 0
    twice: int = 0
    missing: int = 0
    stray: int = 0
    uncertain: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """
        Add what other kills did.
        """
        for name in ("kills", "jobs", "lost", "twice", "missing", "stray", "uncertain"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems

    def to_json(self) -> dict[str, int]:
        """
        Give the figures.
        """
        names = ("kills", "jobs", "lost", "twice", "missing", "stray", "uncertain")
        return {name: getattr(self, name) for name in names}


class Campaign:
    """
    Kills the processes of one batch after the other.

    Args:
        server: Forks them.
        emulator: Takes their jobs, and counts.
        target: The service that it is to be.
        folder: For ledgers and files.
        seed: Decides where kills happen.
        jobs: How many variants a batch has.
        older_job: Whether the service had another job of ours before.
    """

    def __init__(
        self,
        server: KillServer,
        emulator: Emulator,
        target: str,
        folder: Path,
        seed: int,
        jobs: int = 6,
        older_job: bool = True,
    ) -> None:
        self._server = server
        self._emulator = emulator
        self._target = target
        self._folder = folder
        self._jobs = jobs
        self._older = older_job
        self._chance = random.Random(seed)
        self._next = seed * 10_000
        self.places: Counter[str] = Counter()
        self.known: set[str] = set()
        self.tally = Tally()

    def run(self, kills: int) -> Tally:
        """
        Go on until there were so many kills.
        """
        self._server.run({**self.order(), "here": True})
        while self.tally.kills < kills:
            self.tally.add(self.batch())
        return self.tally

    def batch(self) -> Tally:
        """
        Have one batch carried out by processes that are killed, the last one excepted.
        """
        order = self.order()
        ledger = Path(order["ledger"])
        if self._older:
            self.older_job(ledger)
        before = self.bought()
        tally = Tally(jobs=self._jobs)
        while True:
            told = self._server.run({**order, **self._fate()})
            assert "error" not in told, told["error"]
            self.known.update(told.get("seen", ()))
            if not told["killed"]:
                break
            tally.kills += 1
            self.places[told["at"]] += 1
        self.count(order, tally, before)
        return tally

    def order(self) -> dict[str, Any]:
        """
        Give the order for a batch of its own.
        """
        self._next += self._jobs
        place = self._folder / str(self._next)
        place.mkdir()
        return {
            "target": self._target,
            "config": config_of(self._emulator, self._target),
            "ledger": str(place / "ledger.db"),
            "out": str(place / "out"),
            "batch": f"batch-{self._next}",
            "jobs": self._jobs,
            "first": self._next,
            "prompt": PROMPT.to_json(),
        }

    def _fate(self) -> dict[str, Any]:
        """
        Say where the next process dies: after some points, or at a place where none died so far.
        """
        fresh = sorted(self.known - set(self.places))
        vital = [place for place in fresh if place.startswith(VITAL)]
        if fresh and self._chance.random() < 0.4:
            return {"points": [self._chance.choice(vital or fresh)]}
        return {"nth": self._chance.randint(1, self._chance.choice((15, 40, 120)))}

    def older_job(self, ledger: Path) -> None:
        """
        Have a job made: a ComfyUI server that still knows it would know a later one too.
        """
        job = submit(
            PROMPT,
            target=self._target,
            config=config_of(self._emulator, self._target),
            ledger=ledger,
            policy=Policy(poll_intervals=(0.02,)),
        )
        job.result()

    def bought(self) -> int:
        """
        Count the jobs that the service has taken.
        """
        return self._emulator.stats().submits.get(self._target, 0)

    def _arrived(self, keys: set[str]) -> set[str]:
        """
        Give those of these keys that were handed in, by what the emulator received.
        """
        path, name = _SUBMITS[self._target]
        found = set()
        for request in self._emulator.received():
            if request.method == "POST" and request.path == path and request.body:
                key = json.loads(request.body).get(name)
                if key in keys and "whatif=true" not in request.query.lower():
                    found.add(key)
        return found

    def count(self, order: dict[str, Any], tally: Tally, before: int) -> None:
        """
        Compare what the emulator did with what the ledger and the folder say.
        """
        with open_ledger(order["ledger"]) as ledger:
            records = list(ledger.jobs(Query(batch=order["batch"])))
            arrived = self._arrived({record.key for record in records})
            tally.twice += self._settled(before, len(arrived)) - len(arrived)
            done = [record for record in records if record.state is State.SUCCEEDED]
            unsure = [record for record in records if record.state is State.UNCERTAIN]
            tally.uncertain += len(unsure)
            tally.lost += order["jobs"] - len(done) - len(unsure)
            told = {record.variant for record in (*done, *unsure)}
            for record in records:
                if record.variant not in told:
                    tally.problems.append(f"{order['batch']}: {_words(record)}")
            if not _KNOWS_KEYS[self._target]:
                # what was taken and is not known to be so is told as uncertain
                assert {record.key for record in done} <= arrived
            saved = {record.id: ledger.results(record.id) for record in done}
        files = {path.resolve() for path in Path(order["out"]).rglob("*.png")}
        for record in done:
            results = saved[record.id]
            paths = [Path(result.path).resolve() for result in results if result.path]
            whole = all(
                path in files and _digest(path) == result.sha256
                for path, result in zip(paths, results, strict=False)
            )
            if len(paths) != 1 or not whole:
                tally.missing += 1
                tally.problems.append(f"{order['batch']}: {_words(record)}: files {paths}")
            files -= set(paths)
        if files:  # put there by a process that was killed, and not recognised by the next one
            tally.stray += len(files)
            tally.problems.append(f"{order['batch']}: nobody's files {sorted(files)}")
        assert len(done) == len({record.job_id for record in done})

    def _settled(self, before: int, arrived: int) -> int:
        """
        Give how many jobs were bought, once the emulator has looked at all that arrived.
        """
        until = time.monotonic() + 2.0
        while (bought := self.bought() - before) < arrived and time.monotonic() < until:
            time.sleep(0.01)
        return bought


def _words(record: JobRecord) -> str:
    return f"{record.id} {record.state.value} {record.error} {record.message}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
