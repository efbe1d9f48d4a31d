"""
Every shape in which `/object_info` describes inputs and outputs.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import class_names, input_specs, json_values, object_info_entries

from comfygraph.catalog import NodeDef, load_catalog
from comfygraph.catalog.diff import diff_classes
from comfygraph.catalog.facts import class_facts, facts_hash
from comfygraph.catalog.flatten import flat_inputs
from comfygraph.catalog.save import catalog_text
from comfygraph.catalog.signature import signature_json, signature_text
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.errors import CatalogError


def _node(spec: Any, section: str = "required") -> NodeDef:
    return load_catalog({"A": {"input": {section: {"x": spec}}, "output": []}})["A"]


@pytest.mark.parametrize(
    ("spec", "kind", "options", "link_only"),
    [
        (["MODEL"], "MODEL", None, True),
        (["INT", {"min": 1}], "INT", None, False),
        ([["a", "b"], {}], "COMBO", ("a", "b"), False),
        ([["a", "b"]], "COMBO", ("a", "b"), False),
        ([[]], "COMBO", (), False),
        (["COMBO", {"options": ["a"]}], "COMBO", ("a",), False),
        (["COMBO", {"remote": {}}], "COMBO", (), False),
        (["INT,FLOAT", {}], "INT,FLOAT", None, False),
        (["IMAGE,MASK", {}], "IMAGE,MASK", None, True),
        (["*", {}], "*", None, True),
        ("STRING", "STRING", None, False),
        (["COMFY_MATCHTYPE_V3", {}], "COMFY_MATCHTYPE_V3", None, True),
        (["COMFY_NEWKIND_V4", {"x": []}], "COMFY_NEWKIND_V4", None, True),
        (["COMFY_NEWKIND_V4", {"default": 3}], "COMFY_NEWKIND_V4", None, False),
        (["MODEL", None], "MODEL", None, True),
        ([], "*", None, True),
        (None, "*", None, True),
        ([7, {}], "*", None, True),
        ({"type": "INT"}, "*", None, True),
    ],
)
def test_one_input(spec: Any, kind: str, options: Any, link_only: bool) -> None:
    """
    An input of any shape has a type, options where it has a list, and says if it takes values.
    """
    found = _node(spec).inputs["x"]

    assert (kind, options, link_only) == (found.type, found.options, found.is_link_only)


def test_sections_and_order() -> None:
    """
    Required inputs come before optional ones, each in the order of the editor; names that the
    order leaves out come last, and names that do not exist are left out.
    """
    entry = {
        "input": {
            "optional": {"o": ["INT"]},
            "required": {"a": ["INT"], "b": ["INT"], "c": ["INT"]},
            "hidden": {"prompt": "PROMPT", "unique_id": "UNIQUE_ID"},
        },
        "input_order": {"required": ["c", "gone", "a"], "optional": 5},
        "output": [],
    }
    node = load_catalog({"A": entry})["A"]

    assert ["c", "a", "b", "o"] == list(node.inputs)
    assert [True, True, True, False] == [spec.required for spec in node.inputs.values()]
    assert ("prompt", "unique_id") == node.hidden


def test_outputs() -> None:
    """
    Names and list flags may be short, missing or wrong; a list of values is a combo.
    """
    entry = {
        "input": {},
        "output": ["IMAGE", ["a", "b"], "A,B", None],
        "output_name": ["pixels", ""],
        "output_is_list": [True, 1],
    }
    outputs = load_catalog({"A": entry})["A"].outputs

    assert ["IMAGE", "COMBO", "A,B", "*"] == [spec.type for spec in outputs]
    assert ["pixels", "COMBO", "A,B", "*"] == [spec.name for spec in outputs]
    assert [True, False, False, False] == [spec.is_list for spec in outputs]
    assert ("a", "b") == outputs[1].options


def test_autogrow() -> None:
    """
    A group stands for its members: the first `min` are required, and the group is no input.
    """
    node = load_catalog()["BatchImagesNode"]
    members = node.expand({})

    assert [f"images.image{index}" for index in range(50)] == list(members)
    assert ["images.image0"] == [name for name, spec in members.items() if spec.required]
    assert {"IMAGE"} == {spec.type for spec in members.values()}
    assert {"images"} == {spec.group for spec in members.values()}


def test_autogrow_with_names() -> None:
    """
    A group can name its members; an optional template makes none of them required.
    """
    template = {
        "input": {"optional": {"v": ["FLOAT", {}]}}, "names": ["a", "b", 5], "min": 1,
    }  # fmt: skip
    members = _node(["COMFY_AUTOGROW_V3", {"template": template}]).expand({})

    assert {"x.a": False, "x.b": False} == {key: spec.required for key, spec in members.items()}


def test_dynamic_combo() -> None:
    """
    A dynamic combo adds the inputs of the option that is chosen, and is none without one.
    """
    node = load_catalog()["ResizeImageMaskNode"]

    assert ["input", "scale_method"] == list(node.expand({}))
    assert ["input", "scale_method"] == list(node.expand({"resize_type": ["1", 0]}))
    assert ["input", "resize_type", "resize_type.multiplier", "scale_method"] == list(
        node.expand({"resize_type": "scale by multiplier"})
    )


def test_nested_dynamic_combo() -> None:
    """
    Options nest: the names of members are dotted paths.
    """
    inner = ["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "b", "inputs": {"required": {"c": ["INT"]}, "optional": {"d": ["INT"]}}},
    ]}]  # fmt: skip
    outer = ["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "a", "inputs": {"required": {"in": inner}}}]}]  # fmt: skip
    node = _node(outer)
    found = node.expand({"x": "a", "x.in": "b"})

    assert {"x": True, "x.in": True, "x.in.c": True, "x.in.d": False} == {
        name: spec.required for name, spec in found.items()
    }
    assert ["x"] == list(node.expand({"x": "a"}))
    assert ["x", "x[a].in", "x[a].in[b].c", "x[a].in[b].d"] == list(flat_inputs(node))


def test_dynamic_slot() -> None:
    """
    A dynamic slot has inputs of its own while something is in it.
    """
    spec = ["COMFY_DYNAMICSLOT_V3", {"slotType": "IMAGE", "inputs": {"required": {"w": ["INT"]}}}]
    node = _node(spec)

    assert [] == list(node.expand({}))
    assert {"x": "IMAGE", "x.w": "INT"} == {
        name: spec.type for name, spec in node.expand({"x": ["1", 0]}).items()
    }


def test_groups_that_would_never_end() -> None:
    """
    Groups in groups multiply; a hostile catalog is cut off before it fills the memory.
    """
    member: Any = ["INT", {}]
    for _ in range(6):
        template = {"input": {"required": {"m": member}}, "prefix": "m", "min": 0, "max": 10**9}
        member = ["COMFY_AUTOGROW_V3", {"template": template}]
    long = {"input": {"required": {"m": ["INT"]}}, "prefix": "m" * 10**6, "max": 10**9}

    assert len(_node(member).expand({})) <= 100_000
    assert {} == _node(["COMFY_AUTOGROW_V3", {"template": long}]).expand({})


def _ask_everything(entry: Any, values: dict[str, Any]) -> None:
    node = load_catalog({"A": entry}).get("A")
    if node is None:
        return
    node.expand(values)
    assert node.display_name
    assert isinstance(node.category + node.python_module, str)
    assert all(isinstance(name, str) for name in (*node.hidden, *node.inputs))
    assert all(spec.config for spec in node.inputs.values())
    assert signature_text(node)
    assert signature_json(node)
    try:
        facts = class_facts(node)
        assert 16 == len(facts_hash(facts))
        assert [] == diff_classes(node, node)
        assert catalog_text({"A": entry}, "test")
    except CatalogError as exc:
        assert "too deep" in exc.message  # noqa: PT017  # any other error is none of ours


@given(object_info_entries(), st.dictionaries(st.text(max_size=3), json_values(3), max_size=3))
def test_entries_that_hold_together(entry: dict[str, Any], values: dict[str, Any]) -> None:
    """
    Every question about an entry in a known shape has an answer.
    """
    _ask_everything(entry, values)


@settings(max_examples=150)
@given(json_values(), st.dictionaries(st.text(max_size=3), json_values(3), max_size=3))
def test_any_json_is_an_entry(entry: Any, values: dict[str, Any]) -> None:
    """
    Any JSON as an entry raises nothing but `CatalogError`.
    """
    _ask_everything(entry, values)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "input", "input_order", "output", "output_name", "output_is_list", "display_name",
                "category", "output_node", "output_matchtypes",
            ]
        ),
        json_values(6),
    ),
    st.dictionaries(st.sampled_from("xyz"), input_specs(), max_size=3),
    st.sampled_from(["required", "optional", "hidden"]),
)  # fmt: skip
def test_any_json_in_an_entry(entry: Any, specs: dict[str, Any], section: str) -> None:
    """
    Any JSON under the keys of an entry, or as the spec of an input, raises nothing either.
    """
    _ask_everything(entry, {})
    _ask_everything({"output": [], **entry, "input": {section: specs}}, {"x": "a", "y": "x"})


@given(class_names(), object_info_entries())
def test_entries_are_found_by_name(name: str, entry: dict[str, Any]) -> None:
    """
    A catalog has the classes that it lists, and no others.
    """
    catalog = load_catalog({name: entry, "not a class": 5})

    assert [name] == list(catalog) == catalog.names()
    assert name in catalog
    assert "not a class" not in catalog
    assert 5 not in catalog  # type: ignore[operator]  # anything may be asked for
    assert catalog.get("other") is None
    with pytest.raises(KeyError):
        catalog["other"]


def test_deep_entries() -> None:
    """
    A definition that nests without end is an error of ours when it is written, and no harm else.
    """
    deep: Any = ["INT"]
    for _ in range(200):
        deep = ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "k", "inputs": {"required": {"m": deep}}}]}]  # noqa: E501  # fmt: skip
    _ask_everything({"input": {"required": {"x": deep}}, "output": []}, {"x": "k", "x.m": "k"})
    with pytest.raises(CatalogError):
        class_facts(_node(deep))
    with pytest.raises(CatalogError):
        catalog_text({"A": {"input": {"required": {"x": deep}}, "output": []}}, "test")


def test_a_prompt_is_expanded_with_links() -> None:
    """
    Values of a prompt may be given as they stand in `Node.inputs`.
    """
    node = Node("1", "ResizeImageMaskNode", {"resize_type": "scale width", "input": Link("2", 0)})
    found = load_catalog()[node.class_type].expand(Prompt({"1": node})["1"].inputs)

    assert "resize_type.width" in found
