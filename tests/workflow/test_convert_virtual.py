"""
Nodes that live in the editor only: reroutes, primitives, Set and Get, Use Everywhere.
"""

from __future__ import annotations

from typing import Any

import pytest
from flow_builder import Flow

from comfygraph.catalog import load_catalog
from comfygraph.workflow import convert

CATALOG = load_catalog()


def _inputs(flow: Flow, **more: Any) -> dict[str, Any]:
    document = convert(flow.json(**more), CATALOG).document
    return {node_id: node["inputs"] for node_id, node in document.items()}


def _picture() -> Flow:
    return Flow().node(1, "LoadImage", "a.png", "image").node(2, "PreviewImage")


@pytest.mark.parametrize("kind", ["Reroute", "Reroute (rgthree)"])
def test_reroutes(kind: str) -> None:
    """
    A chain of reroutes is a connection.
    """
    flow = _picture().node(3, kind).node(4, kind)
    flow.link(1, 0, 3, "", "*").link(3, 0, 4, "", "*").link(4, 0, 2, "images")

    assert {"1": {"image": "a.png"}, "2": {"images": ["1", 0]}} == _inputs(flow)


@pytest.mark.parametrize(
    ("setter", "getter"), [("SetNode", "GetNode"), ("easy setNode", "easy getNode")]
)
def test_set_and_get(setter: str, getter: str) -> None:
    """
    A Get node gives what feeds the Set node of the same name; Set passes its input on too.
    """
    flow = _picture().node(3, setter, "picture").node(4, getter, "picture").node(5, "ImageInvert")
    flow.link(1, 0, 3, "IMAGE").link(4, 0, 2, "images").link(3, 0, 5, "image")
    inputs = _inputs(flow)

    assert {"images": ["1", 0]} == inputs["2"]
    assert {"image": ["1", 0]} == inputs["5"]
    assert ["1", "2", "5"] == list(inputs)


def test_get_in_a_subgraph() -> None:
    """
    A Get node inside a subgraph finds the Set node of the graph around it.
    """
    inner = Flow().node(8, "GetNode", "picture").node(9, "PreviewImage").link(8, 0, 9, "images")
    flow = _picture().node(3, "SetNode", "picture").node(4, "inner").link(1, 0, 3, "IMAGE")
    inputs = _inputs(flow, definitions={"subgraphs": [inner.subgraph("inner")]})

    assert {"images": ["1", 0]} == inputs["4:9"]


def test_set_behind_a_bypassed_node() -> None:
    """
    What the Set node is fed through a bypassed node reaches the Get node.
    """
    flow = _picture().node(3, "SetNode", "x").node(4, "GetNode", "x")
    flow.node(5, "ImageInvert", mode=4)
    flow.link(1, 0, 5, "image").link(5, 0, 3, "IMAGE").link(4, 0, 2, "images")

    assert {"images": ["1", 0]} == _inputs(flow)["2"]


def test_use_everywhere() -> None:
    """
    `extra.ue_links` connects what is not connected, and nothing else.
    """
    flow = _picture().node(3, "PreviewImage").node(4, "ImageInvert").node(5, "Anything Everywhere")
    flow.link(4, 0, 3, "images").link(1, 0, 5, "anything", "*")
    ue_links = [
        {"downstream": target, "downstream_slot": 0, "upstream": "1", "upstream_slot": 0}
        for target in (2, 3)
    ]
    inputs = _inputs(flow, extra={"ue_links": [*ue_links, None, {"downstream": 99}]})

    assert [{"images": ["1", 0]}, {"images": ["4", 0]}] == [inputs["2"], inputs["3"]]
    assert "5" not in inputs


@pytest.mark.parametrize(
    ("value", "expected"),
    [(100, 100), ("100", 100), (99.6, 100), (True, 1), (None, 0), ("x", None)],
)
def test_primitive_gives_a_number(value: Any, expected: Any) -> None:
    """
    A primitive's value is rounded as the widget rounds what is typed into it.
    """
    flow = Flow().node(1, "PrimitiveNode", value, "fixed").node(2, "EmptyImage", 1, 1, 1, 0)
    flow.link(1, 0, 2, "width", "INT", widget=True)

    assert expected == _inputs(flow)["2"]["width"]


def test_primitive_rounds_to_the_step() -> None:
    """
    Widths of latents come in steps of eight, CFG in hundredths.
    """
    flow = (
        Flow()
        .node(1, "PrimitiveNode", 515)
        .node(2, "EmptyLatentImage", 1, 1, 1)
        .node(3, "PrimitiveNode", 7.456)
        .node(4, "KSampler", 7, "fixed", 20, 8, "euler", "normal", 1)
        .link(1, 0, 2, "width", "INT", widget=True)
        .link(3, 0, 4, "cfg", "FLOAT", widget=True)
    )
    inputs = _inputs(flow)

    assert [512, 7.5] == [inputs["2"]["width"], inputs["4"]["cfg"]]


def test_primitive_with_text_to_replace() -> None:
    """
    A primitive that asks for it has `%Node.widget%` replaced.
    """
    flow = Flow().node(
        1, "PrimitiveNode", "%EmptyImage.width% wide",
        properties={"Run widget replace on values": True},
    )  # fmt: skip
    flow.node(2, "EmptyImage", 640, 1, 1, 0).node(3, "CLIPTextEncode", "old")
    flow.link(1, 0, 3, "text", "STRING", widget=True)

    assert "640 wide" == _inputs(flow)["3"]["text"]


def test_source_of_a_primitives_value() -> None:
    """
    The source map leads to the primitive, where the value is changed.
    """
    flow = Flow().node(1, "PrimitiveNode", 5).node(2, "EmptyImage", 1, 1, 1, 0)
    flow.link(1, 0, 2, "width", "INT", widget=True)
    places = convert(flow.json(), CATALOG).source_map

    # The connection itself is what a person sees at the input.
    assert "/nodes/1/inputs/0/link" == places.pointer("2", "width")


def test_catalog_decides_what_is_virtual() -> None:
    """
    A class of that name in the catalog is a class like any other.
    """
    catalog = {"SetNode": {"input": {"required": {"a": ["INT", {}]}}, "output": []}}
    document = convert(Flow().node(1, "SetNode", 3).json(), load_catalog(catalog)).document

    assert {"a": 3} == document["1"]["inputs"]
