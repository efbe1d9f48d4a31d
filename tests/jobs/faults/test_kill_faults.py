"""
Batches on bad lines: connections cut before, during and after the answer, storms of 429, a disk
that is full at any stage, two resumers at once, clocks that jump. The emulator counts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kill_campaign import FAULTS, PROMPT, SUBMITS, Campaign, Tally, config_of
from kill_server import hurried

from comfygraph.emulator.server import Emulator
from comfygraph.jobs.batch.api import resume_batch, submit_batch
from comfygraph.jobs.batch.batch import Batch
from comfygraph.jobs.batch.events import BatchEvent, BatchStarted, VariantEnded
from comfygraph.jobs.ledger import Ledger, LedgerError, open_ledger
from comfygraph.jobs.ledger.sqlite import SqliteEngine
from comfygraph.targets import get_target
from comfygraph.targets.base import Target

_TARGETS = ["comfyui", "civitai", "tams"]
_CALM = FAULTS


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    """
    Give an emulator that takes any token.
    """
    with Emulator(speed=0, any_token=True, faults=_CALM) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Iterator[Emulator]:
    """
    Give the emulator without faults, and take them back afterwards.
    """
    running.faults = _CALM
    yield running
    running.faults = _CALM


def service(emulator: Emulator, name: str) -> Target:
    """
    Give the emulator as a target that is treated without ceremony.
    """
    return hurried(get_target(name, config_of(emulator, name)))


class Batches:
    """
    One batch and its ledger, carried out in this process.
    """

    def __init__(self, emulator: Emulator, name: str, folder: Path, jobs: int = 6) -> None:
        self.campaign = Campaign(None, emulator, name, folder, 1, jobs)  # type: ignore[arg-type]  # kills none
        self.order = self.campaign.order()
        self.place = Path(self.order["ledger"])
        self.out = Path(self.order["out"])
        self.name = name
        self.emulator = emulator
        self.campaign.older_job(self.place)
        self.before = self.campaign.bought()
        self.id = ""

    def begin(self, ledger: Ledger, **options: Any) -> Batch:
        """
        Submit it; give it, to be iterated.
        """
        first, jobs = self.order["first"], self.order["jobs"]
        self.batch = submit_batch(
            PROMPT,
            target=service(self.emulator, self.name),
            ledger=ledger,
            sweep={"color": range(first, first + jobs)},
            out=self.out,
            lint=False,
            concurrency=2,
            **options,
        )
        self.id = self.batch.id
        return self.batch

    def start(self, ledger: Ledger, **options: Any) -> list[BatchEvent]:
        """
        Submit it, and carry it out.
        """
        return list(self.begin(ledger, **options))

    def finish(self) -> list[BatchEvent]:
        """
        Iterate it to its end.
        """
        return list(self.batch)

    def leave(self) -> None:
        """
        Leave it as it is.
        """
        self.batch.close()

    def resume(self, ledger: Ledger | None = None, **options: Any) -> list[BatchEvent]:
        """
        Go on with it.
        """
        target = service(self.emulator, self.name)
        return list(resume_batch(self.id, target=target, ledger=ledger or self.place, **options))

    def tally(self) -> Tally:
        """
        Count what came of it.
        """
        found = Tally(jobs=self.order["jobs"])
        self.campaign.count({**self.order, "batch": self.id}, found, self.before)
        return found


def figures(tally: Tally) -> tuple[int, int, int, list[str]]:
    """
    Give those that must be nothing.
    """
    return tally.lost, tally.twice, tally.missing, tally.problems


@pytest.mark.slow
@pytest.mark.parametrize("knob", ["drops", "lost_answers", "cut_answers", "too_many", "errors"])
@pytest.mark.parametrize("everywhere", [False, True], ids=["submits", "everything"])
@pytest.mark.parametrize("name", _TARGETS)
def test_bad_lines(
    name: str, everywhere: bool, knob: str, emulator: Emulator, tmp_path: Path
) -> None:
    """
    Connections that are cut before, after or during the answer, refusals for coming too soon, and
    a service in trouble: once they are over, each job has been made once and its file is there.
    """
    batches = Batches(emulator, name, tmp_path)
    route = "*" if everywhere else f"{SUBMITS[name]}*"
    emulator.faults = replace(_CALM, route=route, **{knob: 5})
    with open_ledger(batches.place) as ledger:
        batches.start(ledger)
    emulator.faults = _CALM
    batches.resume()
    tally = batches.tally()

    assert (0, 0, 0, []) == figures(tally)
    if name != "tams":
        assert 0 == tally.uncertain


@pytest.mark.slow
@pytest.mark.parametrize("pages", [0, 1, 2, 4, 6])
@pytest.mark.parametrize("name", ["comfyui", "civitai"])
def test_a_full_disk(name: str, pages: int, emulator: Emulator, tmp_path: Path) -> None:
    """
    A ledger that can grow by no more than so many pages, at whichever write that is felt: once
    there is room again, nothing is lost and nothing was bought twice.
    """
    batches = Batches(emulator, name, tmp_path)
    with open_ledger(batches.place) as ledger:
        engine = ledger.engine
        assert isinstance(engine, SqliteEngine)
        for event in batches.begin(ledger):
            if isinstance(event, BatchStarted):
                (used,) = engine.read("PRAGMA page_count")[0]
                engine.read(f"PRAGMA max_page_count = {used + pages}")
                break
        try:
            batches.finish()
        except LedgerError as exc:
            assert "no space" in exc.message  # noqa: PT017  # others pass without one
    batches.resume()

    assert (0, 0, 0, []) == figures(batches.tally())


@pytest.mark.slow
@pytest.mark.parametrize("name", _TARGETS)
def test_two_resumers_at_once(name: str, emulator: Emulator, tmp_path: Path) -> None:
    """
    Three that go on with the same batch at the same time, each with a ledger of its own, make one
    job of each variant.
    """
    batches = Batches(emulator, name, tmp_path, jobs=12)
    with open_ledger(batches.place) as ledger:
        for event in batches.begin(ledger):
            if isinstance(event, VariantEnded):
                break
        batches.leave()
    with ThreadPoolExecutor(3) as pool:
        for outcome in [pool.submit(batches.resume) for _ in range(3)]:
            outcome.result()

    tally = batches.tally()

    assert (0, 0, 0, []) == figures(tally)
    if name != "tams":  # what was left in the middle of a submit is uncertain there
        assert 0 == tally.uncertain


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", _TARGETS)
def test_clocks_that_jump(name: str, seed: int, emulator: Emulator, tmp_path: Path) -> None:
    """
    The clock on the wall jumps by hours, back and forth, while a batch is carried out and answers
    get lost: nothing is lost, nothing is bought twice.
    """
    chance = random.Random(seed)
    batches = Batches(emulator, name, tmp_path)

    def jumping(clock: Callable[[], float], *hours: float) -> Callable[[], float]:
        offset = [0.0]

        def read() -> float:
            if chance.random() < 0.05:
                offset[0] += chance.choice(hours) * 3600.0
            return clock() + offset[0]

        return read

    emulator.faults = replace(_CALM, route=f"{SUBMITS[name]}*", lost_answers=2)
    for _ in range(3):
        with open_ledger(batches.place, clock=jumping(time.time, -5.0, 3.0)) as ledger:
            if batches.id:
                batches.resume(ledger)
            else:
                batches.start(ledger)
    emulator.faults = _CALM
    batches.resume()

    assert (0, 0, 0, []) == figures(batches.tally())
