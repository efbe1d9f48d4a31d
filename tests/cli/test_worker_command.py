"""
`comfygraph worker` and `comfygraph submit --detach` as a person meets them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import PASSWORD, database

from comfygraph.cli import run
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.host import DEV_TOKEN
from comfygraph.emulator.server import Emulator

GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 32, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator that does not wait between steps.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as running:
        yield running


@pytest.fixture
def graph(tmp_path: Path) -> str:
    """
    Give the path of a small graph.
    """
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(GRAPH), "utf-8")
    return str(path)


@pytest.fixture
def shared(postgres_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """
    Have `COMFYGRAPH_LEDGER` name an empty database.
    """
    with database(postgres_port) as url:
        monkeypatch.setenv("COMFYGRAPH_LEDGER", url)
        yield url


def test_a_batch_is_left_carried_out_and_watched(
    shared: str,
    emulator: Emulator,
    graph: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    The whole way: detached, carried out by a worker in a folder of its own, looked at; no password
    is shown on it.
    """
    place = emulator.url("comfyui")
    sent = run(["submit", graph, "--sweep", "color=1..3", "--url", place, "--detach"])
    detached = capsys.readouterr()
    batch = detached.out.strip()
    again = run(["submit", graph, "--sweep", "color=1..3", "--url", place, "--detach", "--resume"])
    twice = capsys.readouterr()
    out = tmp_path / "mine"
    worked = run(["worker", "--once", "--queues", "comfyui", "--json", "--out", str(out)])
    done = capsys.readouterr()
    watched = run(["jobs", "watch", "--batch", batch])
    seen = capsys.readouterr()

    assert [0, 0, 0, 0] == [sent, again, worked, watched]
    assert "3 jobs put into the queue `comfyui` of postgresql://" in detached.err
    assert f"comfygraph jobs watch --batch {batch}" in detached.err
    assert batch == twice.out.strip()
    assert "all that is not over is in the queue" in twice.err
    rows = [json.loads(line) for line in done.out.splitlines()]
    files = [file for row in rows for file in row["files"]]
    assert ["succeeded"] * 3 == [row["state"] for row in rows]
    assert all(Path(file).parent == out and Path(file).is_file() for file in files)
    assert (out / f"batch-{batch}.csv").is_file()
    assert f"batch {batch}: 3 done" in seen.err
    assert PASSWORD not in "".join(text for pair in (detached, twice, done, seen) for text in pair)


def test_wrong_credentials_end_a_worker(
    shared: str,
    emulator: Emulator,
    graph: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    A worker whose credentials are refused ends and says so; another one does the work.
    """
    monkeypatch.setenv("CIVITAI_API_URL", emulator.url("civitai"))
    monkeypatch.setenv("CIVITAI_API_TOKEN", DEV_TOKEN)
    run(["submit", graph, "--sweep", "color=1..2", "--target", "civitai", "--yes", "--detach"])
    monkeypatch.setenv("CIVITAI_API_TOKEN", "wrong")
    refused = run(["worker", "--once", "--queues", "civitai"])
    said = capsys.readouterr().err
    monkeypatch.setenv("CIVITAI_API_TOKEN", DEV_TOKEN)
    worked = run(["worker", "--once", "--queues", "civitai"])
    lines = capsys.readouterr().out.splitlines()

    assert (4, 0) == (refused, worked)
    assert "does not know these credentials" in said
    assert 2 == sum("succeeded" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["worker"], "a worker needs a ledger that other machines see"),
        (["worker", "--ledger", "jobs.db"], "a worker needs a ledger that other machines see"),
        (["worker", "--ledger", "postgresql://a:b@c:d@e/f"], "more than one `@`"),
        (["worker", "--ledger", "postgresql://h/d", "--queues", "tamz"], "no service `tamz`"),
        (["worker", "--ledger", "postgresql://h/d", "--queues", "tams"], "cannot be carried out"),
        (["submit", "GRAPH", "--sweep", "color=1..3", "--detach"], "other machines see"),
        (
            [
                "submit",
                "GRAPH",
                "--sweep",
                "color=1..3",
                "--detach",
                "--ledger",
                "postgresql://h/d",
            ],
            "the embedded emulator ends with this command",
        ),
        (["submit", "GRAPH", "--detach"], "--detach is for batches"),
        (["jobs", "watch"], "Missing argument"),
        (["jobs", "watch", "1a2b", "--batch", "x"], "--batch only looks on"),
    ],
)
def test_what_does_not_fit_is_refused(
    arguments: list[str],
    said: str,
    graph: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    A file as ledger, a service that is not set up, an emulator that ends: each is told at once.
    """
    for name in ("TAMS_API_KEY", "TAMS_APP_ID", "COMFYGRAPH_TARGET"):
        monkeypatch.delenv(name, raising=False)
    code = run([graph if word == "GRAPH" else word for word in arguments])

    assert (2, True) == (code, said in capsys.readouterr().err)


def test_the_extra_is_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Without Procrastinate a worker says what to install.
    """
    import sys

    for name in [name for name in sys.modules if name.startswith("comfygraph.jobs.cluster")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    code = run(["worker", "--ledger", "postgresql://h/d"])

    assert (2, True) == (code, "pip install 'comfygraph[cluster]'" in capsys.readouterr().err)
