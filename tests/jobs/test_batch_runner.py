"""
Batches against the emulator: all variants, each once, whatever happens on the way.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comfygraph.core.values import Prompt
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.host import DEV_TOKEN
from comfygraph.emulator.server import Emulator
from comfygraph.errors import AuthenticationError, LintError, UsageError
from comfygraph.jobs.batch.api import resume_batch, submit_batch
from comfygraph.jobs.batch.batch import Batch
from comfygraph.jobs.batch.events import (
    BatchEnded,
    BatchEvent,
    BatchNotice,
    BatchProgress,
    BatchStarted,
    VariantEnded,
    VariantEvent,
    VariantRetried,
)
from comfygraph.jobs.batch.planning import BatchPlan, find_batch, write_batch
from comfygraph.jobs.batch.runner import BatchRunner
from comfygraph.jobs.ledger import Ledger, Query, State, open_ledger
from comfygraph.targets import get_target
from comfygraph.targets.base import Target
from comfygraph.targets.events import JobQueued

PROMPT = Prompt.from_json(
    {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0},
        },
        "2": {
            "class_type": "SaveImage",
            "inputs": {"images": ["1", 0], "filename_prefix": "red"},
            "_meta": {"title": "keep"},
        },
    }
)


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    """
    Give one emulator for all tests.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as running:
        yield running


@pytest.fixture
def emulator(server: Emulator) -> Iterator[Emulator]:
    """
    Give the emulator without faults, and take the faults back afterwards.
    """
    server.faults = Faults(qps=0)
    yield server
    server.faults = Faults(qps=0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """
    Give an empty ledger.
    """
    with open_ledger(tmp_path / "ledger.db") as book:
        yield book


def service(emulator: Emulator, name: str = "comfyui") -> Target:
    """
    Give the emulator as a target that is treated without ceremony.
    """
    config = {
        "comfyui": {"COMFYUI_URL": emulator.url("comfyui")},
        "tams": {"TAMS_BASE_URL": emulator.url("tams"), "TAMS_API_KEY": DEV_TOKEN},
        "civitai": {"CIVITAI_API_URL": emulator.url("civitai"), "CIVITAI_API_TOKEN": DEV_TOKEN},
    }
    return hurried(get_target(name, config[name]))


def hurried(target: Any) -> Target:
    """
    Have a target asked as often as one likes, and tried again soon.
    """
    target.policy = replace(
        target.policy,
        requests_per_second=None,
        poll_intervals=(0.05, 0.1),
        backoff_base=0.02,
        backoff_cap=0.1,
    )
    result: Target = target
    return result


def batch_of(emulator: Emulator, ledger: Ledger, count: int, **options: Any) -> Batch:
    """
    Give a batch of so many colours.
    """
    given = {"target": service(emulator), "ledger": ledger, "sweep": {"color": range(count)}}
    return submit_batch(PROMPT, **{**given, **options})


def submits(emulator: Emulator, before: int = 0) -> int:
    """
    Count the jobs that the emulator was handed.
    """
    return sum(emulator.stats().submits.values()) - before


def manifest(folder: Path, batch: Batch) -> list[dict[str, Any]]:
    """
    Read the manifest of a batch.
    """
    lines = (folder / f"batch-{batch.id}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def ends(events: list[BatchEvent]) -> dict[int, str]:
    """
    Give the variants that ended, with their states.
    """
    return {event.index: event.state for event in events if isinstance(event, VariantEnded)}


def test_all_variants(emulator: Emulator, ledger: Ledger, tmp_path: Path) -> None:
    """
    Each variant makes one job and one file; the manifest has them all in order.
    """
    before = submits(emulator)
    batch = batch_of(emulator, ledger, 12, out=tmp_path / "out", name="{color:03}/{title}.{ext}")
    events = list(batch)
    rows = manifest(tmp_path / "out", batch)

    assert dict.fromkeys(range(1, 13), "succeeded") == ends(events)
    assert 12 == submits(emulator, before)
    assert isinstance(events[0], BatchStarted)
    assert BatchEnded(batch.id, 12, 0) == events[-1]
    assert list(range(12)) == [row["parameters"]["color"] for row in rows]
    assert [[f"{color:03}/keep.png"] for color in range(12)] == [row["files"] for row in rows]
    assert all((tmp_path / "out" / row["files"][0]).is_file() for row in rows)
    assert [f"{color:03}/keep.png" for color in range(12)] == [
        str(Path(row.files[0]).relative_to(tmp_path / "out")) for row in batch.results
    ]


def test_the_figure_grows_to_one(emulator: Emulator, ledger: Ledger) -> None:
    """
    The overall figure never goes back and ends at 1; counts add up to all jobs.
    """
    events = list(batch_of(emulator, ledger, 8))
    readings = [event for event in events if isinstance(event, BatchProgress)]

    assert sorted(item.fraction for item in readings) == [item.fraction for item in readings]
    assert (1.0, 8) == (readings[-1].fraction, readings[-1].succeeded)
    assert {8} == {
        item.waiting + item.queued + item.running + item.succeeded + item.failed
        for item in readings
    }


def test_async_iteration(emulator: Emulator, ledger: Ledger) -> None:
    """
    `async for` gives the same events.
    """

    async def run() -> list[BatchEvent]:
        async with batch_of(emulator, ledger, 3) as batch:
            return [event async for event in batch]

    assert dict.fromkeys((1, 2, 3), "succeeded") == ends(asyncio.run(run()))


@pytest.mark.parametrize("name", ["tams", "civitai"])
def test_paid_services(emulator: Emulator, ledger: Ledger, name: str) -> None:
    """
    Batches run on the paid services, whose costs add up.
    """
    events = list(
        batch_of(emulator, ledger, 3, target=service(emulator, name), max_cost=1000, lint=False)
    )
    cost = ledger.cost(Query())

    assert dict.fromkeys((1, 2, 3), "succeeded") == ends(events)
    assert isinstance(events[-1], BatchEnded)
    assert (events[-1].cost or 0.0) == pytest.approx(cost)


def test_a_quote_above_the_limit(emulator: Emulator, ledger: Ledger) -> None:
    """
    A batch that is quoted above the limit is not even written down.
    """
    before = submits(emulator)
    with pytest.raises(UsageError, match="more than --max-cost"):
        batch_of(
            emulator, ledger, 30, target=service(emulator, "civitai"), max_cost=0.5, lint=False
        )

    assert [] == ledger.batches()
    assert 0 == submits(emulator, before)


def test_errors_of_lint(emulator: Emulator, ledger: Ledger) -> None:
    """
    Nothing is sent while a variant has errors, unless those are to be left out.
    """
    sweep = {"width": [16, 0, 32]}
    with pytest.raises(LintError, match=r"variant 2 \(width=0\)"):
        batch_of(emulator, ledger, 0, sweep=sweep)
    events = list(batch_of(emulator, ledger, 0, sweep=sweep, skip_invalid=True))

    assert {1: "succeeded", 3: "succeeded"} == ends(events)


def test_left_and_gone_on_with(emulator: Emulator, ledger: Ledger, tmp_path: Path) -> None:
    """
    A batch that is left in the middle is gone on with: every variant has one job, and its file.
    """
    before = submits(emulator)
    with batch_of(emulator, ledger, 20, concurrency=3, out=tmp_path / "out") as batch:
        for event in batch:
            if isinstance(event, VariantEnded):
                break
    again = resume_batch(batch.id, target=service(emulator), ledger=ledger)
    events = list(again)

    assert isinstance(events[0], BatchStarted)
    assert 1 <= events[0].done < 20
    assert {State.SUCCEEDED: 20} == ledger.counts(Query(batch=batch.id))
    assert 20 == submits(emulator, before)
    rows = manifest(tmp_path / "out", batch)
    files = [name for row in rows for name in row["files"]]
    assert 20 == len(set(files))
    assert all((tmp_path / "out" / name).is_file() for name in files)
    assert list(range(1, 21)) == [row["index"] for row in rows]


def test_resume_of_what_is_over(emulator: Emulator, ledger: Ledger) -> None:
    """
    A batch that is over is not sent again.
    """
    batch = batch_of(emulator, ledger, 2)
    list(batch)
    before = submits(emulator)
    events = list(resume_batch(batch.id[:12], target=service(emulator), ledger=ledger))

    assert BatchStarted(batch.id, 2, 2) == events[0]
    assert BatchEnded(batch.id, 2, 0) == events[-1]
    assert 0 == submits(emulator, before)


def test_stop_follows_what_is_under_way(emulator: Emulator, ledger: Ledger) -> None:
    """
    After a stop nothing more is sent, and what was sent comes to its end.
    """
    before = submits(emulator)
    batch = batch_of(emulator, ledger, 30, concurrency=2)
    events: list[BatchEvent] = []
    for event in batch:
        events.append(event)
        if isinstance(event, VariantEnded):
            batch.stop()
    counts = ledger.counts(Query(batch=batch.id))

    assert counts == {
        State.SUCCEEDED: submits(emulator, before),
        State.PLANNED: 30 - submits(emulator, before),
    }
    assert counts[State.PLANNED] > 20
    assert counts[State.SUCCEEDED] == len(ends(events))
    assert isinstance(events[-1], BatchEnded)
    assert ("interrupted", counts[State.PLANNED]) == (events[-1].reason, events[-1].left)


def test_stop_says_what_goes_on(ledger: Ledger) -> None:
    """
    A stop lets go of jobs that wait for the rate limit, says which ones the service has, and
    follows those; a batch that is left then follows nothing, and loses nothing.
    """
    with Emulator(speed=4.0) as slow:
        target: Any = service(slow)
        target.policy = replace(target.policy, requests_per_second=1.0)
        batch = batch_of(slow, ledger, 20, target=target, concurrency=6)
        notices: list[str] = []
        end: BatchEvent | None = None
        for event in batch:
            end = event
            if isinstance(event, VariantEvent) and isinstance(event.event, JobQueued):
                batch.stop()
            elif isinstance(event, BatchNotice):
                notices.append(event.message)
                batch.leave()
        sent = slow.stats().submits["comfyui"]
        slow.speed = 0
        rest = list(resume_batch(batch.id, target=service(slow), ledger=ledger))
        made = slow.stats().submits["comfyui"]

    assert 1 == len(notices)
    assert re.fullmatch(r"nothing more is sent; variants? [\d, ]+ (is|are) followed .*", notices[0])
    assert sent < 6
    assert isinstance(end, BatchEnded)
    assert "interrupted" == end.reason
    assert dict.fromkeys(range(1, 21), "succeeded").items() >= ends(rest).items()
    assert (20, 20) == (ledger.counts(Query())[State.SUCCEEDED], made)


def test_transient_failures_are_tried_again(emulator: Emulator, ledger: Ledger) -> None:
    """
    A job that fails in a way that may pass is replaced by a new one with a new key; other failures
    are not.
    """
    emulator.faults = Faults(qps=0, fail_node="1", transient=True)
    tams = service(emulator, "tams")
    events: list[BatchEvent] = []
    for event in batch_of(emulator, ledger, 2, target=tams, lint=False, retries=3):
        events.append(event)
        if isinstance(event, VariantRetried):
            emulator.faults = Faults(qps=0)
    keys = [record.key for record in ledger.jobs(Query())]

    assert {1: "succeeded", 2: "succeeded"} == ends(events)
    assert len(keys) == len(set(keys)) > 2
    assert all(
        ledger.get(record.retry_of).state is State.FAILED
        for record in ledger.jobs(Query())
        if record.retry_of
    )

    emulator.faults = Faults(qps=0, fail_node="1")
    fresh = {"color": [1001, 1002]}  # not in the cache
    events = list(batch_of(emulator, ledger, 0, sweep=fresh, lint=False, retries=3))

    assert {1: "failed", 2: "failed"} == ends(events)
    assert [] == [event for event in events if isinstance(event, VariantRetried)]


def test_retries_have_an_end(emulator: Emulator, ledger: Ledger) -> None:
    """
    A variant is tried again as often as allowed, and then has failed.
    """
    emulator.faults = Faults(qps=0, fail_node="1", transient=True)
    tams = service(emulator, "tams")
    events = list(batch_of(emulator, ledger, 1, target=tams, lint=False, retries=1))

    assert {1: "failed"} == ends(events)
    assert [2] == [event.attempts for event in events if isinstance(event, VariantEnded)]
    assert {State.FAILED: 2} == ledger.counts(Query())


def test_lost_answers_buy_nothing_twice(emulator: Emulator, ledger: Ledger) -> None:
    """
    Answers to submits that get lost make no second job.
    """
    before = submits(emulator)
    emulator.faults = Faults(qps=0, route="/prompt", lost_answers=4)
    events = list(batch_of(emulator, ledger, 6))

    assert dict.fromkeys(range(1, 7), "succeeded") == ends(events)
    assert 6 == submits(emulator, before)


def test_wrong_credentials_stop_everything(emulator: Emulator, ledger: Ledger) -> None:
    """
    Credentials that are wrong for one job are wrong for all: the batch stops, and can go on later.
    """
    config = {"TAMS_BASE_URL": emulator.url("tams"), "TAMS_API_KEY": "wrong-key-000000"}
    wrong = hurried(get_target("tams", config))
    batch = batch_of(emulator, ledger, 40, target=wrong, lint=False, concurrency=2)
    with pytest.raises(AuthenticationError):
        list(batch)
    sent = ledger.counts(Query(batch=batch.id))
    events = list(resume_batch(batch.id, target=service(emulator, "tams"), ledger=ledger))

    assert sent[State.PLANNED] >= 36
    assert isinstance(events[-1], BatchEnded)
    assert (40, 0) == (events[-1].succeeded, events[-1].failed)


def test_a_service_out_of_reach(ledger: Ledger, emulator: Emulator) -> None:
    """
    Where nobody answers, the batch gives up soon, and can go on when the service is back.
    """
    emulator.faults = Faults(qps=0, errors=10_000, error_status=503)
    batch = batch_of(
        emulator, ledger, 40, target=service(emulator, "civitai"), lint=False, concurrency=2,
        retries=0,
    )  # fmt: skip
    end = list(batch)[-1]
    emulator.faults = Faults(qps=0)
    after = list(resume_batch(batch.id, target=service(emulator, "civitai"), ledger=ledger))[-1]

    assert isinstance(end, BatchEnded)
    assert "out of reach" in end.reason
    assert end.left > 20
    assert isinstance(after, BatchEnded)
    assert (40, 0) == (after.succeeded, after.failed)


def test_money_that_is_spent_stops_the_batch(emulator: Emulator, ledger: Ledger) -> None:
    """
    Without a quote that tells, actual costs stop the batch, and what is left can go on with more.
    """
    target = service(emulator, "civitai")
    first = list(batch_of(emulator, ledger, 1, target=target, lint=False))
    price = next(event.cost for event in first if isinstance(event, VariantEnded))
    assert price
    batch = batch_of(emulator, ledger, 6, target=target, lint=False)
    record = find_batch(ledger, batch.id)
    limited = replace(BatchPlan.of(record), max_cost=price * 2.5, expected=price)
    runner = BatchRunner(ledger, replace(record, spec=limited.to_json()), target)
    end = list(Batch(runner))[-1]

    assert isinstance(end, BatchEnded)
    assert (2, 4) == (end.succeeded, end.left)
    assert "--max-cost" in end.reason


def test_two_runners_share_a_purse(emulator: Emulator, ledger: Ledger, tmp_path: Path) -> None:
    """
    Two that go on with the same batch at the same time do not spend more than it may cost, and
    who has to wait for what the other spends does not wait for ever.
    """
    target = service(emulator, "civitai")
    first = list(batch_of(emulator, ledger, 1, target=target, lint=False))
    price = next(event.cost for event in first if isinstance(event, VariantEnded))
    assert price
    batch = batch_of(emulator, ledger, 20, target=target, lint=False, concurrency=3)
    record = find_batch(ledger, batch.id)
    limited = replace(BatchPlan.of(record), max_cost=price * 6.5, expected=price)
    record = replace(record, spec=limited.to_json())
    with open_ledger(tmp_path / "ledger.db") as other:
        both = [Batch(BatchRunner(book, record, target)) for book in (ledger, other)]

        async def all_of(one: Batch) -> BatchEvent:
            return [event async for event in one][-1]

        async def run() -> list[BatchEvent]:
            return list(await asyncio.gather(*map(all_of, both)))

        ends = asyncio.run(run())

    assert price * 6 == pytest.approx(ledger.cost(Query(batch=batch.id)))
    assert ["--max-cost"] * 2 == [
        end.reason.split()[0] for end in ends if isinstance(end, BatchEnded)
    ]


def test_two_runners_share_a_batch(emulator: Emulator, ledger: Ledger, tmp_path: Path) -> None:
    """
    Two that go on with the same batch at the same time make one job of each variant, and whoever
    is the last one sees that all is over.
    """
    before = submits(emulator)
    batch = batch_of(emulator, ledger, 12)
    with open_ledger(tmp_path / "ledger.db") as other:
        left = resume_batch(batch.id, target=service(emulator), ledger=ledger)
        right = resume_batch(batch.id, target=service(emulator), ledger=other)

        async def all_of(one: Batch) -> list[BatchEvent]:
            return [event async for event in one]

        async def both() -> list[list[BatchEvent]]:
            return list(await asyncio.gather(all_of(left), all_of(right)))

        told = [event for one in asyncio.run(both()) for event in one]

    assert {State.SUCCEEDED: 12} == ledger.counts(Query(batch=batch.id))
    assert 12 == submits(emulator, before)
    assert dict.fromkeys(range(1, 13), "succeeded") == ends(told)
    assert 12 == max(event.succeeded for event in told if isinstance(event, BatchEnded))
    assert sum(isinstance(event, BatchNotice) for event in told) <= 2


def test_a_plan_that_was_broken_off(emulator: Emulator, ledger: Ledger) -> None:
    """
    A batch that was not written down completely is not carried out, and can be written to its end.
    """
    batch = batch_of(emulator, ledger, 5)
    record = find_batch(ledger, batch.id)
    ledger.forget([next(ledger.jobs(Query(batch=record.id))).id])
    with pytest.raises(UsageError, match="never written down completely"):
        resume_batch(record.id, target=service(emulator), ledger=ledger)
    with pytest.raises(UsageError, match="has changed since"):
        write_batch(ledger, record.id, "", [], BatchPlan.of(record))


def test_names_of_batches(emulator: Emulator, ledger: Ledger) -> None:
    """
    An unknown batch is told so.
    """
    with pytest.raises(UsageError, match="has no batch `nope`"):
        resume_batch("nope", target=service(emulator), ledger=ledger)
