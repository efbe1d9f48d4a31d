"""
Several processes with one ledger: what was read before a claim may have changed when it is held.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ledger_engines import (
    PROMPT,
    Open,
    intent,
    open_one,  # noqa: F401  # a fixture
)

from comfygraph.cli.jobs.cancel import cancel_job
from comfygraph.cli.jobs.carrying import give_up
from comfygraph.emulator.server import Emulator
from comfygraph.errors import ComfyGraphError, UsageError
from comfygraph.jobs import submit
from comfygraph.jobs.ledger import Held, JobRecord, Ledger, Query, State, open_ledger
from comfygraph.jobs.ledger.engine import Engine, Transaction
from comfygraph.jobs.plan import Plan
from comfygraph.jobs.resuming import carry_out, target_for, write_down
from comfygraph.jobs.sync_driver import Job
from comfygraph.targets import get_target
from comfygraph.targets.base import JobRef, Submission

KEY = "0f0e0d0c-0b0a-4000-8000-0000000000bb"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator that does not wait between steps.
    """
    with Emulator(speed=0) as running:
        yield running


class Overtaken(Ledger):
    """
    A ledger of a process that is overtaken: right before its next claim, another one has the job
    sent and leaves it.
    """

    other: Ledger
    url: str

    def claim(self, job: str, **others: object) -> object:  # type: ignore[override]  # the same
        if not self.other.get(job).accepted_mark:
            _send(self.other, job, self.url)
        return super().claim(job, **others)  # type: ignore[arg-type]


def _send(ledger: Ledger, job: str, url: str) -> JobRecord:
    target = target_for(ledger.get(job), {"COMFYUI_URL": url})
    return asyncio.run(carry_out(job, ledger=ledger, target=target, wait=False))


@pytest.fixture
def overtaken(tmp_path: Path, emulator: Emulator) -> Iterator[Overtaken]:
    """
    Give a ledger with a job that is planned.
    """
    with open_ledger(tmp_path / "l.db") as other, open_ledger(tmp_path / "l.db") as plain:
        other.plan(
            [
                intent(
                    "a1",
                    target="comfyui",
                    base_url=emulator.url(),
                    submission=Submission(PROMPT, KEY),
                )
            ]
        )
        ledger = Overtaken(plain.engine)
        ledger.other, ledger.url = other, emulator.url()
        yield ledger
        ledger.close()


def submits(emulator: Emulator) -> int:
    """
    Count the jobs that the emulator has taken.
    """
    return emulator.stats().submits.get("comfyui", 0)


def test_a_key_is_not_sent_by_what_was_read_before(
    overtaken: Overtaken, emulator: Emulator
) -> None:
    """
    A job that another process hands in, between our look and our claim, is followed and not sent.
    """
    before = submits(emulator)
    config = {"COMFYUI_URL": emulator.url()}
    submit(PROMPT, target="comfyui", config=config, key=KEY, ledger=overtaken).result()

    assert before + 1 == submits(emulator)
    assert State.SUCCEEDED is overtaken.get("a1").state


def test_what_was_sent_meanwhile_is_not_crossed_out(
    overtaken: Overtaken, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A cancel of a job that was only planned, and is sent before the claim, asks the service.
    """
    monkeypatch.setenv("COMFYUI_URL", emulator.url())
    before = emulator.received()
    done = cancel_job(overtaken, overtaken.get("a1"))
    asked = [request.path for request in emulator.received()[len(before) :]]

    assert done.accepted_mark > 0
    assert [path for path in asked if "interrupt" in path or "cancel" in path or "queue" in path]


def test_an_end_is_not_overwritten(tmp_path: Path) -> None:
    """
    The job of an embedded emulator that has ended since it was read stays as it ended.
    """
    with open_ledger(tmp_path / "l.db") as ledger:
        ledger.plan([intent("a1", target="emulator", base_url="")])
        before = ledger.get("a1")
        with ledger.claim("a1") as claim:
            claim.write(state=State.SUCCEEDED)

        assert State.SUCCEEDED is give_up(ledger, before).state


@pytest.mark.parametrize("adopt", [False, True])
def test_of_many_that_submit_the_same_one_does(
    adopt: bool,
    open_one: Open,  # noqa: F811
) -> None:
    """
    The same key, or the same request that is to be adopted, at the same moment in many processes:
    one job is written down.
    """
    ledgers = [open_one() for _ in range(6)]
    start = threading.Barrier(len(ledgers))
    outcomes: list[str] = []

    def run(number: int, ledger: Ledger) -> None:
        submission = Submission(PROMPT, f"key-{number}" if adopt else KEY)
        plan = Plan("comfyui", submission, config={"COMFYUI_URL": "http://service.test"})
        start.wait()
        try:
            write_down(plan, ledger, adopt=adopt)
            outcomes.append("mine")
        except Held:
            outcomes.append("held")

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(ledgers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["held"] * 5 + ["mine"] == sorted(outcomes)
    assert 1 == len(list(ledgers[0].jobs()))


def test_a_key_that_was_used_up_is_refused(tmp_path: Path) -> None:
    """
    A key whose job has ended stands for that job, and for no new one.
    """
    with open_ledger(tmp_path / "l.db") as ledger:
        place = "http://service.test"
        ledger.plan([intent("a1", target="comfyui", base_url=place, key=KEY)])
        with ledger.claim("a1") as claim:
            claim.write(state=State.FAILED)
        plan = Plan("comfyui", Submission(PROMPT, KEY), config={"COMFYUI_URL": place})
        with pytest.raises(UsageError, match="has ended"):
            write_down(plan, ledger)

        assert {State.FAILED: 1} == ledger.counts()


def test_what_a_service_has_is_not_waited_for(tmp_path: Path) -> None:
    """
    A job that the service has already is left at once where nobody wants to wait.
    """
    with Emulator(speed=0.001) as slow, open_ledger(tmp_path / "l.db") as ledger:
        config = {"COMFYUI_URL": slow.url()}
        submit(PROMPT, target="comfyui", config=config, ledger=ledger).close()
        (record,) = ledger.jobs()
        done = _send(ledger, record.id, slow.url())

    assert State.ACCEPTED is record.state
    assert not done.state.ended


def test_a_reference_is_no_beginning_of_an_id(tmp_path: Path) -> None:
    """
    A service that counts its jobs, 1, 2, 3, does not have them mistaken for ids of ours.
    """
    with open_ledger(tmp_path / "l.db") as ledger:
        ledger.plan([intent("1f00", key="other"), intent("2f00", key=KEY)])
        with ledger.claim("2f00") as claim:
            claim.write(state=State.ACCEPTED, job_id="1")
        ref = JobRef("fake", "http://service.test", "1", KEY)

        assert "2f00" == ledger.of(ref).id
        with pytest.raises(ComfyGraphError, match="no job `7`"):
            ledger.of(replace(ref, job_id="7"))


def test_a_ledger_that_is_written_to_can_be_opened_and_read(
    open_one: Open,  # noqa: F811
) -> None:
    """
    Nobody who only looks waits for a process that writes.
    """
    first = open_one()
    first.plan([intent("a1")])
    with first.engine.write(durable=True) as write:
        write.alone("payloads")
        second = open_one()
        jobs = [record.id for record in second.jobs(Query())]

    assert ["a1"] == jobs


class Interrupted:
    """
    An engine that is interrupted once, right before it commits that a job is about to be sent.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.interrupts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    @contextmanager
    def write(self, *, durable: bool) -> Iterator[Transaction]:
        """Write, or be interrupted."""
        with self._engine.write(durable=durable) as write:
            yield write
            (state,) = write.rows("SELECT state FROM jobs")[0] if durable else ("",)
            if state == State.INTENDED.value and not self.interrupts:
                self.interrupts += 1
                raise KeyboardInterrupt


def test_an_interrupt_sends_nothing_that_is_not_written_down(
    tmp_path: Path, emulator: Emulator
) -> None:
    """
    Ctrl-C in the middle of the note that a job is about to be sent: whoever goes on with the job
    writes it down first.
    """
    with open_ledger(tmp_path / "l.db") as plain:
        ledger = Ledger(Interrupted(plain.engine))
        target = get_target("comfyui", {"COMFYUI_URL": emulator.url()})
        job = Job(write_down(Plan(target, Submission(PROMPT, KEY)), ledger))
        with pytest.raises(KeyboardInterrupt):
            job.start()
        (before,) = plain.jobs()
        job.start()
        (after,) = plain.jobs()
        job.close()
        ledger.close()

    assert (State.PLANNED, 0) == (before.state, before.attempts)
    assert (State.ACCEPTED, 1) == (after.state, after.attempts)
    assert after.intended_mark > 0
