"""
The command line, killed at random moments and started again with `--resume` and `jobs resume`.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kill_campaign import FAULTS, PROMPT, Campaign, Tally, config_of, kill_server

from comfygraph.emulator.server import Emulator
from comfygraph.jobs.ledger import State, open_ledger

_JOBS = 6


def batch_command(order: dict[str, Any], folder: Path) -> list[str]:
    """
    Give the arguments that submit the batch of an order, or go on with it.
    """
    graph = folder / "graph.json"
    graph.write_text(json.dumps(PROMPT.to_json()), encoding="utf-8")
    return [
        "submit", str(graph), "--target", order["target"], "--ledger", order["ledger"],
        "--out", order["out"], "--sweep", f"color={order['first']}..{order['first'] + _JOBS - 1}",
        "--jobs", "3", "--no-lint", "--resume",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_batches_are_killed_and_resumed(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """
    The command that was killed, given again, goes on with its batch: nothing lost, nothing twice.
    """
    chance = random.Random(7)
    total = Tally()
    with kill_server() as server, Emulator(speed=0, any_token=True, faults=FAULTS) as emulator:
        campaign = Campaign(server, emulator, "comfyui", tmp_path, 7, jobs=_JOBS)
        while total.kills < 12:
            order = campaign.order()
            log = Path(order["out"]).with_name("log")
            arrangement = {
                "argv": batch_command(order, log.parent),
                "environ": config_of(emulator, "comfyui"),
                "log": str(log),
            }
            campaign.older_job(Path(order["ledger"]))
            before = campaign.bought()
            tally = Tally(jobs=_JOBS)
            for _ in range(8):
                seconds = chance.uniform(0.02, 1.2)
                tally.kills += server.run({**arrangement, "seconds": seconds})["killed"]
            told = server.run(arrangement)
            assert 0 == told["status"], log.read_text()
            with open_ledger(order["ledger"]) as ledger:
                (batch,) = ledger.batches()
            campaign.count({**order, "batch": batch.id}, tally, before)
            total.add(tally)
    record_property("kills", json.dumps(total.to_json()))

    assert (0, 0, 0, []) == (total.lost, total.twice, total.missing, total.problems)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_single_jobs_are_killed_and_resumed(tmp_path: Path) -> None:
    """
    A process of its own is killed while it follows a job; `jobs resume` brings the files.
    """
    program = [sys.executable, "-m", "comfygraph"]
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(PROMPT.to_json()), encoding="utf-8")
    place = str(tmp_path / "ledger.db")
    with Emulator(speed=0, any_token=True, faults=FAULTS) as emulator:
        at = ["--url", emulator.url(), "--ledger", place]
        older = subprocess.run(
            [*program, "submit", str(graph), *at], capture_output=True, text=True, check=False
        )
        assert 0 == older.returncode, older.stderr
        emulator.speed = 1
        with subprocess.Popen(
            [*program, "submit", str(graph), *at, "--set", "color=77", "--json",
             "--out", str(tmp_path / "out")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            assert b"JobQueued" in process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.communicate()
        emulator.speed = 0
        resumed = subprocess.run(
            [*program, "jobs", "resume", "--all", "--ledger", place],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert 0 == resumed.returncode, resumed.stderr
        with open_ledger(place) as ledger:
            states = [record.state for record in ledger.jobs()]
        submits = emulator.stats().submits

    assert [State.SUCCEEDED] * 2 == states
    assert {"comfyui": 2} == submits
    assert 1 == len(list((tmp_path / "out").glob("*.png")))
