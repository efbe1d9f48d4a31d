"""
Widget values: where they come from, in the order and the form in which files store them.
"""

from __future__ import annotations

from typing import Any

import pytest
from flow_builder import Flow

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.workflow import convert

CATALOG = load_catalog()


def _classes(**entries: dict[str, Any]) -> NodeCatalog:
    return load_catalog({name: {"output": [], **entry} for name, entry in entries.items()})


def _values(kind: str, *values: Any, catalog: NodeCatalog = CATALOG, **more: Any) -> Any:
    return convert(Flow().node(1, kind, *values, **more).json(), catalog).document["1"]["inputs"]


def test_control_takes_a_place() -> None:
    """
    A seed is followed by what becomes of it, which is in no prompt.
    """
    sampler = ("euler", "normal", 0.5)

    assert {
        "seed": 7, "steps": 20, "cfg": 8, "sampler_name": "euler", "scheduler": "normal",
        "denoise": 0.5,
    } == _values("KSampler", 7, "randomize", 20, 8, *sampler)  # fmt: skip


def test_short_lists_are_filled_up() -> None:
    """
    What a list does not hold has the value of a new node.
    """
    assert {"width": 64, "height": 512, "batch_size": 1} == _values("EmptyLatentImage", 64)


def test_null_is_the_first_choice_of_a_combo() -> None:
    """
    A combo without a value takes its first choice, any other widget stays null.
    """
    assert {"width": None, "height": 2, "batch_size": 1} == _values("EmptyLatentImage", None, 2)
    assert "nearest-exact" == _values("ImageScale", None)["upscale_method"]


def test_old_sampler_names() -> None:
    """
    `sample_euler` of the first versions is `euler`.
    """
    values = _values("KSampler", 7, "fixed", 20, 8, "sample_euler", "normal", 1)

    assert "euler" == values["sampler_name"]


def test_dynamic_combo() -> None:
    """
    The widgets of the chosen option follow the combo, under dotted names.
    """
    assert {
        "resize_type": "scale dimensions",
        "resize_type.width": 10,
        "resize_type.height": 20,
        "resize_type.crop": "center",
        "scale_method": "area",
    } == _values("ResizeImageMaskNode", "scale dimensions", 10, 20, "center", "area")


def test_values_by_name() -> None:
    """
    A class of a node pack may store an object; keys that are no inputs are the editor's state.
    """
    catalog = _classes(
        VHS={
            "python_module": "custom_nodes.vhs",
            "input": {"required": {"rate": ["INT", {"default": 8}], "loop": ["BOOLEAN", {}]}},
        }
    )
    stored = {"rate": 24, "videopreview": {"hidden": False}}

    assert {"rate": 24, "loop": False} == _values("VHS", catalog=catalog, widgets_values=stored)


def test_forced_inputs_had_a_place_once() -> None:
    """
    Old files hold a value for inputs that are forced to be sockets; it is dropped.
    """
    catalog = _classes(
        Old={
            "input": {
                "required": {
                    "a": ["INT", {"forceInput": True}],
                    "b": ["INT", {"default": 1}],
                    "c": ["INT", {"default": 2}],
                }
            }
        }
    )

    assert {"b": 6, "c": 7} == _values("Old", 5, 6, 7, catalog=catalog)
    assert {"b": 6, "c": 7} == _values("Old", 6, 7, catalog=catalog)


def test_upload_button_comes_last() -> None:
    """
    The button of an image loader takes a place, after all required inputs.
    """
    spec = {
        "required": {"image": [["a.png"], {"image_upload": True}], "n": ["INT", {"default": 3}]},
        "optional": {"z": ["INT", {"default": 4}]},
    }
    new = {"input": spec, "input_order": {"required": ["image", "n"], "optional": ["z"]}}
    catalog = _classes(New=new, Old={"input": spec})

    assert {"image": "a.png", "n": 1, "z": 2} == _values("New", "a.png", 1, 2, catalog=catalog)
    old = _values("Old", "a.png", 1, "image", 2, catalog=catalog)
    assert {"image": "a.png", "n": 1, "z": 2} == old


def test_input_order_counts() -> None:
    """
    `input_order` decides, and inputs that it does not name come after.
    """
    entry = {
        "input": {"required": {"a": ["INT", {}], "b": ["INT", {}], "c": ["INT", {}]}},
        "input_order": {"required": ["b", "a"]},
    }

    assert ["b", "a", "c"] == list(_values("Odd", 1, 2, 3, catalog=_classes(Odd=entry)))


def test_lists_are_wrapped() -> None:
    """
    A list would be a link: it is wrapped, and a curve says that it is one.
    """
    catalog = _classes(
        Lists={"input": {"required": {"colors": ["COLORS", {}], "curve": ["CURVE", {}]}}}
    )

    assert {
        "colors": {"__value__": ["#fff"]},
        "curve": {"__type__": "CURVE", "__value__": [[0, 0], [1, 1]]},
    } == _values("Lists", ["#fff"], [[0, 0], [1, 1]], catalog=catalog)


@pytest.mark.parametrize(
    ("stored", "options"),
    [
        (["4:3", 1, "16:9", "4:3", ""], ["16:9", "4:3", ""]),
        (["4:3", 0, "4:3"], ["4:3", ""]),
        ([], [""]),
    ],
)
def test_custom_combo(stored: list[Any], options: list[str]) -> None:
    """
    The options that a person typed in are in the prompt, and always an empty one at the end.
    """
    values = _values("CustomCombo", *stored)

    assert options == [values[f"option{index + 1}"] for index in range(len(options))]
    assert f"option{len(options) + 1}" not in values
    if stored:
        assert options.index("4:3") == values["index"]


def _without(*names: str) -> NodeCatalog:
    kept = ("EmptyImage", "ResizeImageMaskNode", "BatchImagesNode", "ControlNetLoader")
    kept += ("ImageScaleToMaxDimension", "PreviewImage")
    return load_catalog({name: CATALOG[name].raw for name in kept if name not in names})


def test_class_with_another_name() -> None:
    """
    A class that took the place of an old one gets its values and links, by their new names.
    """
    flow = (
        Flow()
        .node(1, "EmptyImage", 8, 8, 1, 0)
        .node(2, "ImageScaleBy", "area", 2.5)
        .node(3, "ImageBatch")
        .node(4, "ResizeImagesByLongerEdge", 640)
        .link(1, 0, 2, "image")
        .link(1, 0, 3, "image1")
        .link(2, 0, 3, "image2")
        .link(3, 0, 4, "images")
    )
    result = convert(flow.json(), _without())
    nodes = {node_id: node["inputs"] for node_id, node in result.document.items()}

    assert {
        "resize_type": "scale by multiplier",
        "resize_type.multiplier": 2.5,
        "scale_method": "area",
        "input": ["1", 0],
    } == nodes["2"]
    assert {"images.image0": ["1", 0], "images.image1": ["2", 0]} == nodes["3"]
    assert {"upscale_method": "lanczos", "largest_size": 640, "image": ["3", 0]} == nodes["4"]
    assert ["CG522"] * 3 == [issue.code for issue in result.diagnostics]
    assert "/nodes/1/widgets_values/1" == result.source_map.pointer("2", "resize_type.multiplier")


def test_class_that_is_there_keeps_its_name() -> None:
    """
    Nothing is renamed while the catalog has the old class.
    """
    document = convert(Flow().node(1, "ImageScaleBy", "area", 2.5).json(), CATALOG).document

    assert "ImageScaleBy" == document["1"]["class_type"]


def test_socket_of_a_widget_that_is_gone() -> None:
    """
    A connection to a widget that the class has no more is dropped, other inputs are kept.
    """
    flow = Flow().node(1, "PrimitiveInt", 5, "fixed").node(2, "EmptyImage", 1, 2, 3, 4)
    flow.link(1, 0, 2, "gone", "INT", widget=True).link(1, 0, 2, "extra", "INT")
    inputs = convert(flow.json(), CATALOG).document["2"]["inputs"]

    assert ["1", 0] == inputs["extra"]
    assert "gone" not in inputs
