"""
A batch on several ComfyUI servers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import comfygraph as cg
from comfygraph.emulator import Emulator, Faults
from comfygraph.jobs.batch.events import VariantEnded
from comfygraph.jobs.ledger import Ledger, Query, open_ledger

GRAPH = cg.Prompt.from_json(
    {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 64, "height": 32, "batch_size": 1, "color": 0},
        },
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "p"}},
    }
)


@pytest.fixture
def pair() -> Iterator[tuple[Emulator, Emulator]]:
    """
    Give two servers.
    """
    with Emulator(["comfyui"], speed=0) as one, Emulator(["comfyui"], speed=0) as two:
        yield one, two


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """
    Give an empty ledger.
    """
    with open_ledger(tmp_path / "ledger.db") as it:
        yield it


def config_of(pair: tuple[Emulator, Emulator]) -> dict[str, str]:
    """
    Give the settings for both servers.
    """
    return {"COMFYUI_URL": ",".join(emulator.url("comfyui") for emulator in pair)}


def run_batch(config: dict[str, str], ledger: Ledger, out: Path, count: int) -> list[str]:
    """
    Run a batch and give how its variants ended.
    """
    batch = cg.submit_batch(
        GRAPH, sweep={"1.color": range(count)}, target="comfyui", config=config,
        ledger=ledger, out=out, concurrency=4,
    )  # fmt: skip
    return [event.state for event in batch if isinstance(event, VariantEnded)]


def places(ledger: Ledger) -> dict[str, int]:
    """
    Count the jobs at each place.
    """
    counts: dict[str, int] = {}
    for record in ledger.jobs(Query()):
        counts[record.base_url] = counts.get(record.base_url, 0) + 1
    return counts


def test_jobs_are_spread(pair: tuple[Emulator, Emulator], ledger: Ledger, tmp_path: Path) -> None:
    """
    Both servers get jobs, each job is remembered where it is, and every picture is saved.
    """
    assert ["succeeded"] * 12 == run_batch(config_of(pair), ledger, tmp_path / "out", 12)

    counts = places(ledger)
    assert {emulator.url("comfyui") for emulator in pair} == set(counts)
    assert 12 == sum(counts.values())
    assert 12 == len(list((tmp_path / "out").glob("*.png")))


def test_a_busy_server_gets_fewer(
    pair: tuple[Emulator, Emulator], ledger: Ledger, tmp_path: Path
) -> None:
    """
    A server that keeps each job for long is given fewer of them.
    """
    slow, fast = pair
    slow.faults = Faults(slow_start=1)

    assert ["succeeded"] * 16 == run_batch(config_of(pair), ledger, tmp_path / "out", 16)

    counts = places(ledger)
    assert counts.get(slow.url("comfyui"), 0) < counts[fast.url("comfyui")]


def test_a_server_that_is_down_is_left_out(
    pair: tuple[Emulator, Emulator], ledger: Ledger, tmp_path: Path
) -> None:
    """
    With one of two servers gone, the other one does it all; none is made twice.
    """
    config, there = config_of(pair), pair[1].url("comfyui")
    pair[0].stop()

    states = run_batch(config, ledger, tmp_path / "out", 8)

    done = [record for record in ledger.jobs(Query()) if record.state.value == "succeeded"]
    assert ["succeeded"] * 8 == states
    assert {there} == {record.base_url for record in done}
    assert 8 == len(list((tmp_path / "out").glob("*.png")))
