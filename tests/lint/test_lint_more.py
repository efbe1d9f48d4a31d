"""
What single rules say beyond their examples.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from one_fault import AIR, PICTURE, RESIZE

from comfygraph.catalog import catalog_from_mapping, load_catalog
from comfygraph.catalog.packs import packs_with
from comfygraph.lint import Diagnostic, LintOptions, Severity, lint
from comfygraph.lint.engine import lint_file

CATALOG = load_catalog()
ROOT = Path(__file__).parents[2]


def _image(**inputs: Any) -> dict[str, Any]:
    values = {"width": 64, "height": 64, "batch_size": 1, "color": 0, **inputs}
    return {"class_type": "EmptyImage", "inputs": values}


def _save(source: str) -> dict[str, Any]:
    return {"class_type": "SaveImage", "inputs": {"images": [source, 0], "filename_prefix": "o"}}


def _by(rule: str, graph: Any, **options: Any) -> list[Diagnostic]:
    found = lint(graph, CATALOG, options=LintOptions(**options))
    return [d for d in found if d.rule_id == rule]


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("examples/hires.json", []),
        # Its second pass samples without the LoRAs.
        ("tests/data/seed/tams_workflow.json", [("CG701", "/params/17/inputs/model")]),
    ],
)
def test_known_good_graphs(path: str, known: list[tuple[str, str]]) -> None:
    """
    The example and the graph that a service took have no errors, and no warnings but known ones.
    """
    report = lint_file(ROOT / path, CATALOG, name=path)

    assert known == [(d.rule_id, d.pointer) for d in report if d.severity is not Severity.INFO]


def test_partial_acceptance_names_outputs_and_causes() -> None:
    """
    Two of three outputs are dropped: which, and because of what.
    """
    graph = {"1": _image(), "2": _image(width=0), "3": _save("1"), "4": _save("2"), "5": _save("2")}
    (found,) = _by("CG110", graph)

    assert ("/4", Severity.WARNING) == (found.pointer, found.severity)
    assert found.message == "2 of 3 outputs will be dropped: SaveImage (4), SaveImage (5)"
    assert found.help == "because of value_smaller_than_min in EmptyImage (2) at `width`"
    assert ["/2"] == [place.pointer for place in found.related]


def test_nothing_is_partial_where_all_is_refused() -> None:
    """
    A prompt that is refused as a whole is not partially accepted.
    """
    graph = {"2": _image(width=0), "4": _save("2"), "5": _save("2")}

    assert [] == _by("CG110", graph)


def test_unknown_class_names_its_pack() -> None:
    """
    A class of a public node pack comes with the pack and how to install it.
    """
    graph = {"1": {"class_type": "VHS_VideoCombine", "inputs": {}}}
    (found,) = _by("CG101", graph)

    assert found.help is not None
    assert "git clone https://github.com/Kosinkadink/ComfyUI-VideoHelperSuite" in found.help
    assert "ComfyUI-Manager" in found.help


def test_packs() -> None:
    """
    The bundled table knows classes of packs, none of the core, and nothing that is no class.
    """
    assert ["ComfyUI-Impact-Pack"] == [pack.name for pack in packs_with("ImpactSwitch")]
    assert [] == packs_with("KSampler")
    for odd in (
        "",
        "\t",
        "\n",
        "https://github.com/x",
        "a" * 10_000,
        "cubiq/ComfyUI_IPAdapter_plus",
    ):
        assert [] == packs_with(odd)
    assert 1 == len(packs_with("IPAdapterUnifiedLoader", most=1))


def test_replaced_class_is_no_error() -> None:
    """
    The server puts a newer class in the place of a few old ones, if the node has `_meta`.
    """
    node = {"class_type": "T2IAdapterLoader", "inputs": {"t2i_adapter_name": "a.safetensors"}}

    assert [Severity.ERROR] == [d.severity for d in _by("CG101", {"1": node})]
    assert [Severity.WARNING] == [d.severity for d in _by("CG101", {"1": {**node, "_meta": {}}})]


def test_duplicate_key_of_a_node() -> None:
    """
    A node id that stands twice is told at the node, an input at the input.
    """
    text = '{"1": {"class_type": "PreviewAny", "inputs": {"source": 1}}, "1" :' + json.dumps(
        {"class_type": "PreviewAny", "inputs": {"source": 2}}
    )
    report = lint_file((text[:-2] + ', "source": 3}}}').encode(), CATALOG, name="x")

    assert [("/1", "1", None), ("/1/inputs/source", "1", "source")] == [
        (d.pointer, d.node_id, d.input) for d in report if d.rule_id == "CG002"
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [(2**53 - 1, False), (2**53, False), (2**53 + 1, True), (2**64 - 1, True), (2**60, False)],
)
def test_unsafe_integers(value: int, told: bool) -> None:
    """
    Seeds are told, as information, where a double would hold another number.
    """
    graph = {**PICTURE, "3": {**PICTURE["3"], "inputs": {**PICTURE["3"]["inputs"], "seed": value}}}

    assert ([Severity.INFO] if told else []) == [d.severity for d in _by("CG308", graph)]


@pytest.mark.parametrize(
    ("class_type", "name", "value", "near"),
    [
        ("EmptyLatentImage", "width", 513, 512),
        ("EmptyLatentImage", "width", 520, None),
        ("KSampler", "cfg", 7.005, 7.0),
        ("KSampler", "cfg", 7.1, None),
        ("KSampler", "denoise", 0.123, 0.12),
        ("KSampler", "denoise", 0.3, None),
        ("KSampler", "cfg", 8, None),
    ],
)
def test_off_step(class_type: str, name: str, value: float, near: float | None) -> None:
    """
    A value is off the grid only if the editor's widget would change it; decimals are no trouble.
    """
    node_id = next(i for i, node in PICTURE.items() if node["class_type"] == class_type)
    node = {**PICTURE[node_id], "inputs": {**PICTURE[node_id]["inputs"], name: value}}
    found = _by("CG307", {**PICTURE, node_id: node})

    assert ([] if near is None else [near]) == [d.fixes[0].edits[0].value for d in found]


def test_whole_branch_twice_is_told_once() -> None:
    """
    Of two like branches only the end is told, and a difference anywhere makes them unlike.
    """

    def scale(source: str, width: int) -> dict[str, Any]:
        inputs = {"upscale_method": "area", "width": width, "height": 8, "crop": "disabled"}
        return {"class_type": "ImageScale", "inputs": {"image": [source, 0], **inputs}}

    graph = {"1": _image(), "2": scale("1", 8), "3": scale("2", 16), "4": scale("1", 8)}
    graph |= {"5": scale("4", 16), "6": _save("3")}
    graph["7"] = {"class_type": "PreviewImage", "inputs": {"images": ["5", 0]}}

    assert ["5"] == [d.node_id for d in _by("CG601", graph)]
    graph["1b"] = _image(width=32)
    graph["4"] = scale("1b", 8)
    assert [] == _by("CG601", graph)


def test_fault_of_a_loose_node_is_a_warning() -> None:
    """
    The server does not look at nodes that no output needs.
    """
    graph = {"1": _image(), "2": _save("1"), "3": _image(width=0)}
    (found,) = _by("CG302", graph)

    assert found.severity is Severity.WARNING


def test_every_circle_through_one_link() -> None:
    """
    Circles through the same link are one finding, which counts them.
    """
    graph = {**PICTURE, "4": {**PICTURE["4"], "inputs": {"ckpt_name": "m", "bogus": ["8", 0]}}}
    (found,) = _by("CG103", graph)

    assert "/4/inputs/bogus" == found.pointer
    assert found.message.endswith("and 3 more through the same link")
    assert found.server_error is None


def test_resource_must_be_declared() -> None:
    """
    Every AIR in a customComfy graph must be among the step's resources; case and space are free.
    """
    graph = {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": AIR}}}

    def body(*resources: Any) -> dict[str, Any]:
        step = {"$type": "customComfy", "input": {"resources": resources, "workflow": graph}}
        return {"steps": [{**step, "input": {**step["input"], "resources": list(resources)}}]}

    def ids(document: Any) -> list[tuple[str, str]]:
        report = lint(document, CATALOG, options=LintOptions(target="civitai-custom"))
        return [(d.rule_id, d.pointer) for d in report if d.rule_id[:4] == "CG41"]

    layer = {"$ref": "packs", "path": "output.results[0].layerAir"}
    at = "/steps/0/input/workflow/1/inputs/ckpt_name"
    assert [] == ids(body(f" {AIR.upper()} ", layer))
    assert [("CG414", at)] == ids(body(layer))
    assert [("CG415", "/steps/0/input"), ("CG414", at)] == ids(body())
    assert [("CG415", "/steps/0/input/resources/1")] == ids(body(AIR, "urn:nothing"))


def test_limits_of_app_blocks() -> None:
    """
    Too many nodes, other keys, sources and types beyond the list are refused by the site.
    """
    many = {str(n): _image(width=n) for n in range(1, 302)}
    odd = {"1": {"class_type": "VAELoader", "_meta": {}, "inputs": {
        "vae_name": "urn:air:other:other:civitai-r2:assets@sam.pth"}}}  # fmt: skip

    assert ["301 nodes, 1 to 300 are allowed"] == [
        d.message for d in _by("CG416", many, target="civitai-app")
    ]
    assert ["/1", "/1/inputs/vae_name"] == [
        d.pointer for d in _by("CG416", odd, target="civitai-app")
    ]


def test_files_of_a_given_server() -> None:
    """
    With a server's own catalog, the target `comfyui` checks names of files against its lists.
    """
    entry = {"input": {"required": {"ckpt_name": [["a/model.safetensors"], {}]}}, "output": []}
    server = catalog_from_mapping({"CheckpointLoaderSimple": {**entry, "output_node": True}})
    node = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "A\\model.safetensors"}}

    def ids(value: str, target: str | None) -> list[tuple[str, str]]:
        graph = {"1": {**node, "inputs": {"ckpt_name": value}}}
        report = lint(graph, server, options=LintOptions(target=target))
        return [(d.rule_id, d.severity.value) for d in report]

    assert [("CG303", "error")] == ids("other.safetensors", "comfyui")
    assert [] == ids("other.safetensors", None)
    assert [("CG306", "error")] == ids("a\\model.safetensors", "comfyui")
    assert [("CG306", "warning")] == ids("a\\model.safetensors", None)
    assert [("CG305", "error")] == ids("A/Model.safetensors", "comfyui")


def test_constants_of_a_dynamic_group_are_told_once() -> None:
    """
    Where the selector chooses nothing, its inputs are not called unknown as well.
    """
    node = {**RESIZE["2"], "inputs": {**RESIZE["2"]["inputs"], "resize_type": "nothing"}}
    report = lint({**RESIZE, "2": node}, CATALOG)

    assert ["CG210"] == [d.rule_id for d in report if d.severity is not Severity.INFO]
