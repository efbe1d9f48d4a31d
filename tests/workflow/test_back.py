"""
The way from a prompt to the editor's workflow, and back again.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_workflows import expected_templates, template
from strategies import catalogs, json_values, loose_prompts, valid_prompts

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.workflow import Rebuilt, convert, rebuild, to_workflow
from comfygraph.workflow.faces import as_template

CATALOG = load_catalog()

SOCKETS_ONLY = {
    ("ComfyMathExpression", "values.b"),
    ("ComfyMathExpression", "values.c"),
    ("ComfySwitchNode", "on_false"),
    ("PreviewAny", "source"),
}
"""Inputs to which subgraphs of templates give a constant, but which have no widget of their own."""


def renamed(prompt: Prompt, rebuilt: Rebuilt) -> dict[str, Any]:
    """
    Give the prompt with the ids of the workflow, as conversion would name them.
    """
    out = {}
    for node in prompt.nodes():
        inputs = {
            name: [str(rebuilt.ids[value.node_id]), value.slot]
            if isinstance(value, Link)
            else value
            for name, value in node.inputs.items()
            if (node.class_type, name) not in SOCKETS_ONLY or isinstance(value, Link)
        }
        out[str(rebuilt.ids[node.id])] = {**node.to_json(), "inputs": inputs}
    return out


@pytest.mark.parametrize("name", expected_templates())
def test_template_comes_back(name: str) -> None:
    """
    The prompt of every official template becomes a workflow that converts to the same prompt.
    """
    prompt = Prompt.from_json(convert(template(name), CATALOG).prompt.to_json())
    rebuilt = rebuild(prompt, CATALOG)
    again = convert(rebuilt.workflow, CATALOG).prompt.to_json()

    expected = renamed(prompt, rebuilt)
    unknown = {i for i, node in expected.items() if node["class_type"] not in CATALOG}
    assert expected.keys() == again.keys()
    assert {} == {
        node_id: again[node_id]
        for node_id, node in expected.items()
        if node_id not in unknown and again[node_id] != node
    }
    losses = [(prompt[node_id].class_type, text.split("`")[1]) for node_id, text in rebuilt.lost
              if prompt[node_id].class_type in CATALOG]  # fmt: skip
    assert SOCKETS_ONLY >= set(losses)


@settings(max_examples=150)
@given(valid_prompts())
def test_valid_prompt_comes_back(prompt: Prompt) -> None:
    """
    Every value and link of a valid prompt is in the prompt that its workflow gives, but for
    those that are told as lost.
    """
    rebuilt = rebuild(prompt, CATALOG)
    json.dumps(rebuilt.workflow)
    result = convert(rebuilt.workflow, CATALOG)

    assert result.refusal is None
    lost = {(str(rebuilt.ids[node_id]), text.split("`")[1]) for node_id, text in rebuilt.lost}
    again = result.prompt.to_json()
    missing = [
        (node_id, name, value, again[node_id]["inputs"].get(name))
        for node_id, node in renamed(prompt, rebuilt).items()
        for name, value in node["inputs"].items()
        if (node_id, name) not in lost and again[node_id]["inputs"].get(name) != value
    ]
    assert [] == missing


@given(valid_prompts())
def test_second_way_back_changes_nothing(prompt: Prompt) -> None:
    """
    What the editor fills in is filled in once: from then on the way there and back is exact.
    """
    first = convert(to_workflow(prompt, CATALOG), CATALOG).prompt
    first = Prompt.from_json(first.to_json())
    workflow = to_workflow(first, CATALOG)

    assert first.to_json() == convert(workflow, CATALOG).prompt.to_json()


@given(loose_prompts())
def test_any_prompt_becomes_a_workflow(prompt: Prompt) -> None:
    """
    Cycles, links to nothing, unknown classes and odd values never raise.
    """
    rebuilt = rebuild(prompt, CATALOG)
    json.dumps(rebuilt.workflow, allow_nan=False)
    result = convert(rebuilt.workflow, CATALOG)

    assert {str(number) for number in rebuilt.ids.values()} == set(result.prompt)
    assert len(set(rebuilt.ids.values())) == len(prompt)


def test_workflow_has_the_editors_shape() -> None:
    """
    Links are arrays, known by both of their ends; seeds are followed by what becomes of them.
    """
    prompt = Prompt.from_json(
        {
            "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a"}},
            "12:3": {
                "class_type": "KSampler",
                "inputs": {"model": ["4", 0], "seed": 7, "steps": 9, "cfg": ["4", 5]},
                "_meta": {"title": "mine"},
            },
        }
    )
    rebuilt = rebuild(prompt, CATALOG)
    loader, sampler = rebuilt.workflow["nodes"]

    assert {"4": 4, "12:3": 5} == dict(rebuilt.ids)
    assert [[1, 4, 0, 5, 0, "MODEL"], [2, 4, 5, 5, 4, "FLOAT"]] == rebuilt.workflow["links"]
    assert {"name": "MODEL", "type": "MODEL", "links": [1]} == loader["outputs"][0]
    assert {"name": "model", "type": "MODEL", "link": 1} == sampler["inputs"][0]
    assert {"name": "cfg", "type": "FLOAT", "link": 2, "widget": {"name": "cfg"}} == (
        sampler["inputs"][4]
    )
    assert [7, "fixed", 9, 8.0, "euler", "simple", 1.0] == sampler["widgets_values"]
    assert ("mine", None) == (sampler["title"], loader.get("title"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat", "a cat"),
        ("{a|b}", "\\{a|b}"),
        ("https://example.org/*.png", "https:{/}/example.org{/}*.png"),
        ("a\\b", "a\\b"),
        ("\\{", None),
    ],
)
def test_texts_are_escaped(text: str, expected: str | None) -> None:
    """
    A text that the editor would change when it queues is written so that it comes out right.
    """
    assert expected == as_template(text)


@settings(max_examples=80)
@given(catalogs(), st.data())
def test_any_catalog(catalog: NodeCatalog, data: st.DataObject) -> None:
    """
    Classes of every odd shape can be laid out, whatever a prompt says of them.
    """
    ids = [str(number) for number in range(4)]
    links = st.builds(Link, st.sampled_from(ids), st.integers(-3, 5))
    nodes = {}
    for node_id, name in zip(ids, catalog.names() * 4, strict=False):
        known = [*catalog[name].inputs, "odd"]
        inputs = data.draw(
            st.dictionaries(st.sampled_from(known), st.one_of(links, json_values(4)), max_size=5)
        )
        nodes[node_id] = Node(node_id, name, inputs)
    rebuilt = rebuild(Prompt(nodes), catalog)
    json.dumps(rebuilt.workflow, allow_nan=False)

    assert len(nodes) == len(convert(rebuilt.workflow, catalog).prompt)


def test_absurd_outputs() -> None:
    """
    Links to ever more outputs do not fill the memory: from some number on they are lost.
    """
    prompt = Prompt(
        {
            str(number): Node(str(number), "Odd", {"a": Link(str(number + 1), 999)})
            for number in range(2_000)
        }
    )
    rebuilt = rebuild(prompt, CATALOG)

    assert 100 == len(rebuilt.workflow["links"])
    assert 1_900 == len(rebuilt.lost)


def test_losses_stay_short() -> None:
    """
    Names of megabytes are cut where they are told.
    """
    long = "n" * 1_000_000
    prompt = Prompt.from_json({
        "1": {"class_type": "EmptyImage", "inputs": {long: 1, f"{long}2": ["9", 0]}, long: 1},
        "2": {"class_type": long, "inputs": {"x": 1, long: [long, 0]}},
    })  # fmt: skip
    lost = [text for _, text in rebuild(prompt, CATALOG).lost]

    assert 5 == len(lost)
    assert [] == [text[:300] for text in lost if len(text) > 400]
