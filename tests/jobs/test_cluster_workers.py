"""
Workers that share a batch: all of it is done, each job once, whoever dies on the way.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_worker import start_worker
from postgres_server import database

from comfygraph.core.values import Prompt
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.host import DEV_TOKEN
from comfygraph.emulator.server import Emulator
from comfygraph.jobs.batch.api import submit_batch
from comfygraph.jobs.cluster.queue import defer_batch, left_in, prepare
from comfygraph.jobs.ledger import Ledger, Query, State, open_ledger
from comfygraph.targets import get_target

PROMPT = Prompt.from_json(
    {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0},
        },
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "red"}},
    }
)
LONGEST = 100.0


@pytest.fixture
def place(postgres_port: int) -> Iterator[str]:
    """
    Give the address of an empty database.
    """
    with database(postgres_port) as url:
        yield url


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    """
    Give an empty ledger there, with a queue.
    """
    with open_ledger(place) as book:
        prepare(book)
        yield book


def settings(emulator: Emulator, name: str) -> dict[str, str]:
    """
    Give the settings of a service that the emulator stands in for.
    """
    if name == "comfyui":
        return {"COMFYUI_URL": emulator.url("comfyui")}
    return {"CIVITAI_API_URL": emulator.url("civitai"), "CIVITAI_API_TOKEN": DEV_TOKEN}


def detached(ledger: Ledger, emulator: Emulator, count: int, name: str, **options: Any) -> str:
    """
    Put a batch of so many colours into the queue; give its id.
    """
    target = get_target(name, settings(emulator, name))
    sweep = {"color": range(count)}
    batch = submit_batch(PROMPT, target=target, ledger=ledger, sweep=sweep, **options)
    defer_batch(ledger, batch.id)
    return batch.id


def submits(emulator: Emulator) -> int:
    """
    Count the jobs that the emulator was handed.
    """
    return sum(emulator.stats().submits.values())


def outcome(ledger: Ledger, batch: str) -> list[tuple[State, int]]:
    """
    Give state and number of saved files of each job that are there.
    """
    return [
        (record.state, sum(Path(file.path).is_file() for file in ledger.results(record.id)))
        for record in ledger.jobs(Query(batch=batch))
    ]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "seed"), [("comfyui", 1), ("comfyui", 2), ("civitai", 3)])
def test_killed_workers_lose_nothing(
    ledger: Ledger, place: str, tmp_path: Path, name: str, seed: int
) -> None:
    """
    Three workers are killed at random moments; a fourth finishes. No job is lost, none is handed in
    twice, no picture is missing.
    """
    chance = random.Random(seed)
    jobs = 36
    with Emulator(speed=20, faults=Faults(qps=0)) as emulator:
        config = settings(emulator, name)
        # ComfyUI can vouch that it has no such job once it knows an older one of ours
        list(submit_batch(PROMPT, target=get_target(name, config), ledger=ledger))
        before = submits(emulator)
        batch = detached(ledger, emulator, jobs, name, out=tmp_path / "out")
        workers = [start_worker(place, config) for _ in range(4)]
        victims = list(zip(sorted(chance.sample(range(1, jobs), 3)), workers[1:], strict=True))
        until = time.monotonic() + LONGEST
        try:
            for count, victim in victims:
                while submits(emulator) - before < count and time.monotonic() < until:
                    time.sleep(0.002)
                time.sleep(chance.random() * 0.1)
                victim.kill()
            workers[0].join(LONGEST)
        finally:
            for worker in workers:
                worker.kill()
                worker.join()
        handed_in = submits(emulator) - before

    assert [(State.SUCCEEDED, 1)] * jobs == outcome(ledger, batch)
    assert (jobs, 0) == (handed_in, left_in(ledger, [name]))
    rows = (tmp_path / "out" / f"batch-{batch}.jsonl").read_text().splitlines()
    assert ["succeeded"] * jobs == [json.loads(row)["state"] for row in rows]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sigterm_leaves_jobs_to_others(ledger: Ledger, place: str) -> None:
    """
    A worker that is told to end leaves its jobs at once, and another one follows them on.
    """
    with Emulator(speed=4, faults=Faults(qps=0)) as emulator:
        config = settings(emulator, "comfyui")
        batch = detached(ledger, emulator, 3, "comfyui")
        first = start_worker(place, config)
        until = time.monotonic() + LONGEST
        while submits(emulator) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        first.terminate()
        first.join(LONGEST)
        left = [record.holder for record in ledger.jobs(Query(batch=batch))]
        second = start_worker(place, config)
        second.join(LONGEST)
        handed_in = submits(emulator)

    assert (0, ["", "", ""]) == (first.exitcode, left)
    assert [(State.SUCCEEDED, 0)] * 3 == outcome(ledger, batch)
    assert 3 == handed_in


def test_deferring_twice_defers_once(ledger: Ledger) -> None:
    """
    A batch that is put into the queue again stays there once, and what is over stays out.
    """
    with Emulator(speed=0) as emulator:
        batch = detached(ledger, emulator, 5, "comfyui")
    first = next(ledger.jobs(Query(batch=batch)))
    again = defer_batch(ledger, batch)
    with ledger.engine.write(durable=False) as write:
        write.run("DELETE FROM procrastinate_jobs WHERE lock = ?", (first.key,))
    with ledger.claim(first.id) as claim:
        claim.write(state=State.SUCCEEDED)

    assert (0, 0) == (again, defer_batch(ledger, batch))
    assert 4 == left_in(ledger, ["comfyui"])
