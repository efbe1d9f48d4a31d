"""
Workers in trouble: a server that is started anew, money that runs out, tasks that nobody minds.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cluster_worker import start_worker
from ledger_engines import PROMPT
from postgres_server import ABSENT, Server, binaries, database, url_of

from comfygraph.emulator.faults import Faults
from comfygraph.emulator.host import DEV_TOKEN
from comfygraph.emulator.server import Emulator
from comfygraph.jobs.batch.api import submit_batch
from comfygraph.jobs.batch.events import BatchEnded, BatchProgress
from comfygraph.jobs.batch.planning import find_batch
from comfygraph.jobs.batch.watching import watch_batch
from comfygraph.jobs.cluster.queue import defer_batch, left_in, left_of, prepare
from comfygraph.jobs.cluster.worker import ClusterWorker, WorkerTerms, queues_for
from comfygraph.jobs.ledger import JobRecord, Ledger, Query, State, open_ledger
from comfygraph.targets import get_target

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


def civitai(emulator: Emulator) -> dict[str, str]:
    """
    Give the settings of the emulator's Civitai.
    """
    return {"CIVITAI_API_URL": emulator.url("civitai"), "CIVITAI_API_TOKEN": DEV_TOKEN}


def detached(
    ledger: Ledger, config: dict[str, str], count: int, name: str, retries: int = 2
) -> str:
    """
    Put a batch of so many colours into the queue; give its id.
    """
    target = get_target(name, config)
    sweep = {"color": range(count)}
    batch = submit_batch(PROMPT, target=target, ledger=ledger, sweep=sweep, retries=retries)
    defer_batch(ledger, batch.id)
    return batch.id


def work(ledger: Ledger, config: dict[str, str], queue: str) -> list[JobRecord]:
    """
    Work in this process until the queue is empty; give what was reported.
    """
    done: list[JobRecord] = []

    async def run() -> None:
        terms = WorkerTerms((queue,), concurrency=4, once=True, beat=0.2, silence=1.0)
        await ClusterWorker(
            ledger, terms, config=config, tell=lambda line: None, report=done.append
        ).run()

    asyncio.run(run())
    return done


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(binaries() is None, reason=ABSENT)
def test_a_server_that_is_started_anew_stops_nobody() -> None:
    """
    A worker whose database goes away in the middle of a batch finishes it when that is back.
    """
    server = Server()
    try:
        server.start()
        place = url_of(server.port, "postgres")
        with open_ledger(place) as ledger, Emulator(speed=10, faults=Faults(qps=0)) as emulator:
            prepare(ledger)
            config = {"COMFYUI_URL": emulator.url("comfyui")}
            batch = detached(ledger, config, 16, "comfyui")
            worker = start_worker(place, config)
            until = time.monotonic() + LONGEST
            while sum(emulator.stats().submits.values()) < 5 and time.monotonic() < until:
                time.sleep(0.01)
            server.stop()
            server.start()
            worker.join(LONGEST)
            worker.kill()
            handed_in = sum(emulator.stats().submits.values())
            states = ledger.counts(Query(batch=batch))
    finally:
        server.remove()

    assert ({State.SUCCEEDED: 16}, 16) == (states, handed_in)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_workers_never_overspend_together(ledger: Ledger, place: str) -> None:
    """
    Of two workers with eight hands, none sends a job that the others have spent the money for.
    """
    with Emulator(speed=10) as emulator:
        config = civitai(emulator)
        batch = detached(ledger, config, 10, "civitai")
        spec = {**find_batch(ledger, batch).spec, "max_cost": 4.0, "expected": 1.0}
        with ledger.engine.write(durable=True) as write:
            write.run("UPDATE batches SET spec = ?", (json.dumps(spec),))
        workers = [start_worker(place, config) for _ in range(2)]
        for worker in workers:
            worker.join(LONGEST)
            worker.kill()
        handed_in = sum(emulator.stats().submits.values())

    assert {State.SUCCEEDED: 4, State.PLANNED: 6} == ledger.counts(Query(batch=batch))
    assert (4, 4.0) == (handed_in, ledger.cost(Query(batch=batch)))


@pytest.mark.timeout(300)
def test_more_money_for_a_worker_that_runs(ledger: Ledger) -> None:
    """
    A batch that its money has stopped goes on with more of it, also at a worker that knows it.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as emulator:
        config = civitai(emulator)
        batch = detached(ledger, config, 6, "civitai")
        record = find_batch(ledger, batch)

        async def run() -> None:
            terms = WorkerTerms(("civitai",), concurrency=2, beat=0.2, silence=1.0)
            worker = ClusterWorker(
                ledger, terms, config=config, tell=told.append, report=lambda record: None
            )
            task = asyncio.create_task(worker.run())
            for most in (2.0, 100.0):
                spec = {**record.spec, "max_cost": most, "expected": 1.0}
                ledger.revise_batch(replace(record, spec=spec))
                defer_batch(ledger, batch)
                async with asyncio.timeout(LONGEST):
                    while left_in(ledger, ["civitai"]):
                        await asyncio.sleep(0.05)
                counts.append(ledger.counts(Query(batch=batch)))
            worker.ask_stop()
            await task

        told: list[str] = []
        counts: list[dict[State, int]] = []
        with ledger.engine.write(durable=True) as write:
            write.run("DELETE FROM procrastinate_jobs")
        asyncio.run(run())

    assert [{State.SUCCEEDED: 2, State.PLANNED: 4}, {State.SUCCEEDED: 6}] == counts
    assert [f"batch {batch}: --max-cost 2 is reached"] == told


def test_what_fails_in_passing_is_tried_again(ledger: Ledger) -> None:
    """
    A job that the service gave up has others made for it, as many as the batch says; the variant
    is told of once.
    """
    with Emulator(speed=0, faults=Faults(qps=0, fail_node="2", transient=True)) as emulator:
        config = {"TAMS_BASE_URL": emulator.url("tams"), "TAMS_API_KEY": DEV_TOKEN}
        batch = detached(ledger, config, 1, "tams", retries=1)
        done = work(ledger, config, "tams")

    assert ["failed"] == [record.state.value for record in done]
    assert {State.FAILED: 2} == ledger.counts(Query(batch=batch))


def test_tasks_of_silent_workers_are_taken_up(ledger: Ledger) -> None:
    """
    A task that a worker took along into its grave, or lost, is put back by the next one.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as emulator:
        config = civitai(emulator)
        batch = detached(ledger, config, 2, "civitai")
        with ledger.engine.write(durable=True) as write:
            write.run("UPDATE procrastinate_jobs SET status = 'doing'")
        stuck = left_of(ledger, batch)
        done = work(ledger, config, "civitai")

    assert (2, 2, 0) == (stuck, len(done), left_in(ledger, ["civitai"]))


def test_jobs_of_machines_that_are_gone_are_taken_over(ledger: Ledger) -> None:
    """
    A job that a silent process on another machine has claimed is taken over, looked for by its key,
    and adopted; it is not handed in again.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as emulator:
        config = civitai(emulator)
        batch = detached(ledger, config, 2, "civitai")
        work(ledger, config, "civitai")
        with ledger.engine.write(durable=True) as write:
            # as if it had died between the send and the answer
            write.run("INSERT INTO holders (id, place, beat) VALUES ('x', 'far boot ns 7 8', 3)")
            write.run("UPDATE jobs SET state = 'intended', job_id = '', ended = NULL, holder = 'x'")
        defer_batch(ledger, batch)
        done = work(ledger, config, "civitai")
        handed_in = sum(emulator.stats().submits.values())

    assert ["succeeded"] * 2 == [record.state.value for record in done]
    assert 2 == handed_in


def test_looking_on(ledger: Ledger) -> None:
    """
    Whoever looks on sees one figure that never goes back, and the end; or that nobody is at it.
    """
    steps: list[Any] = [0.3, 1.0]
    with Emulator(speed=0, faults=Faults(qps=0)) as emulator:
        config = civitai(emulator)
        batch = find_batch(ledger, detached(ledger, config, 3, "civitai"))

        def sleep(seconds: float) -> None:
            if steps:
                steps.pop()
            elif left_of(ledger, batch.id):
                work(ledger, config, "civitai")

        seen = list(
            watch_batch(ledger, batch, is_queued=lambda: left_of(ledger, batch.id) > 0, sleep=sleep)
        )
        idle = find_batch(ledger, submit_batch(PROMPT, target=get_target("civitai", config),
                                               ledger=ledger).id)  # fmt: skip
        left = list(watch_batch(ledger, idle, sleep=lambda seconds: None))

    figures = [event.fraction for event in seen if isinstance(event, BatchProgress)]
    assert sorted(figures) == figures
    assert (0.0, 1.0) == (figures[0], figures[-1])
    assert BatchEnded(batch.id, 3, 0, cost=3.0) == seen[-1]
    assert BatchEnded(idle.id, 0, 0, 1, reason="nobody carries it out") == left[-1]


def test_services_that_are_set_up() -> None:
    """
    A worker takes the jobs of services that it has credentials for.
    """
    found = queues_for({"CIVITAI_API_TOKEN": "t"})

    assert ["civitai", "comfyui"] == [
        name for name in ("civitai", "comfyui", "tams") if not found[name]
    ]
    assert "credentials" in found["tams"]
