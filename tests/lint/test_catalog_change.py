"""
What a lock and a newer catalog say about a graph.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from comfygraph.catalog import catalog_from_mapping, load_catalog
from comfygraph.catalog.lock import make_lock
from comfygraph.cli import run
from comfygraph.core.values import Prompt
from comfygraph.lint import LintOptions, lint

GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0},
    },
    "2": {
        "class_type": "ImageScale",
        "inputs": {
            "image": ["1", 0],
            "upscale_method": "area",
            "width": 128,
            "height": 96,
            "crop": "disabled",
        },
    },
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}},
}
OLD: dict[str, Any] = {
    name: load_catalog()[name].raw for name in ("EmptyImage", "ImageScale", "SaveImage")
}


def _newer(change: Any) -> dict[str, Any]:
    document = deepcopy(OLD)
    change(document)
    return document


def _option_gone(document: dict[str, Any]) -> None:
    document["ImageScale"]["input"]["required"]["upscale_method"][0].remove("area")


def _option_unused(document: dict[str, Any]) -> None:
    document["ImageScale"]["input"]["required"]["upscale_method"][0].remove("lanczos")


def _required_added(document: dict[str, Any]) -> None:
    document["SaveImage"]["input"]["required"]["quality"] = ["INT", {"default": 90}]
    document["SaveImage"]["input_order"]["required"].append("quality")


def _class_gone(document: dict[str, Any]) -> None:
    del document["ImageScale"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_option_gone, [("error", "2", "upscale_method")]),
        (_option_unused, [("info", "2", None)]),
        (_required_added, [("error", "3", "quality")]),
        (_class_gone, [("error", "2", None)]),
        (lambda document: None, []),
    ],
)
def test_changes_are_told_where_they_break(change: Any, expected: list[Any]) -> None:
    """
    A change that breaks this graph is an error at its place, any other is information.
    """
    lock = make_lock(Prompt.from_json(GRAPH), catalog_from_mapping(OLD))
    report = lint(GRAPH, catalog_from_mapping(_newer(change)), options=LintOptions(lock=lock))

    assert expected == [
        (item.severity.value, item.node_id, item.input)
        for item in report
        if item.rule_id == "CG113"
    ]


def test_lock_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    The file that `catalog lock` writes is the one that `lint --lock` reads.
    """
    for name, value in [
        ("graph.json", GRAPH),
        ("old.json", OLD),
        ("new.json", _newer(_option_gone)),
    ]:
        (tmp_path / name).write_text(json.dumps(value))
    graph, old, new, lock = (
        str(tmp_path / name) for name in ("graph.json", "old.json", "new.json", "a.lock")
    )

    assert 0 == run(["catalog", "lock", graph, "--catalog", old, "-o", lock])
    assert 0 == run(["lint", graph, "--catalog", old, "--lock", lock])
    capsys.readouterr()
    assert 1 == run(["lint", graph, "--catalog", new, "--lock", lock, "--select", "CG113"])
    assert "CG113 catalog-change" in capsys.readouterr().out
