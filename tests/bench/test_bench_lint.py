"""
Lint is fast: a whole process takes at most 1.6 times `import click, json`; a chain of 10,000
nodes and all official templates at most 12 and 10 times `json.loads` of them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from measure import Compare, processor_seconds

from comfygraph.catalog import load_catalog
from comfygraph.documents import open_document
from comfygraph.lint import lint

ROOT = Path(__file__).parents[2]
SEED = ROOT / "tests" / "data" / "seed" / "tams_workflow.json"
CATALOG = load_catalog()


def _chain(size: int) -> bytes:
    def scale(number: int) -> dict[str, Any]:
        inputs = {"image": [str(number - 1), 0], "upscale_method": "area", "width": 128}
        inputs |= {"height": 96, "crop": "disabled"}
        return {"inputs": inputs, "class_type": "ImageScale", "_meta": {"title": "Upscale Image"}}

    first = {"width": 64, "height": 64, "batch_size": 1, "color": 0}
    last = {"images": [str(size - 1), 0], "filename_prefix": "out"}
    nodes = {str(number): scale(number) for number in range(2, size)}
    nodes["1"] = {"inputs": first, "class_type": "EmptyImage"}
    nodes[str(size)] = {"inputs": last, "class_type": "SaveImage"}
    return json.dumps(nodes).encode()


def _check(data: bytes) -> None:
    lint(open_document(data), CATALOG)


def test_whole_process(compare: Compare, tmp_path: Path) -> None:
    """
    Checking a graph costs little more than importing what every command line imports.
    """
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(tmp_path)
    run = "import sys; from comfygraph.cli import main; main(sys.argv[1:])"
    mine = [sys.executable, "-c", run, "lint", str(SEED)]
    base = [sys.executable, "-c", "import click, json"]
    rounds = 12 if compare.measuring else 1
    times = [(processor_seconds(mine, env), processor_seconds(base, env)) for _ in range(rounds)]

    if compare.measuring:
        compare.hold(min(pair[0] for pair in times) / min(pair[1] for pair in times), 1.6)


def test_long_chain(compare: Compare) -> None:
    """
    A chain of 10,000 nodes is checked within a small multiple of the time to parse it.
    """
    data = _chain(10_000)

    compare(lambda: _check(data), lambda: json.loads(data), aim=12)


@pytest.mark.parametrize("size", [95, 1_000])
def test_growth(compare: Compare, size: int) -> None:
    """
    Ten times the nodes take ten times as long, both where the server can follow the chain and
    where it cannot, which is foretold.
    """
    small, large = _chain(size), _chain(10 * size)

    compare.growth(lambda: _check(large), lambda: _check(small), times=10, rounds=7)


def test_all_templates(compare: Compare) -> None:
    """
    All official templates are checked within a small multiple of the time to parse them.
    """
    prompts = _template_prompts()

    compare(
        lambda: [_check(prompt) for prompt in prompts],
        lambda: [json.loads(prompt) for prompt in prompts],
        aim=10,
    )


def _template_prompts() -> list[bytes]:
    templates = pytest.importorskip("comfyui_workflow_templates_json")
    from comfygraph.workflow import convert

    out = []
    for path in sorted((Path(templates.__file__).parent / "templates").glob("*.json")):
        workflow = json.loads(path.read_bytes())
        if isinstance(workflow, dict) and "nodes" in workflow:
            out.append(json.dumps(convert(workflow, CATALOG).document).encode())
    assert len(out) > 100
    return out
