"""
Subgraphs, promoted widgets, legacy group nodes, and the places that the source map gives.
"""

from __future__ import annotations

from typing import Any

from flow_builder import Flow

from comfygraph.catalog import load_catalog
from comfygraph.workflow import SubgraphStep, convert

CATALOG = load_catalog()


def _scaler(graph_id: str = "scaler") -> dict[str, Any]:
    """A subgraph that scales: input 0 the image, input 1 shows the widget `width`."""
    flow = (
        Flow()
        .node(5, "ImageScale", "nearest-exact", 8, 9, "disabled")
        .link(-10, 0, 5, "image")
        .link(-10, 1, 5, "width", "INT", widget=True)
        .link(5, 0, -20, "out")
    )
    return flow.subgraph(graph_id, [("image", "IMAGE"), ("width", "INT")], [("out", "IMAGE")])


def _using(*values: Any, graph_id: str = "scaler", **more: Any) -> Flow:
    flow = Flow().node(1, "LoadImage", "a.png", "image").node(2, graph_id, *values, **more)
    return flow.node(3, "PreviewImage").link(1, 0, 2, "image").link(2, 0, 3, "images")


def _inputs(flow: Flow, *definitions: dict[str, Any], **more: Any) -> dict[str, Any]:
    workflow = flow.json(definitions={"subgraphs": list(definitions)}, **more)
    document = convert(workflow, CATALOG).document
    return {node_id: node["inputs"] for node_id, node in document.items()}


def test_instance_value_wins() -> None:
    """
    The value on the face of an instance replaces that of the inner widget.
    """
    inputs = _inputs(_using(77), _scaler())

    assert 77 == inputs["2:5"]["width"]
    assert ["1", 0] == inputs["2:5"]["image"]
    assert {"images": ["2:5", 0]} == inputs["3"]


def test_inner_value_without_an_override() -> None:
    """
    An instance without values shows, and gives, the inner ones.
    """
    assert 8 == _inputs(_using(), _scaler())["2:5"]["width"]


def test_link_to_the_instance_wins() -> None:
    """
    A connection to the instance's input goes to the inner node.
    """
    flow = _using(77).node(4, "PrimitiveInt", 5, "fixed").link(4, 0, 2, "width", "INT", widget=True)

    assert ["4", 0] == _inputs(flow, _scaler())["2:5"]["width"]


def test_two_instances_have_values_of_their_own() -> None:
    """
    Each instance gives its own value to the one inner node.
    """
    flow = _using(77).node(4, "scaler", 88).node(6, "PreviewImage").link(4, 0, 6, "images")
    inputs = _inputs(flow, _scaler())

    assert [77, 88] == [inputs["2:5"]["width"], inputs["4:5"]["width"]]


def test_proxy_widgets() -> None:
    """
    Values in the order of `proxyWidgets` reach the widgets that its entries name.
    """
    proxies = [["5", "height"], ["-1", "width"], ["5", "crop"]]
    flow = _using(1, 2, "center", properties={"proxyWidgets": proxies})
    inputs = _inputs(flow, _scaler())

    assert [2, 1, "center"] == [inputs["2:5"][name] for name in ("width", "height", "crop")]


def test_nested_instances_show_through() -> None:
    """
    A widget shown by an instance within an instance takes the outermost value.
    """
    outer = (
        Flow()
        .node(7, "scaler", 55)
        .link(-10, 0, 7, "image")
        .link(-10, 1, 7, "width", "INT", widget=True)
        .link(7, 0, -20, "out")
        .subgraph("outer", [("image", "IMAGE"), ("width", "INT")], [("out", "IMAGE")])
    )
    shown = _inputs(_using(99, graph_id="outer"), outer, _scaler())
    hidden = _inputs(_using(graph_id="outer"), outer, _scaler())

    assert [99, 55] == [shown["2:7:5"]["width"], hidden["2:7:5"]["width"]]
    assert {"images": ["2:7:5", 0]} == shown["3"]


def test_nested_definitions_are_found() -> None:
    """
    A definition may stand inside another one.
    """
    outer = Flow().node(7, "scaler").subgraph("outer", definitions={"subgraphs": [_scaler()]})

    assert ["2:7:5"] == list(_inputs(Flow().node(2, "outer"), outer))


def test_source_map() -> None:
    """
    Nodes, links and values lead into the file, through the subgraphs, by title.
    """
    flow = _using(77, title="Make it small")
    workflow = flow.json(definitions={"subgraphs": [_scaler()]})
    places = convert(workflow, CATALOG).source_map

    body = "/definitions/subgraphs/0/nodes/0"
    assert body == places.pointer("2:5")
    assert "/nodes/1/widgets_values/0" == places.pointer("2:5", "width")
    assert f"{body}/widgets_values/2" == places.pointer("2:5", "height")
    assert f"{body}/inputs/0/link" == places.pointer("2:5", "image")
    assert "/nodes/2/inputs/0/link" == places.pointer("3", "images")
    assert "/nodes/2" == places.pointer("3", "no such input")
    assert "" == places.pointer("no such node")
    source = places["2:5"]
    assert ("Make it small › Upscale Image", body) == (source.label, source.pointer)
    assert (SubgraphStep("/nodes/1", "2", "Make it small"),) == source.path


def _group(kind: str = "workflow>pair") -> dict[str, Any]:
    members = [
        {"type": "LoadImage", "index": 0, "widgets_values": ["old.png", "image"],
         "outputs": [{"name": "IMAGE", "type": "IMAGE"}, {"name": "MASK", "type": "MASK"}]},
        {"type": "ImageScale", "index": 1, "widgets_values": ["nearest-exact", 1, 2, "disabled"],
         "inputs": [{"name": "image", "type": "IMAGE", "link": None}]},
        {"type": "ImageBlend", "index": 2, "widgets_values": [0.5, "normal"],
         "inputs": [{"name": "image1", "type": "IMAGE"}, {"name": "image2", "type": "IMAGE"}]},
    ]  # fmt: skip
    links = [[0, 0, 1, 0, 1, "IMAGE"], [1, 0, 2, 0, 2, "IMAGE"], [None, 0, 2, 1, 3, "IMAGE"]]
    flow = (
        Flow()
        .node(1, "LoadImage", "a.png", "image")
        .node(2, kind, "new.png", "image", "bicubic", 64, 32, "center", 0.25, "screen")
        .node(3, "PreviewImage")
        .link(1, 0, 2, "image2")
        .link(2, 1, 3, "images")
    )
    groups = {"pair": {"nodes": members, "links": links, "external": []}}
    return flow.json(last_node_id=3, extra={"groupNodes": groups})


def test_group_node() -> None:
    """
    A legacy group node becomes its nodes, with the ids of the editor and its own values.
    """
    result = convert(_group(), CATALOG)

    assert {
        "1": {"image": "a.png"},
        "3": {"images": ["7:6", 0]},
        "7:4": {"image": "new.png"},
        "7:5": {
            "upscale_method": "bicubic",
            "width": 64,
            "height": 32,
            "crop": "center",
            "image": ["7:4", 0],
        },
        "7:6": {
            "blend_factor": 0.25,
            "blend_mode": "screen",
            "image1": ["7:5", 0],
            "image2": ["1", 0],
        },
    } == {node_id: node["inputs"] for node_id, node in result.document.items()}
    assert "/extra/groupNodes/pair/nodes/1" == result.source_map.pointer("7:5")
    assert ["CG517"] == [issue.code for issue in result.diagnostics]


def test_group_node_of_the_old_spelling() -> None:
    """
    `workflow/Name` and `workflow>Name` are the same.
    """
    assert convert(_group("workflow/pair"), CATALOG).document == convert(_group(), CATALOG).document


def test_group_node_with_an_unknown_member() -> None:
    """
    A group that holds an unknown class cannot be opened: it stays one unknown node.
    """
    workflow = _group()
    workflow["extra"]["groupNodes"]["pair"]["nodes"][0]["type"] = "Nonsense"
    result = convert(workflow, CATALOG)

    assert frozenset({"2"}) == result.unknown
    assert ["CG501"] == [issue.code for issue in result.diagnostics]
