"""
Linting the editor's workflows: converted, checked, and told at their place in the workflow file.
"""

from __future__ import annotations

import json
from typing import Any

from comfygraph.catalog import load_catalog
from comfygraph.documents import recognise
from comfygraph.lint import lint
from comfygraph.lint.conversion_rules import CONVERSION_RULES
from comfygraph.workflow import ISSUE_KINDS

CATALOG = load_catalog()


def _node(node_id: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": node_id, "type": kind, "mode": 0, "inputs": [], "outputs": [], **more}


def _image(node_id: int, width: int, links: list[int]) -> dict[str, Any]:
    outputs = [{"name": "IMAGE", "type": "IMAGE", "links": links}]
    return _node(node_id, "EmptyImage", outputs=outputs, widgets_values=[width, 64, 1, 0])


def _save(node_id: int, link: int) -> dict[str, Any]:
    inputs = [{"name": "images", "type": "IMAGE", "link": link}]
    return _node(node_id, "SaveImage", inputs=inputs, widgets_values=["out"], title="final")


def _findings(workflow: Any) -> list[tuple[str, str, str | None, str | None]]:
    text = json.dumps(workflow)
    report = lint(recognise(json.loads(text), text=text, path="flow.json"), CATALOG)
    return [(d.rule_id, d.pointer, d.node_id, d.input) for d in report]


def test_finding_points_at_the_widget_value() -> None:
    """
    A value that is out of range is told where the workflow stores it.
    """
    workflow = {
        "version": 0.4,
        "nodes": [_image(1, 0, [1]), _save(2, 1)],
        "links": [[1, 1, 0, 2, 0, "IMAGE"]],
    }

    assert [("CG302", "/nodes/0/widgets_values/0", "1", "width")] == _findings(workflow)


def test_finding_inside_a_subgraph_names_the_way_in() -> None:
    """
    A node in a subgraph is told at its definition, with the instance beside it.
    """
    inner = {
        "id": "aaaa",
        "name": "Canvas",
        "nodes": [_image(5, 0, [7])],
        "links": [
            {
                "id": 7,
                "origin_id": 5,
                "origin_slot": 0,
                "target_id": -20,
                "target_slot": 0,
                "type": "IMAGE",
            }
        ],
        "inputs": [],
        "outputs": [{"id": "o", "name": "IMAGE", "type": "IMAGE", "linkIds": [7]}],
        "inputNode": {"id": -10},
        "outputNode": {"id": -20},
    }
    instance = _node(
        3, "aaaa", title="canvas", outputs=[{"name": "IMAGE", "type": "IMAGE", "links": [1]}]
    )
    workflow = {
        "version": 0.4,
        "nodes": [instance, _save(2, 1)],
        "links": [[1, 3, 0, 2, 0, "IMAGE"]],
        "definitions": {"subgraphs": [inner]},
    }
    report = lint(workflow, CATALOG)
    found = report.diagnostics[0]

    assert ["CG302"] == [item.rule_id for item in report]
    assert "/definitions/subgraphs/0/nodes/0/widgets_values/0" == found.pointer
    assert [("/nodes/0", 'inside the subgraph "canvas" (3)')] == [
        (item.pointer, item.message) for item in found.related
    ]


def test_unknown_class_is_told_once() -> None:
    """
    The conversion and the rules see the same missing class; lint tells it once.
    """
    workflow = {"version": 0.4, "nodes": [_node(1, "NoSuchNode")], "links": []}

    assert [("CG101", "/nodes/0/type", "1", None)] == _findings(workflow)


def test_broken_workflow_is_a_finding() -> None:
    """
    What cannot be converted at all is told as such, and costs no exception.
    """
    codes = {item[0] for item in _findings({"nodes": [3, None], "links": "none"})}

    assert codes
    assert all(code.startswith(("CG5", "CG1")) for code in codes)


def test_table_repeats_the_kinds_of_the_conversion() -> None:
    """
    Every kind of finding of the conversion is a rule with the same name and severity.
    """
    expected = {(kind.code, kind.name, kind.severity) for kind in ISSUE_KINDS}
    expected.add(("CG500", "unconvertible-workflow", "error"))

    assert expected == {(r.id, r.name, r.severity.value) for r in CONVERSION_RULES}
    assert all(rule.documentation.startswith("## What it does") for rule in CONVERSION_RULES)
