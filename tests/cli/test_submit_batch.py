"""
`comfygraph submit --batch`, `--sweep` and `--params`, as somebody types them.
"""

from __future__ import annotations

import csv
import json
import os
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

ROOT = Path(__file__).parents[2]
GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0},
        "_meta": {"title": "canvas"},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "red"}},
}


EXAMPLE = Path(__file__).parents[2] / "examples" / "hires.json"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator without pauses.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as running:
        yield running


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    Give a graph in an empty folder, which becomes the working folder.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMFYUI_URL", raising=False)
    Path("graph.json").write_text(json.dumps(GRAPH), "utf-8")
    return "graph.json"


@pytest.fixture
def civitai(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Have Civitai be the emulator.
    """
    monkeypatch.setenv("CIVITAI_API_URL", emulator.url("civitai"))
    monkeypatch.setenv("CIVITAI_API_TOKEN", DEV_TOKEN)


def submit(emulator: Emulator, *arguments: str) -> int:
    """
    Run `comfygraph submit` against the emulator; give the exit code.
    """
    return run(["submit", *arguments, "--url", emulator.url()])


def table(folder: str) -> list[dict[str, str]]:
    """
    Read the only manifest in a folder.
    """
    (place,) = Path(folder).glob("batch-*.csv")
    with place.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_sweeps(emulator: Emulator, graph: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Every value goes with every other; paths go to stdout, the sum and the manifest to stderr.
    """
    code = submit(
        emulator, graph, "--sweep", "canvas.color=1..3", "--sweep", "width=16,32", "-o", "out",
        "--set", "filename_prefix=blue",
    )  # fmt: skip
    out, err = capsys.readouterr()

    assert 0 == code
    assert [(str(color), str(width)) for color in (1, 2, 3) for width in (16, 32)] == [
        (row["canvas.color"], row["width"]) for row in table("out")
    ]
    assert sorted(f"blue_{index:05}_1.png" for index in range(1, 7)) == sorted(
        Path(line.split()[0]).name for line in out.splitlines()
    )
    assert all(line.endswith(("  16×16", "  32×16")) for line in out.splitlines())
    assert ": 6 done\n" in err
    assert "manifest out/batch-" in err


def test_parameter_file_and_names(emulator: Emulator, graph: str) -> None:
    """
    A row of a table makes a variant, zipped with a sweep; names of files come from a template.
    """
    Path("runs.csv").write_text("color,filename_prefix\n1,a\n2,b\n", "utf-8")
    code = submit(
        emulator, graph, "--params", "runs.csv", "--sweep", "width=16,32", "--combine", "zip",
        "--name", "{filename_prefix}/{color}-{width}.{ext}", "-o", "out",
    )  # fmt: skip

    assert 0 == code
    assert ["a/1-16.png", "b/2-32.png"] == [row["files"] for row in table("out")]
    assert Path("out/a/1-16.png").is_file()


def test_batch_of_files(emulator: Emulator, graph: str) -> None:
    """
    A folder and a JSONL make a job of each graph; the table says which graph it was.
    """
    Path("graphs").mkdir()
    for name in ("one", "two"):
        other = json.loads(json.dumps(GRAPH))
        other["2"]["inputs"]["filename_prefix"] = name
        Path(f"graphs/{name}.json").write_text(json.dumps(other), "utf-8")
    rows = [{"graph": "graphs/two.json", "set": {"color": 7}}, GRAPH]
    Path("all.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    codes = [
        submit(emulator, "--batch", "graphs", "-o", "first"),
        submit(emulator, "-b", "all.jsonl", "-o", "second"),
    ]

    assert [0, 0] == codes
    assert ["one.json", "two.json"] == [row["label"] for row in table("first")]
    assert ["graphs/two.json", "line 2"] == [row["label"] for row in table("second")]


def test_parameters_of_a_script(emulator: Emulator, graph: str) -> None:
    """
    The parameters of a script's graph are swept by their names.
    """
    Path("made.py").write_text(
        "from comfygraph import param\n"
        "from comfygraph.nodes import EmptyImage, SaveImage\n"
        "picture = EmptyImage(width=16, height=16, batch_size=1, color=param('paint', 5))\n"
        "graph = SaveImage(images=picture, filename_prefix='made')\n",
        "utf-8",
    )
    code = submit(emulator, "made.py:graph", "--sweep", "paint=1..2", "-o", "out")

    assert 0 == code
    assert ["1", "2"] == [row["paint"] for row in table("out")]


def test_events_as_json(
    emulator: Emulator, graph: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """
    With `--json` each line of stdout is an event; the last one is the end.
    """
    submit(emulator, graph, "--sweep", "color=1..2", "--json")
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert ("BatchStarted", "BatchEnded") == (events[0]["type"], events[-1]["type"])
    assert {1: "succeeded", 2: "succeeded"} == {
        event["index"]: event["state"] for event in events if event["type"] == "VariantEnded"
    }


def test_dry_run(emulator: Emulator, graph: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A dry run counts the jobs and shows the first ones; nothing is sent or written down.
    """
    before = sum(emulator.stats().submits.values())
    code = submit(emulator, graph, "--sweep", "color=1..500", "--dry-run")
    text = capsys.readouterr().out
    submit(emulator, graph, "--sweep", "color=1..500", "--dry-run", "--json")
    document = json.loads(capsys.readouterr().out)

    assert 0 == code
    assert text.startswith(
        "500 jobs\n\n1  graph.json: color=1\n2  graph.json: color=2\n3  graph.json: color=3\n"
        "   and 497 more\n\nthe first:\nPOST http://127.0.0.1:"
    )
    assert (500, [1, 2, 3]) == (document["jobs"], [item["index"] for item in document["first"]])
    assert before == sum(emulator.stats().submits.values())
    assert not Path(os.environ["COMFYGRAPH_LEDGER"]).exists()


def test_what_a_sweep_costs_by_its_first_job(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Where jobs differ in work, a sweep is measured by its first: more steps, more of it.
    """
    sweep = (str(EXAMPLE), "--sweep", "7.steps=10,100")
    code = submit(emulator, *sweep, "--dry-run")
    text = capsys.readouterr().out
    submit(emulator, *sweep, "--dry-run", "--json")
    times = json.loads(capsys.readouterr().out)["times_the_first"]

    assert 0 == code
    assert 2.2 < times < 11
    assert text.startswith(f"2 jobs, about {times:.3g} times what the first one costs\n")


def test_resume(emulator: Emulator, graph: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The same command with `--resume` goes on with the batch; one that is over stays over.
    """
    command = (graph, "--sweep", "color=random:3", "-o", "out", "--resume")
    first = submit(emulator, *command)
    before = sum(emulator.stats().submits.values())
    second = submit(emulator, *command)
    err = capsys.readouterr().err

    assert [0, 0] == [first, second]
    assert before == sum(emulator.stats().submits.values())
    assert err.startswith("no such batch to go on with: this is a new one\n")
    assert "going on with batch " in err
    assert 3 == len(table("out"))


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_killed_and_gone_on_with(graph: str, tmp_path: Path) -> None:
    """
    A batch whose process was killed is gone on with: each variant has one job at the service.
    """
    with Emulator(["comfyui"], speed=20.0) as slow:
        command = [
            sys.executable, "-m", "comfygraph", "submit", graph, "--sweep", "color=1..20",
            "--url", slow.url(), "-o", "out", "--json", "--resume",
        ]  # fmt: skip
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        killed = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=tmp_path)
        assert killed.stdout is not None
        for line in killed.stdout:
            if '"VariantEnded"' in line:
                break
        killed.kill()
        killed.communicate()
        stopped = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=env, cwd=tmp_path
        )
        assert stopped.stdout is not None
        for line in stopped.stdout:
            if '"VariantEnded"' in line:
                break
        stopped.send_signal(signal.SIGINT)
        rest = stopped.communicate(timeout=30)[0]
        assert 130 == stopped.returncode
        slow_down = json.loads(rest.splitlines()[-1])
        assert ("BatchEnded", "interrupted") == (slow_down["type"], slow_down["reason"])
        last = subprocess.run(
            command, capture_output=True, text=True, env=env, cwd=tmp_path, check=True
        )
        end = json.loads(last.stdout.splitlines()[-1])
        made = slow.stats().submits["comfyui"]

    assert (20, 0, 0) == (end["succeeded"], end["failed"], end["left"])
    assert 20 == made
    assert ["succeeded"] * 20 == [row["state"] for row in table("out")]


def test_skip_invalid(
    emulator: Emulator, graph: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """
    An invalid variant is told with its parameters and nothing is sent, or only the others are.
    """
    command = (graph, "--sweep", "width=16,0,16,32", "-o", "out")
    refused = submit(emulator, *command)
    told = capsys.readouterr().err
    sent = submit(emulator, *command, "--skip-invalid")

    assert (1, 0) == (refused, sent)
    assert "variant 2 of graph.json: width=0\n  CG302 value-below-min: EmptyImage (1)" in told
    assert "nothing was sent, since lint found errors in 1 of 4 variants" in told
    assert ["16", "32"] == [row["width"] for row in table("out")]
    assert "1 twin of other variants left out" in capsys.readouterr().err


@pytest.mark.usefixtures("civitai")
def test_money(
    emulator: Emulator, graph: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """
    A batch that costs money is priced first; nobody is bought anything without a word.
    """
    command = ["submit", graph, "--sweep", "color=1..3", "--target", "civitai", "--no-lint"]
    before = sum(emulator.stats().submits.values())
    unasked = run(command)
    told = capsys.readouterr().err
    dear = run([*command, "--max-cost", "0.001", "--yes"])
    too_dear = capsys.readouterr().err
    assert before == sum(emulator.stats().submits.values())
    agreed = run([*command, "--yes"])
    asked = run([*command, "--dry-run", "--quote"])

    assert [2, 2, 0, 0] == [unasked, dear, agreed, asked]
    assert "this costs money (3 jobs, " in told
    assert "--yes sends it" in told
    assert "that is more than --max-cost 0.001, so nothing was sent" in too_dear
    assert "cost " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sweep", "colr=1..3"), "did you mean `color`?"),
        (("--sweep", "color"), "write it like --sweep 3.seed=1..100"),
        (("--sweep", "color=1..1000000000"), "1,000,000,000 jobs, and the limit is 100,000"),
        (("--sweep", "color=1..5", "--max-jobs", "4"), "5 jobs, and the limit is 4"),
        (("--sweep", "color=1..2", "--sweep", "width=1..3", "--combine", "zip"), "as many values"),
        (("--sweep", "color=1..2", "--combine", "mix"), "choose cross, zip, sample:N"),
        (("--sweep", "color=1..2", "--sweep", "color=1..3"), "in more than one way"),
        (("--sweep", "color=1..2", "--name", "{colour}.png"), "did you mean `color`?"),
        (("--sweep", "color=1..2", "--name", "{ext}", "--overwrite"), "would replace each other"),
        (("--sweep", "color=1..2", "--no-wait"), "--no-wait is for single jobs"),
        (("--sweep", "color=1..2", "--no-ledger"), "--no-ledger does not fit"),
        (("--sweep", "color=1..2", "--only", "2"), "--only is for single jobs"),
        (("--sweep", "color=1..2", "-O", "frnt=1"), "takes no option `frnt`"),
        (("--sweep", "color=1..2", "--quote"), "--quote goes with --dry-run"),
        (("--sweep", "color=@none.txt"), "cannot read none.txt"),
        (("--params", "none.csv"), "cannot read none.csv"),
        (("--batch", "none.jsonl"), "--params FILE runs one graph for each row"),
        (("--jobs", "3"), "--jobs is for batches"),
        (("--yes",), "--yes is for batches"),
    ],
)
def test_wrong_use(
    emulator: Emulator, graph: str, capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...], message: str,
) -> None:  # fmt: skip
    """
    What cannot be meant is told before anything is sent, with what to do.
    """
    code = submit(emulator, graph, *arguments)
    err = capsys.readouterr().err

    assert code in (2, 3)
    assert message in err
    assert "Traceback" not in err


def test_no_graph_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without a graph the command says what is missing.
    """
    codes = [run(["submit"]), run(["submit", "--sweep", "seed=1..2"])]
    err = capsys.readouterr().err

    assert [2, 2] == codes
    assert "Missing argument 'GRAPH'" in err
    assert "there is no GRAPH" in err


def test_embedded_emulator(graph: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    With no service set up a batch runs on the embedded emulator, which says so.
    """
    code = run(["submit", graph, "--sweep", "color=1..2"])
    out, err = capsys.readouterr()
    kept: Any = run(["submit", graph, "--sweep", "color=1..2", "-o", "out"])

    assert [0, 0] == [code, kept]
    assert "" == out
    assert "no target configured" in err
    assert "2 made and not saved: --out DIR keeps them" in err
    assert 2 == len(table("out"))
