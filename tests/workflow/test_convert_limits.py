"""
Files made to hurt: an error, or an answer, in bounded time and memory.
"""

from __future__ import annotations

from typing import Any

import pytest
from counting import calls, growth
from flow_builder import Flow

from comfygraph.catalog import load_catalog
from comfygraph.errors import WorkflowError
from comfygraph.workflow import convert
from comfygraph.workflow.model import MAX_SLOTS

CATALOG = load_catalog()


def _chain(length: int, kind: str, name: str, slot_type: str) -> dict[str, Any]:
    """A chain of nodes of one class, the first fed by an `EmptyImage`."""
    nodes: list[dict[str, Any]] = [{"id": 0, "type": "EmptyImage", "outputs": [{"links": [1]}]}]
    nodes += [
        {
            "id": index,
            "type": kind,
            "inputs": [{"name": name, "type": slot_type, "link": index}],
            "outputs": [{"name": "out", "type": slot_type, "links": [index + 1]}],
        }
        for index in range(1, length)
    ]
    links = [[index, index - 1, 0, index, 0, slot_type] for index in range(1, length)]
    return {"version": 0.4, "nodes": nodes, "links": links}


def _nested(levels: int, copies: int) -> dict[str, Any]:
    """Subgraphs within subgraphs, each holding so many instances of the next."""
    bodies = []
    for level in range(levels):
        flow = Flow()
        for index in range(copies):
            flow.node(index + 1, f"g{level + 1}")
        bodies.append(flow.subgraph(f"g{level}"))
    bodies.append(Flow().node(1, "EmptyImage").subgraph(f"g{levels}"))
    return Flow().node(1, "g0").json(definitions={"subgraphs": bodies})


def test_subgraphs_that_grow_without_end() -> None:
    """
    Forty levels of two instances each would be a million million nodes: refused at once.
    """
    workflow = _nested(40, 2)

    def work() -> None:
        with pytest.raises(WorkflowError, match="expands to more than"):
            convert(workflow, CATALOG)

    assert calls(work) < 100_000


def test_deep_subgraphs() -> None:
    """
    A thousand levels convert, without recursion.
    """
    result = convert(_nested(1000, 1), CATALOG)

    assert [1001] == [len(node_id.split(":")) - 1 for node_id in result.prompt]


def test_very_deep_subgraphs() -> None:
    """
    Ids that would fill the memory are refused.
    """
    workflow = _nested(20_000, 1)

    with pytest.raises(WorkflowError, match="characters"):
        convert(workflow, CATALOG)


def test_too_many_slots() -> None:
    """
    A node with absurdly many inputs is refused.
    """
    slots = [{"name": "x"}] * (MAX_SLOTS + 1)
    with pytest.raises(WorkflowError, match="inputs, more than"):
        convert(Flow().node(1, "VAEDecode", inputs=slots).json(), CATALOG)


def test_subgraphs_in_a_circle() -> None:
    """
    Subgraphs that contain each other end in a finding, and what feeds on them is left open.
    """
    one = Flow().node(1, "two").link(1, 0, -20, "out").subgraph("one", [], [("out", "IMAGE")])
    two = Flow().node(1, "one").link(1, 0, -20, "out").subgraph("two", [], [("out", "IMAGE")])
    flow = Flow().node(1, "one").node(2, "PreviewImage").link(1, 0, 2, "images")
    result = convert(flow.json(definitions={"subgraphs": [one, two]}), CATALOG)

    assert {} == result.document["2"]["inputs"]
    assert "RecursionError: a subgraph contains itself" == result.refusal


def _fan(length: int) -> dict[str, Any]:
    """A chain of reroutes, and as many consumers of its end."""
    workflow = _chain(length, "Reroute", "", "*")
    for index in range(length):
        link = 10_000 + index
        workflow["links"].append([link, length - 1, 0, link, 0, "*"])
        workflow["nodes"].append(
            {
                "id": link,
                "type": "PreviewImage",
                "inputs": [{"name": "images", "type": "IMAGE", "link": link}],
            }
        )
    return workflow


def test_many_consumers_of_a_long_chain() -> None:
    """
    Reroutes are walked once, not once for each consumer.
    """
    large, small = _fan(5000), _fan(500)
    prompt = convert(large, CATALOG).prompt

    assert {("0", 0)} == {
        (link.node_id, link.slot) for node in prompt.nodes() for _, link in node.links()
    }
    assert growth(lambda: convert(large, CATALOG), lambda: convert(small, CATALOG)) < 15


@pytest.mark.timeout(30)
def test_comment_that_never_ends() -> None:
    """
    A text full of comment starts costs one pass.
    """
    text = "/*a" * 200_000
    document = convert(Flow().node(1, "CLIPTextEncode", text).json(), CATALOG).document

    assert text == document["1"]["inputs"]["text"]


def test_calls_grow_with_the_nodes() -> None:
    """
    Ten thousand nodes take ten times as many calls as a thousand.
    """
    small = _chain(1000, "ImageInvert", "image", "IMAGE")
    large = _chain(10_000, "ImageInvert", "image", "IMAGE")

    assert growth(lambda: convert(large, CATALOG), lambda: convert(small, CATALOG)) < 12
