"""
Names of ComfyUI as Python identifiers.
"""

from __future__ import annotations

import keyword
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import load_catalog
from comfygraph.dsl import NodeSpace, build, output
from comfygraph.dsl.names import RESERVED_IN_MODULE, class_names, identifier, member_names

NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["class", "self", "s", "a b", "a-b", "a_b", "A", "Ａ", "🔥", "🔥 a b", "_", "__x", "1", ""]
    ),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("KSampler", "KSampler"),
        ("Epsilon Scaling", "Epsilon_Scaling"),
        ("blocks.0.", "blocks_0_"),
        ("🔥 Load  Image (v2)", "Load_Image_v2_"),
        ("3D Model Path", "_3D_Model_Path"),
        ("class", "class_"),
        ("None", "None_"),
        ("match", "match"),
        ("self", "self"),
        ("__init__", "_init__"),
        ("🔥", "fire"),
        ("+", "_"),
        ("", "_"),
        ("ﬁle", "file"),
        ("加载", "加载"),
    ],
)
def test_one_way(name: str, expected: str):
    """
    Runs of odd characters become one `_`; keywords, digits and emoji have their rules.
    """
    assert expected == identifier(name)


@given(NAMES)
def test_every_name_becomes_an_identifier(name: str):
    """
    Whatever a server calls its classes: the result can be written in a program.
    """
    made = identifier(name)

    assert made.isidentifier()
    assert not keyword.iskeyword(made)
    assert made == unicodedata.normalize("NFKC", made)
    assert not made.startswith("__")


@given(st.lists(NAMES, max_size=8))
def test_members_are_distinct_and_keep_their_order(names: list[str]):
    """
    Inputs of a class never share an identifier, and good names keep themselves.
    """
    made = member_names(names, ("title",))

    assert len(names) == len(made) == len(set(made))
    assert all(item.isidentifier() and item != "title" for item in made)
    assert all(
        new == old
        for old, new in zip(names, made, strict=True)
        if identifier(old) == old and names.count(old) == 1 and old != "title"
    )


def test_duplicate_members_are_numbered():
    """
    Twins are told apart by their order, past names that are taken.
    """
    assert ["IMAGE", "IMAGE_2", "IMAGE_3", "a_b_2", "a_b"] == member_names(
        ["IMAGE", "IMAGE_2", "IMAGE", "a b", "a_b"]
    )


@given(st.lists(NAMES, max_size=8))
def test_class_names_do_not_depend_on_order(names: list[str]):
    """
    The order of a server's answer changes nothing; each class has one name of its own.
    """
    made = class_names(names)

    assert made == class_names(reversed(names))
    assert set(names) == set(made.values())
    assert not RESERVED_IN_MODULE & made.keys()
    assert all(name.isidentifier() for name in made)


@given(st.lists(NAMES, max_size=6), NAMES)
def test_a_new_class_never_takes_a_name_over(names: list[str], fresh: str):
    """
    When a pack adds a class, a name means what it meant before, or nothing at all.
    """
    before, after = class_names(names), class_names([*names, fresh])

    assert all(
        before[short] == name for short, name in after.items() if short in before and name != fresh
    )
    assert all(
        identifier(fresh) == fresh or name != fresh
        for short, name in after.items()
        if short in before and before[short] != fresh
    )


@pytest.mark.parametrize("name", ["_cg", "_cg_plan", "_cg_class_type", "builtins", "t"])
def test_outputs_do_not_hide_what_nodes_are_made_of(name: str):
    """
    An output that is called like something of ours makes way, and is had by its own name too.
    """
    entry = {"input": {}, "output": ["IMAGE"], "output_name": [name]}
    node = NodeSpace(load_catalog({"Odd": entry})).Odd()

    assert node[0] == output(node, name) == getattr(node, f"{name}_")
    assert "Odd" == build(node)["1"].class_type
