"""
The order of nodes, the keys of their results, and the facts on their outputs.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import load_catalog
from comfygraph.emulator.facts import (
    MAX_AREA,
    MAX_COUNT,
    MAX_SIDE,
    Frame,
    NodeView,
    facts_of,
    frame,
    steps_of,
)
from comfygraph.emulator.schedule import MissingNodeError, Schedule, signatures, upstream_first

CATALOG = load_catalog()


def run(nodes: dict[str, Any], outputs: list[str], done: tuple[str, ...] = ()) -> list[str]:
    """The order in which a schedule runs its nodes."""
    schedule = Schedule(
        nodes,
        outputs,
        done,
        is_output=lambda node_id: nodes[node_id]["class_type"] == "Out",
        is_lazy=lambda node_id, name: name.startswith("lazy"),
    )
    order: list[str] = []
    while (node_id := schedule.pick()) is not None:
        asked = [
            value[0]
            for name, value in nodes[node_id]["inputs"].items()
            if name.startswith("lazy_used") and schedule.ask(node_id, value[0])
        ]
        if not asked:
            order.append(node_id)
            schedule.finish(node_id)
    return order


def node(kind: str = "Any", **inputs: Any) -> dict[str, Any]:
    """A node whose inputs are ids of nodes."""
    return {"class_type": kind, "inputs": {name: [source, 0] for name, source in inputs.items()}}


def test_outputs_first() -> None:
    """
    An output node runs as soon as it can, and what feeds one before what does not.
    """
    nodes = {
        "1": node(),
        "2": node(a="1"),
        "3": node(a="2"),
        "4": node("Out", a="3"),
        "5": node("Out", a="2"),
    }

    assert ["1", "2", "5", "3", "4"] == run(nodes, ["4", "5"])


def test_only_the_cone_runs() -> None:
    """
    Nodes that no output needs, and inputs that nobody asks for, do not run.
    """
    nodes = {
        "1": node(),
        "2": node(lazy_used="1", lazy_unused="3"),
        "3": node(),
        "4": node("Out", a="2"),
        "5": node(a="1"),
    }

    assert ["1", "2", "4"] == run(nodes, ["4"])


def test_known_results_do_not_run() -> None:
    """
    Of nodes whose results are there only the output nodes come up again.
    """
    nodes = {"1": node(), "2": node(a="1"), "3": node("Out", a="2")}

    assert ["3"] == run(nodes, ["3"], ("1", "2", "3"))
    assert ["2", "3"] == run(nodes, ["3"], ("1",))


@pytest.mark.slow
def test_long_chain() -> None:
    """
    A chain of 20,000 nodes is scheduled and keyed without recursion.
    """
    nodes = {"0": node()}
    for number in range(1, 20_000):
        nodes[str(number)] = node(a=str(number - 1))
    nodes["out"] = node("Out", a="19999")

    assert [*map(str, range(20_000)), "out"] == run(nodes, ["out"])
    assert 20_001 == len(signatures(nodes))


def test_cycle_and_missing_node() -> None:
    """
    A cycle leaves nodes that never get ready; a missing node is an error at once.
    """
    nodes = {"1": node(a="2"), "2": node(a="1"), "3": node("Out", a="2")}

    assert [] == run(nodes, ["3"])
    assert [] == upstream_first(nodes)
    with pytest.raises(MissingNodeError):
        run({"1": node("Out", a="9")}, ["1"])


def test_keys_follow_what_is_upstream() -> None:
    """
    A node's key changes with its class, its constants, and anything upstream, not with ids.
    """
    base = {"1": {"class_type": "A", "inputs": {"x": 1}}, "2": node("B", a="1")}
    other_id = {"7": {"class_type": "A", "inputs": {"x": 1}}, "8": node("B", a="7")}
    changed = {"1": {"class_type": "A", "inputs": {"x": 2}}, "2": node("B", a="1")}

    assert signatures(base)["2"] == signatures(other_id)["8"]
    assert signatures(base)["2"] != signatures(changed)["2"]
    assert signatures(base)["2"] != signatures(base, "salt")["2"]


def size(class_type: str, **inputs: Any) -> Frame:
    """The picture that a node makes of a batch of two pictures of 640 x 320."""
    nodes = {
        "p": {
            "class_type": "EmptyImage",
            "inputs": {"width": 640, "height": 320, "batch_size": 2, "color": 0},
        },
        "l": {"class_type": "VAEEncode", "inputs": {"pixels": ["p", 0]}},
        "n": {"class_type": class_type, "inputs": inputs},
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["n", 0]}},
    }
    return NodeView(facts_of(nodes, CATALOG, lambda name: Frame(100, 50)), "show").frame()


P, L = ["p", 0], ["l", 0]


@pytest.mark.parametrize(
    ("class_type", "inputs", "expected"),
    [
        ("EmptyLatentImage", {"width": 777, "height": 512, "batch_size": 3}, (776, 512, 3)),
        ("EmptySD3LatentImage", {"width": 64, "height": 96, "batch_size": 1}, (64, 96, 1)),
        (
            "EmptyHunyuanLatentVideo",
            {"width": 64, "height": 64, "length": 5, "batch_size": 1},
            (64, 64, 5),
        ),
        ("LatentUpscale", {"samples": L, "width": 1280, "height": 0}, (1280, 640, 2)),
        ("LatentUpscaleBy", {"samples": L, "scale_by": 1.5}, (960, 480, 2)),
        ("ImageScale", {"image": P, "width": 0, "height": 100}, (200, 100, 2)),
        ("ImageScaleBy", {"image": P, "scale_by": 0.5}, (320, 160, 2)),
        ("ImageScaleToTotalPixels", {"image": P, "megapixels": 0.05}, (324, 162, 2)),
        ("ImageScaleToMaxDimension", {"image": P, "largest_size": 64}, (64, 32, 2)),
        (
            "ResizeImageMaskNode",
            {"input": P, "resize_type": "scale width", "resize_type.width": 64},
            (64, 32, 2),
        ),
        ("ImageUpscaleWithModel", {"image": P}, (2560, 1280, 2)),
        ("FluxKontextImageScale", {"image": P}, (1456, 720, 2)),
        ("ImageCrop", {"image": P, "width": 100, "height": 999}, (100, 320, 2)),
        (
            "ImagePadForOutpaint",
            {"image": P, "left": 8, "right": 8, "top": 8, "bottom": 0},
            (656, 328, 2),
        ),
        ("ImageRotate", {"image": P, "rotation": "90 degrees"}, (320, 640, 2)),
        ("RepeatLatentBatch", {"samples": L, "amount": 3}, (640, 320, 6)),
        ("ImageBatch", {"image1": P, "image2": P}, (640, 320, 4)),
        ("BatchImagesNode", {"images.image0": P, "images.image1": P}, (640, 320, 4)),
        ("ImageFromBatch", {"image": P, "batch_index": 1, "length": 9}, (640, 320, 1)),
        ("ImageStitch", {"image1": P, "image2": P, "direction": "down"}, (640, 640, 2)),
        ("LoadImage", {"image": "x.png"}, (100, 50, 1)),
        ("VAEDecode", {"samples": L}, (640, 320, 2)),
        ("KSampler", {"latent_image": L, "steps": 5}, (640, 320, 2)),
        ("SomethingNew", {"thing": P}, (640, 320, 2)),
    ],
)
def test_sizes(class_type: str, inputs: dict[str, Any], expected: tuple[int, int, int]) -> None:
    """
    Nodes change size and number of pictures as ComfyUI's own do.
    """
    assert Frame(*expected) == size(class_type, **inputs)


@given(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_frames_stay_within_limits(width: float, height: float, count: float) -> None:
    """
    Whatever a graph asks for, a picture is of a size that can be drawn.
    """
    found = frame(width, height, count)

    assert 1 <= found.width <= MAX_SIDE
    assert 1 <= found.height <= MAX_SIDE
    assert found.width * found.height <= MAX_AREA
    assert 1 <= found.count <= MAX_COUNT


def test_steps_of_samplers() -> None:
    """
    Steps are a sampler's own, the part of them that it does, or those of its schedule.
    """
    nodes = {
        "1": {"class_type": "BasicScheduler", "inputs": {"steps": 12, "denoise": 1.0}},
        "2": {"class_type": "SplitSigmas", "inputs": {"sigmas": ["1", 0], "step": 8}},
        "3": {
            "class_type": "SamplerCustomAdvanced",
            "inputs": {"latent_image": ["9", 0], "sigmas": ["2", 0]},
        },
        "4": {
            "class_type": "KSamplerAdvanced",
            "inputs": {
                "latent_image": ["9", 0], "steps": 20, "start_at_step": 5, "end_at_step": 10_000,
            },
        },
        "5": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    }  # fmt: skip
    facts = facts_of(nodes, CATALOG, lambda name: None)
    steps = {node_id: steps_of(facts, node_id) for node_id in nodes}

    assert {"1": 0, "2": 0, "3": 8, "4": 15, "5": 0} == steps
