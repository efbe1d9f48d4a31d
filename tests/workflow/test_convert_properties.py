"""
What holds for the conversion of any workflow.
"""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from recorded_workflows import edge_cases
from strategies import json_values
from strategies_workflow import broken, odd_classes, workflows

from comfygraph.catalog import load_catalog
from comfygraph.core.values import Link, Prompt
from comfygraph.errors import WorkflowError
from comfygraph.workflow import convert

CATALOG = load_catalog()
CASES = [case["workflow"] for case in edge_cases().values()]


def _with_objects(workflow: dict[str, Any]) -> dict[str, Any]:
    """Give the workflow in format 1.0: links as objects."""
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    links = [dict(zip(keys, link, strict=True)) for link in workflow["links"]]
    return {**workflow, "version": 1, "links": links, "state": {"lastNodeId": 0}}


@given(workflows())
def test_prompt_survives_json(workflow: dict[str, Any]) -> None:
    """
    The prompt is the same after a way through JSON text.
    """
    prompt = convert(workflow, CATALOG).prompt

    assert prompt == Prompt.from_json(json.loads(json.dumps(prompt.to_json())))


@given(workflows())
def test_links_lead_to_nodes_of_the_prompt(workflow: dict[str, Any]) -> None:
    """
    No link of a prompt leads to a node that is muted, bypassed or only in the editor.
    """
    prompt = convert(workflow, CATALOG).prompt
    targets = {link.node_id for node in prompt.nodes() for _, link in node.links()}

    assert set() == targets - set(prompt)


@given(workflows())
def test_versions_give_the_same_prompt(workflow: dict[str, Any]) -> None:
    """
    Links as arrays (0.4) and as objects (1.0) mean the same.
    """
    one = convert(workflow, CATALOG)
    other = convert(_with_objects(workflow), CATALOG)

    assert json.dumps(one.document) == json.dumps(other.document)
    assert [issue.code for issue in one.diagnostics] == [i.code for i in other.diagnostics]


@given(workflows(), st.randoms(use_true_random=False))
def test_order_of_nodes_does_not_matter(workflow: dict[str, Any], rng: random.Random) -> None:
    """
    The same nodes in another order give the same prompt, unless a text names one of several.
    """
    for node in workflow["nodes"]:
        if node["type"] == "SaveImage":
            node["widgets_values"] = ["out"]
    shuffled = {**workflow, "nodes": rng.sample(workflow["nodes"], len(workflow["nodes"]))}

    assert convert(workflow, CATALOG).document == convert(shuffled, CATALOG).document


@given(workflows(), st.data())
def test_reroute_changes_nothing(workflow: dict[str, Any], data: st.DataObject) -> None:
    """
    A reroute put into any link leaves the prompt as it was.
    """
    before = convert(workflow, CATALOG).document
    if workflow["links"]:
        link = data.draw(st.sampled_from(workflow["links"]))
        new_id, new_link = len(workflow["nodes"]) + 1, len(workflow["links"]) + 1
        workflow["links"].append([new_link, link[1], link[2], new_id, 0, "*"])
        link[1:3] = [new_id, 0]
        workflow["nodes"].append(
            {
                "id": new_id,
                "type": "Reroute",
                "inputs": [{"name": "", "type": "*", "link": new_link}],
                "outputs": [{"name": "", "type": "*", "links": [link[0]]}],
            }
        )

    assert before == convert(workflow, CATALOG).document


@given(workflows())
def test_subgraph_around_everything_changes_ids_only(workflow: dict[str, Any]) -> None:
    """
    The whole graph put into a subgraph gives the same nodes under the instance's id.
    """
    inner = _with_objects(workflow)
    host = {"id": 1000, "type": "all", "inputs": [], "outputs": []}
    outer = {
        "last_node_id": 1000,
        "nodes": [host],
        "links": [],
        "version": 0.4,
        "definitions": {"subgraphs": [{**inner, "id": "all", "name": "all"}]},
    }
    plain = convert(workflow, CATALOG).prompt
    wrapped = convert(outer, CATALOG).prompt

    expected = {
        f"1000:{node.id}": {
            name: [f"1000:{value.node_id}", value.slot] if isinstance(value, Link) else value
            for name, value in node.inputs.items()
        }
        for node in plain.nodes()
    }
    assert expected == {node.id: node.to_json()["inputs"] for node in wrapped.nodes()}


@given(workflows())
def test_every_input_has_a_place(workflow: dict[str, Any]) -> None:
    """
    The source map leads every node and input to a place that the file has.
    """
    result = convert(workflow, CATALOG)
    pointers = [
        result.source_map.pointer(node.id, name)
        for node in result.prompt.nodes()
        for name in [None, *node.inputs]
    ]

    assert [] == [pointer for pointer in pointers if not _exists(workflow, pointer)]


@given(st.one_of(workflows(), st.sampled_from(CASES)).flatmap(broken))
def test_no_document_breaks_the_conversion(document: Any) -> None:
    """
    Whatever a file holds, there is a result or a `WorkflowError`, and the caller's value stays.
    """
    before = json.dumps(document)
    try:
        result = convert(document, CATALOG, dynamic_prompts="first")
    except WorkflowError:
        pass
    else:
        json.dumps(result.document)
        for issue in result.diagnostics:
            assert _exists(document, issue.pointer)

    assert before == json.dumps(document)


@given(json_values())
def test_any_json_is_a_workflow_or_an_error(document: Any) -> None:
    """
    JSON that is no workflow is a `WorkflowError`.
    """
    with suppress(WorkflowError):
        convert(document, CATALOG)


@given(odd_classes(), st.data())
def test_any_catalog_will_do(classes: Any, data: st.DataObject) -> None:
    """
    Classes of any shape convert, whatever values the file stores for them.
    """
    catalog = load_catalog(classes)
    names = catalog.names()
    nodes = [
        {"id": index, "type": name, "widgets_values": data.draw(json_values(8))}
        for index, name in enumerate(names)
    ]
    result = convert({"nodes": nodes, "version": 0.4}, catalog)

    assert len(names) == len(result.prompt)


def _exists(document: Any, pointer: str) -> bool:
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return False
    return True
