"""
Ctrl-C at `comfygraph submit`, with a real process and real signals.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfygraph.emulator.faults import Faults
from comfygraph.emulator.server import Emulator

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "hires.json"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator that takes its time.
    """
    with Emulator(["comfyui"], speed=10.0) as running:
        yield running


def begin(emulator: Emulator, tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    """
    Start the command, and wait until a sampler works.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "comfygraph", "submit", str(EXAMPLE), "--url", emulator.url(),
         "--out", str(tmp_path / "o"), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stdout is not None
    stream = process.stdout if "--json" in options else process.stderr
    for line in stream:
        if "base pass (7)" in line or '"node_id": "7"' in line:
            return process
    raise AssertionError(f"it ended early: {process.communicate()}")


def test_first_ctrl_c_cancels(emulator: Emulator, tmp_path: Path) -> None:
    """
    The first Ctrl-C asks the service to cancel, once, says so, and waits for the end.
    """
    process = begin(emulator, tmp_path)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert (130, "") == (process.returncode, out)
    assert "note   asking the service to cancel the job" in err
    assert "note   Ctrl-C again leaves the job running" in err
    assert "the job was cancelled" == err.splitlines()[-1]
    assert 1 == emulator.stats().requests["POST /interrupt"]
    assert {"interrupted": 1} == emulator.stats().jobs


def test_ctrl_c_as_json(emulator: Emulator, tmp_path: Path) -> None:
    """
    With --json the last line is the end of the job as always.
    """
    process = begin(emulator, tmp_path, "--json")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)

    assert 130 == process.returncode
    assert "JobCancelled" == json.loads(out.splitlines()[-1])["type"]


def test_second_ctrl_c_leaves(emulator: Emulator, tmp_path: Path) -> None:
    """
    The second Ctrl-C leaves at once, while the service still has not answered, and says how to
    find the job.
    """
    emulator.faults = Faults(route="POST /interrupt", delay=100.0)
    process = begin(emulator, tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    for line in process.stderr:
        if "asking the service to cancel" in line:
            break
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert 130 == process.returncode
    assert err.splitlines()[-2].startswith("left; the job may still run: job ")
    assert err.splitlines()[-1].startswith("follow it: comfygraph jobs watch ")
    assert emulator.url() in err.splitlines()[-2]
