"""
What a conversion finds, and where it points.
"""

from __future__ import annotations

from typing import Any

import pytest
from flow_builder import Flow

from comfygraph.catalog import load_catalog
from comfygraph.errors import WorkflowError
from comfygraph.workflow import ISSUE_KINDS, ISSUES_BY_CODE, ConversionResult, convert

CATALOG = load_catalog()
UUID = "11111111-2222-3333-4444-555555555555"


def _pair() -> Flow:
    return Flow().node(1, "EmptyImage", 64, 64, 1, 0).node(2, "PreviewImage")


def _loose_link() -> Any:
    flow = _pair().link(1, 0, 2, "images")
    flow.links.clear()
    return flow.json()


def _looping_reroutes() -> Any:
    flow = Flow().node(1, "Reroute").node(2, "Reroute").node(3, "PreviewImage")
    return flow.link(1, 0, 2, "", "*").link(2, 0, 1, "", "*").link(2, 0, 3, "images").json()


def _passing_through() -> Any:
    inner = Flow().link(-10, 0, -20, "y").subgraph("through", [("x", "IMAGE")], [("y", "IMAGE")])
    flow = _pair().node(3, "through").link(1, 0, 3, "x").link(3, 0, 2, "images")
    return flow.json(definitions={"subgraphs": [inner]})


def _containing_itself() -> Any:
    inner = Flow().node(1, "self").subgraph("self")
    return Flow().node(1, "self").json(definitions={"subgraphs": [inner]})


def _through_a_reroute() -> Any:
    flow = Flow().node(1, "PrimitiveNode", 7).node(2, "Reroute").node(3, "EmptyImage", 1, 1, 1, 0)
    return flow.link(1, 0, 2, "", "*").link(2, 0, 3, "width", "INT", widget=True).json()


def _lost_proxy() -> Any:
    inner = Flow().node(5, "EmptyImage", 1, 1, 1, 0).subgraph("box")
    flow = Flow().node(1, "box", properties={"proxyWidgets": [["99", "width"]]})
    return flow.json(definitions={"subgraphs": [inner]})


def _everywhere() -> Any:
    links = [{"downstream": 2, "downstream_slot": 0, "upstream": "1", "upstream_slot": 0}]
    return _pair().json(extra={"ue_links": links})


FOUND: list[tuple[str, Any, str, str | None]] = [
    ("CG501", Flow().node(1, "Nonsense", 1).json(), "/nodes/0/type", "1"),
    (
        "CG502",
        Flow().node(1, "KSampler", 7, 20, 8, "euler", "normal", 1).json(),
        "/nodes/0/widgets_values/1",
        "1",
    ),
    ("CG503", Flow().node(1, "VAEDecode", "rest").json(), "/nodes/0/widgets_values/0", "1"),
    (
        "CG504",
        Flow().node(1, "KSampler", widgets_values={"seed": 1}).json(),
        "/nodes/0/widgets_values",
        "1",
    ),
    ("CG505", _loose_link(), "/nodes/1/inputs/0/link", "2"),
    ("CG506", Flow().node(1, UUID).json(), "/nodes/0/type", "1"),
    ("CG507", _containing_itself(), "/definitions/subgraphs/0/nodes/0", "1"),
    ("CG508", _looping_reroutes(), "/nodes/1", "2"),
    ("CG509", _passing_through(), "/definitions/subgraphs/0", "3"),
    (
        "CG510",
        Flow().node(1, "VAEDecode").node(1, "VAEDecode").json(),
        "/nodes/0",
        "1",
    ),
    ("CG511", {"nodes": [7], "version": 0.4}, "/nodes/0", None),
    (
        "CG512",
        Flow().node(1, "EmptyImage", 1, 1, 1, 0, mode=4).node(2, "PreviewImage")
        .link(1, 0, 2, "images").json(),
        "/nodes/0",
        "1",
    ),
    ("CG513", _through_a_reroute(), "/nodes/0", "1"),
    ("CG514", _lost_proxy(), "/nodes/0/properties/proxyWidgets/0", "1"),
    (
        "CG515",
        Flow().node(1, "CLIPTextEncode", "a {red|blue} dog").json(),
        "/nodes/0/widgets_values/0",
        "1",
    ),
    (
        "CG516",
        Flow().node(1, "SaveImage", "%date:yyyy%/x").json(),
        "/nodes/0/widgets_values/0",
        "1",
    ),
    ("CG517", _everywhere(), "/extra/ue_links/0", "2"),
    (
        "CG518",
        Flow().node(1, "GetNode", "picture").node(2, "PreviewImage")
        .link(1, 0, 2, "images").json(),
        "/nodes/0",
        "1",
    ),
    ("CG519", Flow().node(1, "RecordAudio", "").json(), "/nodes/0", "1"),
    (
        "CG520",
        Flow().node(1, "CLIPTextEncode", "{" * 200).json(),
        "/nodes/0/widgets_values/0",
        "1",
    ),
    ("CG521", _pair().link(1, 0, 2, "images").json(version=1), "/links/0", None),
    ("CG522", Flow().node(1, "T2IAdapterLoader", "a.pth").json(), "/nodes/0/type", "1"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "workflow", "pointer", "node_id"), FOUND)
def test_finding(code: str, workflow: Any, pointer: str, node_id: str | None) -> None:
    """
    Each kind of finding is found, at its place in the file, with the node that it is about.
    """
    found = [issue for issue in convert(workflow, CATALOG).diagnostics if issue.code == code]

    assert [(pointer, node_id)] == [(issue.pointer, issue.node_id) for issue in found]
    assert [ISSUES_BY_CODE[code].severity] == [issue.severity for issue in found]
    assert all(issue.message and "\n" not in issue.message for issue in found)


def test_every_kind_is_tested() -> None:
    """
    Codes are unique, documented, and all of them are in the table above.
    """
    codes = [kind.code for kind in ISSUE_KINDS]

    assert codes == sorted(set(codes))
    assert codes == [code for code, *_ in FOUND]
    assert [] == [kind.code for kind in ISSUE_KINDS if len(kind.doc) < 40 or "-" not in kind.name]


REFUSED = {
    "CG505": "InvalidLinkError",
    "CG507": "RecursionError",
    "CG508": "RecursionError",
    "CG509": "Error",
    "CG521": "InvalidLinkError",
}


@pytest.mark.parametrize(("code", "workflow", "pointer", "node_id"), FOUND)
def test_refusal(code: str, workflow: Any, pointer: str, node_id: str | None) -> None:
    """
    Where the editor throws, `refusal` says what, and `strict` raises; elsewhere there is none.
    """
    result = convert(workflow, CATALOG)

    expected = REFUSED.get(code)
    assert expected == (result.refusal.partition(":")[0] if result.refusal else None)
    if expected is None:
        convert(workflow, CATALOG, strict=True)
    else:
        with pytest.raises(WorkflowError, match=expected):
            convert(workflow, CATALOG, strict=True)


def test_pass_through_is_led_on() -> None:
    """
    A subgraph that leads an input to an output is read as a plain connection all the same.
    """
    result = convert(_passing_through(), CATALOG)

    assert {"images": ["1", 0]} == result.document["2"]["inputs"]


def test_unknown_class_keeps_its_type_in_the_prompt() -> None:
    """
    The editor's document has no `class_type` for a class that is not there; the prompt has.
    """
    result: ConversionResult = convert(Flow().node(1, "Nonsense", "a", 5).json(), CATALOG)

    assert {"1": {"inputs": {"UNKNOWN": "a", "UNKNOWN_1": 5}, "_meta": {}}} == result.document
    assert "Nonsense" == result.prompt["1"].class_type
    assert frozenset({"1"}) == result.unknown


def test_unknown_virtual_class_is_no_finding() -> None:
    """
    Notes and the switches of rgthree live in the editor: they are neither sent nor missed.
    """
    flow = Flow().node(1, "Note", "x").node(2, "Fast Groups Bypasser (rgthree)")
    result = convert(flow.json(), CATALOG)

    assert ({}, ()) == (result.document, result.diagnostics)


@pytest.mark.parametrize("document", [None, 7, "x", [], {}, {"nodes": {}}, {"nodes": None}])
def test_no_workflow(document: Any) -> None:
    """
    A document that is no workflow raises `WorkflowError`.
    """
    with pytest.raises(WorkflowError):
        convert(document, CATALOG)


def test_prompt_is_no_workflow() -> None:
    """
    A prompt is told apart, with a hint.
    """
    with pytest.raises(WorkflowError) as caught:
        convert({"1": {"class_type": "VAEDecode", "inputs": {}}}, CATALOG)

    assert "this looks like a prompt (API format), which needs no conversion" == caught.value.hint


def test_findings_come_in_the_order_of_the_file() -> None:
    """
    Findings are sorted by place, list indices as numbers.
    """
    flow = Flow()
    for node_id in range(1, 13):
        flow.node(node_id, "Nonsense")
    pointers = [issue.pointer for issue in convert(flow.json(), CATALOG).diagnostics]

    assert [f"/nodes/{index}/type" for index in range(12)] == pointers
