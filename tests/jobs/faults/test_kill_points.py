"""
Never lost, never bought twice: processes that carry batches out are killed (SIGKILL) at every write
of the ledger and at every stage of every request, and the emulator counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kill_campaign import FAULTS, VITAL, Campaign, KillServer, Tally, kill_server

from comfygraph.emulator.server import Emulator

_KILLS = {"comfyui": 120, "civitai": 60, "tams": 70}
"""In each of two campaigns: more than five hundred in all, those of the command line among them."""

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def server() -> Iterator[KillServer]:
    """
    Give a process that forks those that are killed.
    """
    with kill_server() as running:
        yield running


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator that takes any token and sets no limits.
    """
    with Emulator(speed=0, any_token=True, faults=FAULTS) as running:
        yield running


def told(tally: Tally, record_property: Record) -> tuple[int, int, int, list[str]]:
    """
    Hand the figures to the summary, and give those that must be nothing.
    """
    record_property("kills", json.dumps(tally.to_json()))
    return tally.lost, tally.twice, tally.missing, tally.problems


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("target", ["comfyui", "civitai", "tams"])
def test_killed_at_every_write_and_every_send(
    target: str,
    seed: int,
    tmp_path: Path,
    server: KillServer,
    emulator: Emulator,
    record_property: Record,
) -> None:
    """
    Whatever kills the processes of a batch and of those that go on with it: no job is lost, none
    is bought twice, no file is missing. TAMS cannot be asked for a job by its key: what may have
    been sent to it is told to be uncertain, and not sent again.
    """
    campaign = Campaign(server, emulator, target, tmp_path, seed)
    tally = campaign.run(_KILLS[target])
    vital = {place for place in campaign.known if place.startswith(VITAL)}

    assert (0, 0, 0, []) == told(tally, record_property)
    assert _KILLS[target] <= tally.kills
    assert 12 <= len(vital)
    assert vital <= set(campaign.places)
    assert (target == "tams") == (tally.uncertain > 0)


def test_a_server_that_never_had_a_job_of_ours(
    tmp_path: Path, server: KillServer, emulator: Emulator, record_property: Record
) -> None:
    """
    A ComfyUI server that knows no older job of ours may have been started anew: what it does not
    know may be uncertain then, but is neither lost nor bought twice.
    """
    campaign = Campaign(server, emulator, "comfyui", tmp_path, 3, older_job=False)

    assert (0, 0, 0, []) == told(campaign.run(20), record_property)
