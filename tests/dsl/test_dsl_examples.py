"""
The examples: each script gives its graph, and the graph file beside it is that graph.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfygraph.cli.graphs import open_graph
from comfygraph.core.values import Prompt
from comfygraph.dsl import Template
from comfygraph.emulator.server import Emulator
from comfygraph.lint import lint

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    """
    A ComfyUI that does not make anybody wait.
    """
    with Emulator(["comfyui"], speed=0) as running:
        yield running


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_a_script_builds_the_file_beside_it(script: Path, request: pytest.FixtureRequest):
    """
    `graph` is the prompt of the `.json` of the same name, byte for byte.
    """
    graph = runpy.run_path(str(script))["graph"]
    text = json.dumps(graph.to_json(), indent=2, ensure_ascii=False) + "\n"
    path = script.with_suffix(".json")
    if request.config.getoption("--update"):
        path.write_text(text, encoding="utf-8")

    assert path.read_text("utf-8") == text
    assert graph == Prompt.from_json(json.loads(text))


def test_there_are_examples_of_what_people_want():
    """
    Ten kinds of graphs at least, each as a script and as a file.
    """
    wanted = {
        "controlnet", "flux", "hires", "img2img", "inpaint", "postcard", "sdxl_refiner", "sweep",
        "txt2img_loras", "upscale", "wan_video",
    }  # fmt: skip

    assert wanted <= {path.stem for path in SCRIPTS}


@pytest.mark.parametrize("name", ["hires", "postcard"])
def test_a_script_prints_its_prompt(name: str):
    """
    Run as a program, a script prints the JSON that `comfygraph submit -` takes.
    """
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")], capture_output=True, check=True
    )

    assert (EXAMPLES / f"{name}.json").read_bytes() == done.stdout.replace(b"\r\n", b"\n")


def test_the_template_takes_values():
    """
    The parameters of the postcard are listed and can be set.
    """
    template = runpy.run_path(str(EXAMPLES / "postcard.py"))["template"]

    assert isinstance(template, Template)
    assert {"checkpoint", "seed", "steps", "text", "width", "height"} == set(template.parameters)
    assert 3 in [node.inputs.get("seed") for node in template(seed=3).nodes()]


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_lint_finds_nothing(script: Path):
    """
    By its name in the script: neither errors nor warnings, nor things to know.
    """
    document = open_graph(f"{script}:graph")

    assert [] == list(lint(document))
    assert document.written is not None
    assert {script.name} == {Path(file).name for file, _ in document.written.values()}


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_a_script_runs_on_the_emulator(script: Path, tmp_path: Path, server: Emulator):
    """
    To its end, and each of its output nodes saves a file.
    """
    graph = Prompt.from_json(json.loads(script.with_suffix(".json").read_text("utf-8")))
    saving = [node.id for node in graph.nodes() if node.class_type.startswith("Save")]
    config = {"COMFYUI_URL": server.url("comfyui")}
    end = graph.submit(target="comfyui", config=config, out=tmp_path).result()

    assert saving
    assert set(saving) == {file.node_id for file in end.files if file.path is not None}
