"""
Dynamic inputs in Python: lists, choices with their dependents, matched types.
"""

from __future__ import annotations

from collections import OrderedDict, UserList, deque, namedtuple
from types import MappingProxyType
from typing import Any

import pytest

from comfygraph.catalog import load_catalog
from comfygraph.core.values import Link
from comfygraph.dsl import NodeSpace, build, raw_node
from comfygraph.errors import BuildError
from comfygraph.nodes import (
    BatchImagesNode,
    BerniniConditioning,
    ByteDanceSeedNode,
    CheckpointLoaderSimple,
    ComfyMathExpression,
    ComfySwitchNode,
    CreateList,
    GetSplatCount,
    ImageScale,
    LoadImage,
    LoraLoader,
    PrimitiveInt,
    ResizeImageMaskNode,
    SaveImage,
    SaveVideo,
)

IMAGE = LoadImage("a.png")
C = CheckpointLoaderSimple("a.safetensors")


def _inputs(node: Any) -> dict[str, Any]:
    return dict(build(node).nodes()[-1].inputs)


def test_a_list_fills_an_autogrow_input():
    """
    Members are numbered by the template; `None` leaves a gap, a single one needs no list.
    """
    link = Link("1", 0)

    assert {"images.image0": link, "images.image2": link} == _inputs(
        BatchImagesNode([IMAGE.IMAGE, None, IMAGE])
    )
    assert {"images.image0": link} == _inputs(BatchImagesNode(IMAGE))
    assert {"images.image1": link, "images.image0": link} == _inputs(
        BatchImagesNode({"image0": IMAGE.IMAGE, "image1": IMAGE.IMAGE})
    )


Pair = namedtuple("Pair", "first second")


class Row(list[Any]):
    pass


@pytest.mark.parametrize(
    "members",
    [
        Pair(IMAGE.IMAGE, IMAGE.IMAGE),
        Row([IMAGE.IMAGE, IMAGE.IMAGE]),
        deque([IMAGE.IMAGE, IMAGE.IMAGE]),
        UserList([IMAGE.IMAGE, IMAGE.IMAGE]),
        OrderedDict(image0=IMAGE.IMAGE, image1=IMAGE.IMAGE),
        MappingProxyType({"image0": IMAGE.IMAGE, "image1": IMAGE.IMAGE}),
    ],
    ids=lambda members: type(members).__name__,
)
def test_any_sequence_and_any_mapping_will_do(members: Any):
    """
    What type checkers take for members is taken: named tuples, queues, read-only mappings.
    """
    link = Link("1", 0)

    assert {"images.image0": link, "images.image1": link} == _inputs(BatchImagesNode(members))


def test_members_are_those_of_the_moment():
    """
    A list that grows later, also inside of another, changes no node that was made of it.
    """
    inner: list[Any] = [IMAGE.IMAGE]
    model = MappingProxyType({"model": "Seed 2.0 Pro", "images": inner})
    raw: Any = ByteDanceSeedNode
    node = raw(model=model, prompt="a")
    inner.append(IMAGE.IMAGE)

    assert ["model.images.image_1"] == [name for name in _inputs(node) if "images" in name]


def test_members_by_their_full_names():
    """
    The names of the prompt work too, as do constants where a member takes them.
    """
    raw: Any = ComfyMathExpression
    node = raw(expression="a+b", **{"values.a": PrimitiveInt(value=1), "values.b": 2.5})

    assert {"expression": "a+b", "values.a": Link("1", 0), "values.b": 2.5} == _inputs(node)


def test_an_optional_group_may_be_left_out():
    """
    No member is needed where the template asks for none.
    """
    text = raw_node("Text")[0]
    node = BerniniConditioning(
        positive=text, negative=text, vae=C, width=64, height=64, length=1, batch_size=1
    )

    assert not [name for name in _inputs(node) if name.startswith("reference_images")]


def test_a_choice_brings_its_dependents():
    """
    The key alone takes their defaults; an object gives them by name.
    """
    assert {
        "resize_type": "scale width",
        "resize_type.width": 512,
        "scale_method": "area",
        "input": Link("1", 0),
    } == _inputs(ResizeImageMaskNode(IMAGE.IMAGE, "scale width"))
    assert {
        "resize_type": "match size",
        "resize_type.crop": "center",
        "scale_method": "area",
        "input": Link("1", 0),
        "resize_type.match": Link("1", 1),
    } == _inputs(
        ResizeImageMaskNode(IMAGE.IMAGE, {"resize_type": "match size", "match": IMAGE.MASK})
    )


def test_a_choice_left_out_is_the_first():
    """
    As in the editor, the first option stands until another is chosen.
    """
    assert {
        "filename_prefix": "video/ComfyUI",
        "format": "auto",
        "format.codec": "auto",
        "codec": "auto",
        "video": Link("1", 0),
    } == _inputs(SaveVideo(raw_node("Video")[0]))


def test_choices_nest():
    """
    A dependent can be a choice itself, or a list.
    """
    node = SaveVideo(
        raw_node("Video")[0],
        format={"format": "mp4", "codec": {"codec": "h264", "encoding": "auto"}},
    )
    seed = ByteDanceSeedNode(
        model={"model": "Seed 2.0 Pro", "images": [IMAGE.IMAGE, IMAGE.IMAGE]}, prompt="a"
    )

    assert {
        "format": "mp4",
        "format.codec": "h264",
        "format.codec.encoding": "auto",
    } == {name: value for name, value in _inputs(node).items() if name.startswith("format")}
    assert ["model.images.image_1", "model.images.image_2"] == [
        name for name in _inputs(seed) if "images" in name
    ]


def test_matched_types_are_carried_through():
    """
    A switch gives what is linked to it: a whole switch fits where its type is wanted.
    """
    switch = ComfySwitchNode(switch=True, on_false=C.MODEL, on_true=C)
    images = CreateList([IMAGE.IMAGE, ImageScale(IMAGE, width=64, height=64)])

    assert Link("2", 0) == _inputs(LoraLoader(switch, C, "b"))["model"]
    assert Link("3", 0) == _inputs(SaveImage(images))["images"]


def test_a_list_of_nodes_settles_the_type_of_its_group():
    """
    Whole nodes with one output do so as their outputs do.
    """
    images: Any = CreateList([ImageScale(IMAGE, width=64, height=64)])
    with pytest.raises(BuildError) as caught:
        build(LoraLoader(images, C, "b"))

    assert ["LoraLoader: `model` wants MODEL, CreateList gives IMAGE"] == [
        problem.message for problem in caught.value.problems
    ]


def test_unions_keep_the_kind_of_number():
    """
    Where whole numbers and others both go, each stays what it is.
    """
    node = ComfyMathExpression(expression="a", values=[1, 2.0, True])

    assert [(int, 1), (float, 2.0), (bool, True)] == [
        (type(value), value) for name, value in _inputs(node).items() if "." in name
    ]


def test_an_output_called_like_a_method():
    """
    `GetSplatCount.count` is an output, not what tuples count with.
    """
    node = GetSplatCount(raw_node("Splat")[0])

    assert 1 < len(node)
    assert "count" == load_catalog()["GetSplatCount"].outputs[node.count.slot].name


def test_dynamic_slots_take_a_link_and_what_comes_with_it():
    """
    The inputs of a dynamic slot exist once something is linked to it.
    """
    inner = {"required": {"x": ["INT", {"default": 3}]}}
    spec = ["COMFY_DYNAMICSLOT_V3", {"slot": ["IMAGE", {}], "inputs": inner}]
    catalog = load_catalog({"Slot": {"input": {"required": {"s": spec}}, "output": []}})
    slot: Any = NodeSpace(catalog).Slot

    assert {} == _inputs(slot())
    assert {"s.x": 3, "s": Link("1", 0)} == _inputs(slot(s=IMAGE.IMAGE))


def test_lists_of_choices():
    """
    A list of several is wrapped, and empty where the class names no default; numbers, booleans
    and texts that look alike are told apart.
    """
    spec = ["COMBO", {"options": ["x", "y"], "multiselect": True}]
    catalog = load_catalog({
        "Many": {"input": {"required": {"m": spec, "n": [[1, True, "1"], {}]}}, "output": []},
    })  # fmt: skip
    many: Any = NodeSpace(catalog).Many
    prompt = build([many(n=1), many(n=True), many(n="1", m=("x", "y"))])

    assert [(int, 1, []), (bool, True, []), (str, "1", ["x", "y"])] == [
        (type(node.inputs["n"]), node.inputs["n"], node.inputs["m"]["__value__"])
        for node in prompt.nodes()
    ]
