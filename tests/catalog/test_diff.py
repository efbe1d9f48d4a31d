"""
What changed between two catalogs.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from strategies import object_infos

from comfygraph.catalog import load_catalog
from comfygraph.catalog.diff import Change, covers, diff_catalogs, fits

CORE = load_catalog()
CLASSES = ["KSampler", "ResizeImageMaskNode", "BatchImagesNode", "SaveImage", "LoraLoader"]


def _core() -> dict[str, Any]:
    return {name: copy.deepcopy(dict(CORE[name].raw)) for name in CLASSES}


def _required(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document[name]["input"]["required"]
    return found


def _changes(change: Callable[[dict[str, Any]], Any]) -> list[Change]:
    after = _core()
    change(after)
    return diff_catalogs(load_catalog(_core()), load_catalog(after))


def _option(document: dict[str, Any], key: str) -> dict[str, Any]:
    options = _required(document, "ResizeImageMaskNode")["resize_type"][1]["options"]
    found: dict[str, Any] = next(option for option in options if option["key"] == key)
    return found


def _drop_option(document: dict[str, Any]) -> None:
    options = _required(document, "ResizeImageMaskNode")["resize_type"][1]["options"]
    options.remove(_option(document, "scale width"))


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    *keys, last = path.split("/")

    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for key in keys:
            place = place[int(key) if isinstance(place, list) else key]
        if value is KeyError:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value

    return change


def _optional(document: dict[str, Any]) -> None:
    spec = _required(document, "KSampler").pop("denoise")
    document["KSampler"]["input"]["optional"] = {"denoise": spec}


REQUIRED = "KSampler/input/required"


@pytest.mark.parametrize(
    ("change", "kind", "breaking", "message"),
    [
        (_set("KSampler", KeyError), "class-removed", True, "is gone"),
        (_set("New", {"input": {}, "output": []}), "class-added", False, "is new"),
        (_set(f"{REQUIRED}/cfg", KeyError), "input-removed", True, "`cfg` is gone"),
        (_set(f"{REQUIRED}/new", ["INT"]), "required-input-added", True,
         "`new` is new and required"),
        (_set("KSampler/input/optional", {"new": ["INT"]}), "input-added", False,
         "`new` is new and optional"),
        (_optional, "input-now-optional", False, "`denoise` is now optional"),
        (_set(f"{REQUIRED}/model/0", "CLIP"), "input-retyped", True,
         "`model` is now CLIP, was MODEL"),
        (_set(f"{REQUIRED}/model/0", "MODEL,CLIP"), "input-retyped", False,
         "`model` is now MODEL,CLIP, was MODEL"),
        (_set(f"{REQUIRED}/model/0", "*"), "input-retyped", False, "`model` is now *, was MODEL"),
        (_set(f"{REQUIRED}/steps/1/max", 100), "range-narrowed", True,
         "`steps` maximum is `100`, was `10000`"),
        (_set(f"{REQUIRED}/steps/1/min", 2), "range-narrowed", True,
         "`steps` minimum is `2`, was `1`"),
        (_set(f"{REQUIRED}/steps/1/max", KeyError), "range-widened", False,
         "`steps` maximum is none, was `10000`"),
        (_set(f"{REQUIRED}/steps/1/default", 30), "default-changed", False,
         "`steps` defaults to `30`, was `20`"),
        (_set(f"{REQUIRED}/scheduler/0", ["simple", "normal", "new one"]), "options-removed", True,
         ("`scheduler` no longer has `sgm_uniform`, `karras`, `exponential`, `ddim_uniform` "
          "and 3 more")),
        (_drop_option, "options-removed", True, "`resize_type` no longer has `scale width`"),
        (lambda d: _option(d, "scale width")["inputs"]["required"].update(more=["INT"]),
         "required-input-added", True, "`resize_type[scale width].more` is new and required"),
        (lambda d: _option(d, "scale width")["inputs"]["required"]["width"][1].update(max=9),
         "range-narrowed", True, "`resize_type[scale width].width` maximum is `9`, was `16384`"),
        (_set("BatchImagesNode/input/required/images/1/template/max", 49), "options-removed", True,
         "`images` no longer has `image49`"),
        (_set("BatchImagesNode/input/required/images/1/template/min", 2), "range-narrowed", True,
         "`images` least count is `2`, was `1`"),
        (_set("ResizeImageMaskNode/input/required/input/1/template/allowed_types", "MASK"),
         "input-retyped", True, "`input` is now MASK, was IMAGE,MASK"),
        (_set("KSampler/output/0", "IMAGE"), "output-retyped", True,
         "output 0 is now IMAGE, was LATENT"),
        (_set("LoraLoader/output", ["MODEL"]), "output-removed", True, "output 1 `CLIP` is gone"),
        (_set("KSampler/output", ["LATENT", "INT"]), "output-added", False,
         "output 1 `INT` is new"),
        (_set("KSampler/output_name", ["x"]), "output-renamed", False,
         "output 0 is now called `x`, was `LATENT`"),
        (_set("KSampler/output_is_list", [True]), "output-list-changed", False,
         "output 0 is now a list"),
        (_set("SaveImage/output_node", False), "output-node-changed", True,
         "is no longer an output node"),
        (_set("KSampler/output_node", True), "output-node-changed", False,
         "is now an output node"),
        (_set("KSampler/deprecated", True), "deprecated-changed", False, "is now deprecated"),
        (_set("KSampler/api_node", True), "api-node-changed", False, "is now a paid API node"),
    ],
)  # fmt: skip
def test_one_change(
    change: Callable[[dict[str, Any]], Any], kind: str, breaking: bool, message: str
) -> None:
    """
    Each kind of change is told once, with what was and what is, and whether it can break.
    """
    found = _changes(change)[0]

    assert (kind, breaking, message) == (found.kind, found.breaking, found.message)
    assert json.loads(json.dumps(found.to_json()))["kind"] == kind


def test_what_changes_nothing() -> None:
    """
    Prose, grids, lists of files and the order of inputs are no change; files when asked for.
    """

    def change(document: dict[str, Any]) -> None:
        _required(document, "KSampler")["steps"][1]["tooltip"] = "prose"
        _required(document, "KSampler")["steps"][1]["step"] = 5
        _required(document, "LoraLoader")["lora_name"][0] = ["other.safetensors"]
        document["SaveImage"]["description"] = "prose"
        inputs = _required(document, "KSampler")
        inputs["model"] = inputs.pop("model")

    after = _core()
    change(after)
    before = _core()
    _required(before, "LoraLoader")["lora_name"][0] = ["mine.safetensors"]

    assert [] == diff_catalogs(load_catalog(before), load_catalog(after))
    assert [
        "`lora_name` no longer has `mine.safetensors`",
        "`lora_name` now has `other.safetensors`",
    ] == [c.message for c in diff_catalogs(load_catalog(before), load_catalog(after), files=True)]


def test_what_comes_with_its_parent_is_not_told_again() -> None:
    """
    The inputs of an option that is new or gone are no news of their own.
    """

    def add(document: dict[str, Any]) -> None:
        _drop_option(document)
        _required(document, "ResizeImageMaskNode")["resize_type"][1]["options"].append(
            {"key": "new", "inputs": {"required": {"a": ["INT"]}}}
        )

    assert ["options-removed", "options-added"] == [change.kind for change in _changes(add)]


def test_the_old_and_the_new_way_to_write_a_combo_are_one() -> None:
    """
    `[[...], {}]` and `["COMBO", {"options": [...]}]` are the same options.
    """
    old = {"A": {"input": {"required": {"x": [["a", "b"], {}]}}, "output": []}}
    new = {"A": {"input": {"required": {"x": ["COMBO", {"options": ["b", "a"]}]}}, "output": []}}

    assert [] == diff_catalogs(load_catalog(old), load_catalog(new))


def test_odd_options_are_compared_as_json() -> None:
    """
    `1`, `true` and `"1"` are three options, and lists can be options, too.
    """
    old = {"A": {"input": {"required": {"x": [[1, "a", ["l"]]]}}, "output": []}}
    new = {"A": {"input": {"required": {"x": [[True, "1", ["l"]]]}}, "output": []}}
    removed, added = diff_catalogs(load_catalog(old), load_catalog(new))

    assert ([1, "a"], [True, "1"]) == (removed.before, added.after)


@given(object_infos(), object_infos())
def test_any_two_catalogs(old: dict[str, Any], new: dict[str, Any]) -> None:
    """
    Any two catalogs can be compared; with itself a catalog has no differences, and what one
    way is added is removed the other way.
    """
    before, after = load_catalog(old), load_catalog(new)
    there, back = diff_catalogs(before, after), diff_catalogs(after, before)

    assert [] == diff_catalogs(before, load_catalog(json.loads(json.dumps(old))))
    for gone, fresh in (("class-removed", "class-added"), ("output-removed", "output-added")):
        assert [(c.class_type, c.slot) for c in there if c.kind == gone] == [
            (c.class_type, c.slot) for c in back if c.kind == fresh
        ]
    assert [(c.class_type, c.input) for c in there if c.kind == "input-removed"] == [
        (c.class_type, c.input) for c in back if c.kind in ("input-added", "required-input-added")
    ]


def test_socket_types() -> None:
    """
    A union covers its members, and flows where one of them fits.
    """
    assert [True, True, False, True] == [
        covers("INT, FLOAT", "INT"), covers("*", "A"), covers("INT", "INT,FLOAT"), covers("A", "A")
    ]  # fmt: skip
    assert [True, True, False, True] == [
        fits("INT,FLOAT", "FLOAT,STRING"), fits("*", "A"), fits("INT", "FLOAT"), fits("A", "*")
    ]  # fmt: skip
