"""
`comfygraph submit --option`, and files that hold a body of Civitai.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from comfygraph.cli import run
from comfygraph.cli.target_options import target_options
from comfygraph.documents import open_document
from comfygraph.errors import UsageError

AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
GRAPH = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": AIR}},
    "2": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 32, "batch_size": 1, "color": 0},
    },
    "9": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "p"}},
}
PLAIN = open_document(json.dumps(GRAPH).encode(), name="graph.json")
BODY = {
    "tags": ["night"],
    "externalId": "of-somebody-else",
    "steps": [
        {
            "$type": "customComfy",
            "timeout": "00:30:00",
            "input": {"trace": "none", "resources": [AIR], "workflow": GRAPH},
        }
    ],
}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], {}),
        (["quantity=4", "priority=high"], {"quantity": 4, "priority": "high"}),
        (["tags=a", "tags=b"], {"tags": ["a", "b"]}),
        (["min-vram-gb=48", "tags=a=b"], {"min_vram_gb": 48, "tags": "a=b"}),
        (["timeout=null", 'metadata={"a": 1}'], {"timeout": None, "metadata": {"a": 1}}),
        (["x="], {"x": ""}),
    ],
)  # fmt: skip
def test_values(texts: list[str], expected: dict[str, Any]) -> None:
    """
    A value is JSON, else text; a name that comes again makes a list.
    """
    assert expected == target_options("tams", PLAIN, texts)


@pytest.mark.parametrize("text", ["quantity", "=4", ""])
def test_wrong_forms(text: str) -> None:
    """
    What is not `NAME=VALUE` is told.
    """
    with pytest.raises(UsageError, match="cannot read `--option"):
        target_options("civitai", PLAIN, [text])


def test_body_is_submitted_with_all_that_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A file that holds a body keeps its kind of step, time and tags; options change it, and its key
    is never used again.
    """
    monkeypatch.setenv("CIVITAI_API_TOKEN", "t-secret")
    path = tmp_path / "body.json"
    path.write_text(json.dumps(BODY))
    common = ["submit", str(path), "--target", "civitai", "--dry-run", "--json"]
    code = run([*common, "-O", "trace=binary", "-O", "retries=2"])
    body = json.loads(capsys.readouterr().out)["body"]
    wrong = run([*common, "-O", "quantity=2"])
    said = capsys.readouterr().err
    step = body["steps"][0]

    assert (0, 2) == (code, wrong)
    assert ("customComfy", "00:30:00", 2, "binary", [AIR], ["comfygraph", "night"]) == (
        step["$type"], step["timeout"], step["retries"], step["input"]["trace"],
        step["input"]["resources"], body["tags"],
    )  # fmt: skip
    assert "of-somebody-else" != body["externalId"]
    assert "`quantity` goes with a `comfy` step only" in said
