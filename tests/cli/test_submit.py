"""
`comfygraph submit` when all is well: lines, JSON, dry runs, references, stdin.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comfygraph.cli import run
from comfygraph.emulator.server import Emulator

ROOT = Path(__file__).parents[2]
PROMPT = {
    "1": {"class_type": "EmptyImage",
          "inputs": {"width": 64, "height": 32, "batch_size": 1, "color": 0},
          "_meta": {"title": "canvas"}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}},
}  # fmt: skip

WORKFLOW = {
    "last_node_id": 2,
    "last_link_id": 1,
    "nodes": [
        {"id": 1, "type": "EmptyImage", "pos": [0, 0], "size": [200, 100], "flags": {}, "order": 0,
         "mode": 0, "inputs": [], "properties": {}, "widgets_values": [48, 24, 1, 7],
         "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [1], "slot_index": 0}]},
        {"id": 2, "type": "SaveImage", "pos": [300, 0], "size": [200, 100], "flags": {}, "order": 1,
         "mode": 0, "inputs": [{"name": "images", "type": "IMAGE", "link": 1}], "outputs": [],
         "properties": {}, "widgets_values": ["flow"]},
    ],
    "links": [[1, 1, 0, 2, 0, "IMAGE"]],
    "groups": [],
    "config": {},
    "extra": {},
    "version": 0.4,
}  # fmt: skip
ON_EMULATOR = (
    "no target configured: running on the embedded emulator, pictures are placeholders "
    "(see `comfygraph submit --help`)"
)
Submit = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator without pauses.
    """
    with Emulator(speed=0) as running:
        yield running


@pytest.fixture
def graph(tmp_path: Path) -> str:
    """
    Give a file with a good graph.
    """
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(PROMPT))
    return str(path)


@pytest.fixture
def submit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Submit:
    """
    Give a function that runs the command: exit code, stdout, stderr.
    """
    for name in ("COMFYGRAPH_TARGET", "COMFYUI_URL", "TAMS_API_KEY", "CIVITAI_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        code = run(["submit", *args])
        captured = capsys.readouterr()
        return int(code), captured.out, captured.err

    return call


def test_without_a_target(submit: Submit, graph: str) -> None:
    """
    With nothing set up the graph runs on the embedded emulator, which is said; paths and sizes go
    to stdout, a line for each change to stderr.
    """
    code, out, err = submit(graph, "--out", "results")

    assert (0, "results/out_00001_.png  64×32\n") == (code, out)
    assert [
        ON_EMULATOR,
        "  0 %  queued",
        "  0 %  started",
        "  0 %  run    canvas (1)",
        " 33 %  done   canvas (1)",
        " 33 %  run    ImageInvert (2)",
        " 66 %  done   ImageInvert (2)",
        " 66 %  run    SaveImage (3)",
        " 99 %  done   SaveImage (3)",
        "100 %  succeeded",
    ] == err.splitlines()


def test_chosen_emulator(submit: Submit, graph: str) -> None:
    """
    Who asks for the emulator knows what they get; files that are not kept are counted.
    """
    code, out, err = submit(graph, "--target", "emulator")

    assert (0, "") == (code, out)
    assert "no target configured" not in err
    assert "1 file made and not saved: --out DIR keeps them" == err.splitlines()[-1]


def test_json(submit: Submit, graph: str, emulator: Emulator) -> None:
    """
    One event a line, each with its type; the last is the end of the job with its files.
    """
    code, out, err = submit(graph, "--json", "--out", "o", "--url", emulator.url())
    events = [json.loads(line) for line in out.splitlines()]

    assert (0, "") == (code, err)
    assert ["JobQueued", "JobStarted", "NodeStarted"] == [event["type"] for event in events[:3]]
    assert ("JobSucceeded", "o/out_00001_.png") == (
        events[-1]["type"],
        events[-1]["files"][0]["path"],
    )


def test_set_and_addresses(submit: Submit, graph: str, emulator: Emulator) -> None:
    """
    Inputs are changed before the submit; without a folder the addresses of the files are printed.
    """
    code, out, _ = submit(
        graph, "--url", emulator.url(), "--set", "canvas.width=128", "--set", "3.filename_prefix=7"
    )
    _, saved, _ = submit(
        graph, "--url", emulator.url(), "-o", "o", "-s", "canvas.width=128", "-s",
        "3.filename_prefix=7",
    )  # fmt: skip

    assert 0 == code
    assert out.startswith(f"{emulator.url()}/view?filename=7_0000")
    assert saved.endswith("128×32\n")


def test_stdin(submit: Submit, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `-` reads the graph from stdin, in any shape that carries one.
    """
    body = json.dumps({"prompt": PROMPT, "client_id": "x"}).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
    code, out, _ = submit("-", "--url", emulator.url(), "--out", "o", "--set", "1.color=3")

    assert 0 == code
    assert out.endswith("64×32\n")


def test_overwrite(submit: Submit, graph: str, emulator: Emulator, tmp_path: Path) -> None:
    """
    Files of the same name are counted, and replaced only when that is asked for; each has the
    graph that made it beside it.
    """
    for color in ("31", "32"):
        submit(graph, "--out", "o", "--set", f"1.color={color}")
    submit(graph, "--out", "o", "--overwrite", "--set", "1.color=33")

    assert ["out_00001_.json", "out_00001_.png", "out_00002_.json", "out_00002_.png"] == sorted(
        path.name for path in (tmp_path / "o").iterdir()
    )


def test_no_wait(submit: Submit, graph: str, emulator: Emulator) -> None:
    """
    Without waiting the id of the job is printed, as JSON its whole reference.
    """
    code, out, err = submit(graph, "--no-wait", "--url", emulator.url())
    _, reference, _ = submit(graph, "--no-wait", "--json", "--url", emulator.url())

    told, way_on = err.splitlines()
    assert 0 == code
    assert f"handed in: job {out.strip()} of comfyui at {emulator.url()}" == told
    assert way_on.startswith("follow it: comfygraph jobs watch ")
    assert {"target": "comfyui", "base_url": emulator.url()}.items() <= json.loads(
        reference
    ).items()


def test_dry_run(submit: Submit, graph: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A dry run prints the request that would be sent, with the credentials masked, and needs no
    service.
    """
    monkeypatch.setenv("TAMS_API_KEY", "very-secret-key")
    code, out, err = submit(graph, "--dry-run", "--target", "tams", "--url", "http://tams.test/")
    lines = out.splitlines()
    body = json.loads(out[out.index("\n{") :])

    assert (0, "") == (code, err)
    assert "POST http://tams.test/v1/jobs/workflow" == lines[0]
    assert "Authorization: Bearer ***" in lines
    assert {"classType": "ImageInvert", "inputs": {"image": ["1", 0]}} == body["params"]["2"]
    assert "very-secret-key" not in out


def test_dry_run_as_json(submit: Submit, graph: str) -> None:
    """
    The same as one JSON object, also for the emulator, which is not started.
    """
    code, out, _ = submit(graph, "--dry-run", "--json")
    request = json.loads(out)

    assert 0 == code
    assert ("POST", PROMPT) == (request["method"], request["body"]["prompt"])


def test_target_from_the_environment(
    submit: Submit, graph: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    COMFYGRAPH_TARGET stands in for --target, and each service has its own variables.
    """
    monkeypatch.setenv("COMFYGRAPH_TARGET", "civitai")
    monkeypatch.setenv("CIVITAI_API_TOKEN", "token")
    monkeypatch.setenv("CIVITAI_API_URL", "http://civitai.test")
    _, out, _ = submit(graph, "--dry-run")

    assert out.startswith("POST http://civitai.test/v2/consumer/workflows?")


def test_target_from_the_file(submit: Submit, graph: str, tmp_path: Path) -> None:
    """
    The nearest comfygraph.toml names target, address and folder; another target on the command
    line does not get the file's address.
    """
    (tmp_path / "comfygraph.toml").write_text(
        '[submit]\ntarget = "comfyui"\nurl = "http://comfy.test:1"\n'
    )
    _, out, _ = submit(graph, "--dry-run")
    _, other, _ = submit(graph, "--dry-run", "--target", "emulator")

    assert out.startswith("POST http://comfy.test:1/prompt\n")
    assert other.startswith("POST http://127.0.0.1:8188/prompt\n")


def test_warnings_do_not_stop(submit: Submit, tmp_path: Path, emulator: Emulator) -> None:
    """
    Warnings of lint are counted and the graph is sent.
    """
    graph = tmp_path / "warned.json"
    graph.write_text(
        json.dumps({**PROMPT, "9": {"class_type": "EmptyImage", "inputs": PROMPT["1"]["inputs"]}})
    )
    code, _, err = submit(str(graph), "--url", emulator.url(), "--set", "1.color=40")

    assert 0 == code
    assert err.startswith("lint: 0 errors, 1 warning in 1 file")


def test_warnings_about_what_was_set_are_told(submit: Submit, graph: str) -> None:
    """
    What a new value brings is told at once: nobody finds it in the file.
    """
    code, _, err = submit(graph, "--dry-run", "--set", "SaveImage.filename_prefix=~/photo")

    assert 0 == code
    assert "filename_prefix" in err
    assert "comfygraph lint" not in err


def test_picture(submit: Submit, graph: str, emulator: Emulator) -> None:
    """
    A picture is run again from the graph that it carries.
    """
    _, first, _ = submit(graph, "--url", emulator.url(), "-o", "o", "-s", "canvas.width=256")
    picture = first.split()[0]
    code, again, _ = submit(picture, "--url", emulator.url(), "-o", "o", "-s", "canvas.height=16")

    assert (0, "256×16") == (code, again.split()[1])


def test_workflow(submit: Submit, emulator: Emulator, tmp_path: Path) -> None:
    """
    A workflow of the editor is converted, and written into the picture as the editor does it.
    """
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(WORKFLOW))
    code, out, _ = submit(str(path), "--url", emulator.url(), "-o", "o")
    _, body, _ = submit(str(path), "--dry-run", "--json", "--url", emulator.url())
    saved = Path(out.split()[0]).read_bytes()

    assert 0 == code
    assert b"workflow" in saved
    assert WORKFLOW == json.loads(body)["body"]["extra_data"]["extra_pnginfo"]["workflow"]


def test_nothing_heavy_for_help() -> None:
    """
    `comfygraph submit --help` imports no HTTP client, no terminal library and no emulator.
    """
    import subprocess

    script = (
        "import sys; from comfygraph.cli import run; run(['submit', '--help']);"
        "heavy = {'httpx', 'websockets', 'rich', 'starlette', 'pydantic', 'networkx', 'PIL'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert "[]" == done.stdout.splitlines()[-1]
    assert "comfygraph submit graph.json --out out" in done.stdout
