"""
`comfygraph submit` with batches that are left, stopped, and gone on with.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comfygraph.cli import run
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.host import DEV_TOKEN
from comfygraph.emulator.server import Emulator
from comfygraph.jobs.batch.planning import BatchPlan
from comfygraph.jobs.ledger import open_ledger

ROOT = Path(__file__).parents[2]
GRAPH: dict[str, Any] = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "red"}},
}
NEW = "no such batch to go on with: this is a new one\n"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator without pauses.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as running:
        yield running


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> Path:
    """
    Give an empty working folder with a graph; Civitai is the emulator.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIVITAI_API_URL", emulator.url("civitai"))
    monkeypatch.setenv("CIVITAI_API_TOKEN", DEV_TOKEN)
    Path("graph.json").write_text(json.dumps(GRAPH), "utf-8")
    return tmp_path


def plans() -> list[BatchPlan]:
    """
    Give the plans of all batches, oldest first.
    """
    with open_ledger() as ledger:
        return [BatchPlan.of(batch) for batch in ledger.batches()]


def test_more_money(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A batch that was stopped by --max-cost goes on with a higher one; left out, the old one holds.
    """
    command = [
        "submit", "graph.json", "--sweep", "color=1..4", "--target", "civitai", "--no-lint",
        "--yes", "--resume", "--jobs", "1",
    ]  # fmt: skip
    run([*command, "--dry-run", "--quote", "--json"])
    price = json.loads(capsys.readouterr().out)["cost"]
    run([*command, "--max-cost", f"{price}"])
    capsys.readouterr()
    (plan,) = plans()

    assert price == plan.max_cost
    assert 0 == run(command)
    assert f"note: --max-cost {price:g} of then holds" in capsys.readouterr().err
    assert 0 == run([*command, "--max-cost", "1000", "--retries", "7"])
    assert [(1000.0, 7)] == [(item.max_cost, item.retries) for item in plans()]


def test_a_changed_graph_is_told(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """
    A batch is gone on with as it was written down, and a file that has changed since is told.
    """
    Path("colors.csv").write_text("color\n1\n2\n", "utf-8")
    command = [
        "submit", "graph.json", "--params", "colors.csv", "--url", emulator.url(), "--resume",
    ]  # fmt: skip
    codes = [run(command)]
    capsys.readouterr()
    codes.append(run(command))
    same = capsys.readouterr().err
    Path("colors.csv").write_text("color\n1\n2\n3\n", "utf-8")
    codes.append(run(command))
    other = capsys.readouterr().err

    assert [0, 0, 0] == codes
    assert "has changed since" not in same
    assert "note: a file that it was made of has changed since" in other
    assert [2] == [plan.jobs for plan in plans()]


def test_graphs_from_stdin_are_told_apart(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Another graph from stdin is another batch, though the command is the same; so are other options.
    """
    command = ["submit", "-", "--sweep", "color=1..2", "--url", emulator.url(), "--resume"]
    other = json.loads(json.dumps(GRAPH))
    other["2"]["inputs"]["filename_prefix"] = "blue"
    told = []
    for graph, options in ((GRAPH, ()), (GRAPH, ()), (other, ()), (GRAPH, ("-O", "front=true"))):
        piped = io.TextIOWrapper(io.BytesIO(json.dumps(graph).encode()))
        monkeypatch.setattr(sys, "stdin", piped)
        assert 0 == run([*command, *options])
        told.append(capsys.readouterr().err.startswith(NEW))

    assert [True, False, True, True] == told


def test_a_picture_names_no_files(emulator: Emulator) -> None:
    """
    Graphs out of pictures came on their own: no file of this machine is read for them.
    """
    assert 0 == run(["submit", "graph.json", "--url", emulator.url(), "-o", "made", "--no-graph"])
    (picture,) = Path("made").glob("*.png")
    Path("graphs").mkdir()
    picture.rename("graphs/one.png")
    for source in (["graphs/one.png"], ["--batch", "graphs"], ["graph.json"]):
        assert 0 == run(["submit", *source, "--sweep", "color=1..2", "--url", emulator.url()])

    assert [(), (), (str(Path().absolute()),) * 2] == [plan.folders for plan in plans()]


def test_files_that_are_missing(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """
    Jobs whose files could not be fetched make no batch that went well, and what is printed fetches
    them.
    """
    emulator.faults = Faults(qps=0, route="GET /view", errors=10_000, error_status=404)
    command = ["submit", "graph.json", "--sweep", "color=1..2", "--url", emulator.url(), "-o", "o"]
    code = run(command)
    err = capsys.readouterr().err
    emulator.faults = Faults(qps=0)
    (fetch,) = re.findall(r"^fetch +comfygraph (.*)$", err, re.MULTILINE)

    assert 4 == code
    assert "error: all jobs succeeded, and 2 of them lack files" in err
    assert 0 == run(fetch.split())
    assert 2 == len(list(Path("o").glob("*.png")))


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_ctrl_c_twice(folder: Path) -> None:
    """
    The first Ctrl-C says what is followed to its end, the second one leaves it; what is printed
    goes on with all of it.
    """
    with Emulator(["comfyui"], speed=1.0) as slow:
        command = [
            sys.executable, "-m", "comfygraph", "submit", "graph.json", "--sweep", "color=1..9",
            "--url", slow.url(), "-o", "out", "--ledger", "own ledger.db",
        ]  # fmt: skip
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=folder
        )
        assert process.stdout is not None
        assert process.stderr is not None
        assert re.fullmatch(r"out/red_0000\d_1.png  16×16\n", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        told = [process.stderr.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        slow.speed = 0
        (resume,) = re.findall(r"^go on .* or\n +(comfygraph .*)$", err, re.MULTILINE)
        again = subprocess.run(
            f"{sys.executable} -m {resume}", shell=True, check=True, env=env, cwd=folder,
            capture_output=True, text=True,
        )  # fmt: skip
        made = slow.stats().submits["comfyui"]

    assert 130 == process.returncode
    assert "9 jobs\n" == told[0]
    assert re.fullmatch(r" +note +nothing more .* followed to (their|its) end\n", told[1])
    assert re.fullmatch(r" +note +Ctrl-C again leaves them running\n", told[2])
    assert re.search(r"^batch [\w-]+: [1-4] done, [5-8] left, [1-4] of them at the", err, re.M)
    assert "give up  comfygraph jobs cancel --batch " in err
    assert "--ledger 'own ledger.db'" in err
    assert ": 9 done" in again.stderr
    assert 9 == made
