"""
Pure edits of prompts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import loose_prompts

from comfygraph.catalog import load_catalog
from comfygraph.core import edit, rewire
from comfygraph.core.graph import GraphView
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.errors import EditError

PROMPT = Prompt.from_json(
    {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a"}},
        "10": {
            "class_type": "LoraLoader",
            "inputs": {
                "lora_name": "l", "strength_model": 1.0, "strength_clip": 1.0,
                "model": ["4", 0], "clip": ["4", 1],
            },
            "_meta": {"title": "LoRA: style"},
        },
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "t", "clip": ["10", 1]}},
        "3": {"class_type": "KSampler", "inputs": {"model": ["10", 0], "positive": ["6", 0]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    }
)  # fmt: skip


def _dangling(prompt: Prompt) -> set[tuple[str, str]]:
    return {(edge.node_id, edge.input) for edge in GraphView(prompt).dangling()}


def test_set_input_shares_the_rest() -> None:
    """
    Setting an input gives a new prompt; the old one and all other nodes stay as they are.
    """
    edited = edit.set_input(PROMPT, "3", "steps", 20)

    assert 20 == edited["3"].inputs["steps"]
    assert "steps" not in PROMPT["3"].inputs
    assert all(edited[node_id] is PROMPT[node_id] for node_id in PROMPT if node_id != "3")
    assert list(PROMPT) == list(edited)


def test_set_input_reads_links() -> None:
    """
    `[node_id, slot]` is a link, other lists are constants.
    """
    edited = edit.set_input(PROMPT, "8", "vae", ["4", 2])

    assert edited == PROMPT
    assert [1, 2] == edit.set_input(PROMPT, "8", "x", [1, 2])["8"].inputs["x"]


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (lambda p: edit.set_input(p, "33", "a", 1), "no node `33` in the prompt",
         "did you mean `3`?"),
        (lambda p: edit.set_input(p, "3", "modle", 1, must_exist=True),
         "node `3` (KSampler) has no input `modle`", "did you mean `model`?"),
        (lambda p: edit.set_input(p, "3", "model", ["100", 0]), "no node `100` in the prompt",
         "did you mean `10`?"),
        (lambda p: edit.remove_input(p, "3", "zzz"), "node `3` (KSampler) has no input `zzz`",
         None),
        (lambda p: edit.rename_node(p, "3", "10"), "node id `10` is taken by `LoRA: style`",
         "`11` is free"),
        (lambda p: edit.rename_node(p, "3", ""), "a node id cannot be empty", None),
        (lambda p: edit.remove_node(p, "x"), "no node `x` in the prompt", None),
        (lambda p: edit.remove_node(p, "4", links={0: Link("4", 1)}),
         "node `4` cannot take its own place", None),
        (lambda p: rewire.relink(p, Link("4", 0), Link("5", 0)), "no node `5` in the prompt", None),
        (lambda p: rewire.relink(p, Link("4", 0), None, only=["5"]), "no node `5` in the prompt",
         None),
        (lambda p: rewire.splice(p, "6", "text", "A", "x"),
         "input `text` of node `6` is a constant, not a link", None),
        (lambda p: rewire.splice(p, "6", "clip", "A", "x", new_id="4"),
         "node id `4` is taken by `CheckpointLoaderSimple`", "`11` is free"),
        (lambda p: edit.add_node(p, "A", {"x": ["9", 0]}), "no node `9` in the prompt", None),
        (lambda p: edit.set_title(p, "9", "t"), "no node `9` in the prompt", None),
    ],
)  # fmt: skip
def test_edits_that_do_not_fit(
    change: Callable[[Prompt], Prompt], message: str, hint: str | None
) -> None:
    """
    An edit that does not fit the prompt says what is missing, and the nearest name.
    """
    with pytest.raises(EditError) as caught:
        change(PROMPT)

    assert (message, hint) == (caught.value.message, caught.value.hint)


def test_huge_names_are_not_quoted() -> None:
    """
    A name of a megabyte costs neither time nor a message of a megabyte.
    """
    with pytest.raises(EditError) as caught:
        edit.set_input(PROMPT, "x" * 1_000_000, "a", 1)

    assert len(caught.value.message) < 200


def test_rename_takes_links_along() -> None:
    """
    A renamed node keeps its place, and links follow.
    """
    edited = edit.rename_node(PROMPT, "10", "style")

    assert ["4", "style", "6", "3", "8"] == list(edited)
    assert Link("style", 1) == edited["6"].inputs["clip"]
    assert Link("style", 0) == edited["3"].inputs["model"]
    assert edited["8"] is PROMPT["8"]


def test_replace_node_turns_slots() -> None:
    """
    The node in the place keeps id and title; slots are turned or cut as told.
    """
    edited = edit.replace_node(
        PROMPT, "10", "LoraLoaderModelOnly",
        inputs={"model": ["4", 0], "lora_name": "l", "strength_model": 1.0}, slots={1: None},
    )  # fmt: skip

    assert ("LoraLoaderModelOnly", "LoRA: style") == (edited["10"].class_type, edited["10"].title)
    assert {"text": "t"} == edited["6"].inputs
    assert Link("10", 0) == edited["3"].inputs["model"]
    turned = edit.replace_node(PROMPT, "4", "UnCLIPCheckpointLoader", slots={2: 3})
    assert Link("4", 3) == turned["8"].inputs["vae"]
    assert PROMPT["4"].inputs == turned["4"].inputs


def test_remove_bypasses_by_type() -> None:
    """
    With a catalog, each consumer takes the removed node's own source of that type.
    """
    edited = edit.remove_node(PROMPT, "10", classes=load_catalog())

    assert Link("4", 0) == edited["3"].inputs["model"]
    assert Link("4", 1) == edited["6"].inputs["clip"]
    assert "10" not in edited


def test_remove_asks_a_function_too() -> None:
    """
    Facts of classes can come from a function.
    """
    edited = edit.remove_node(PROMPT, "10", classes=load_catalog().get)

    assert Link("4", 1) == edited["6"].inputs["clip"]


def test_remove_follows_the_type_of_the_source() -> None:
    """
    A node that takes anything is bypassed by what its link carries.
    """
    catalog = load_catalog(
        {
            "Load": {"input": {}, "output": ["IMAGE"]},
            "Any": {"input": {"required": {"x": ["*"]}}, "output": ["IMAGE"]},
            "Use": {"input": {"required": {"x": ["IMAGE"]}}, "output": []},
        }
    )
    prompt = Prompt.from_json(
        {
            "1": {"class_type": "Load", "inputs": {}},
            "2": {"class_type": "Any", "inputs": {"x": ["1", 0]}},
            "3": {"class_type": "Use", "inputs": {"x": ["2", 0], "y": ["2", 7]}},
        }
    )

    assert {"x": Link("1", 0)} == edit.remove_node(prompt, "2", classes=catalog)["3"].inputs


def test_remove_without_catalog_cuts() -> None:
    """
    Without a catalog the links are cut; an explicit mapping replaces some of them.
    """
    edited = edit.remove_node(PROMPT, "10", links={1: Link("4", 1)})

    assert {"positive": Link("6", 0)} == edited["3"].inputs
    assert Link("4", 1) == edited["6"].inputs["clip"]
    assert set() == _dangling(edited)


def test_remove_a_node_linked_to_itself() -> None:
    """
    A node is never bypassed to itself.
    """
    prompt = edit.set_input(PROMPT, "10", "model", ["10", 0])
    edited = edit.remove_node(prompt, "10", classes=load_catalog())

    assert {"positive": Link("6", 0)} == edited["3"].inputs


def test_relink() -> None:
    """
    All takers of an output take another one, or only those that are named.
    """
    edited = rewire.relink(PROMPT, Link("10", 0), Link("4", 0))
    only = rewire.relink(PROMPT, Link("10", 0), None, only=["6"])

    assert Link("4", 0) == edited["3"].inputs["model"]
    assert edited["6"] is PROMPT["6"]
    assert only == PROMPT


def test_splice_into_one_link() -> None:
    """
    The new node stands behind the source and takes what the link carried.
    """
    edited = rewire.splice(
        PROMPT, "3", "model", "LoraLoaderModelOnly", "model",
        inputs={"lora_name": "second", "strength_model": 0.5}, title="LoRA: detail",
    )  # fmt: skip

    assert ["4", "10", "11", "6", "3", "8"] == list(edited)
    assert {"model": Link("10", 0), "lora_name": "second", "strength_model": 0.5} == dict(
        edited["11"].inputs
    )
    assert Link("11", 0) == edited["3"].inputs["model"]
    assert "LoRA: detail" == edited["11"].title


def test_splice_into_all_links() -> None:
    """
    With `everywhere`, every taker of the output takes the new node.
    """
    prompt = edit.set_input(PROMPT, "8", "model", ["10", 0])
    edited = rewire.splice(prompt, "3", "model", "A", "model", slot=1, everywhere=True)

    assert Link("11", 1) == edited["8"].inputs["model"]
    assert Link("11", 1) == edited["3"].inputs["model"]
    assert Link("10", 0) == edited["11"].inputs["model"]


def test_titles() -> None:
    """
    A title is set and taken away without touching the rest of `_meta`.
    """
    prompt = Prompt.from_json({"1": {"class_type": "A", "inputs": {}, "_meta": {"x": 1}}})
    titled = edit.set_title(prompt, "1", "mine")

    assert {"x": 1, "title": "mine"} == titled["1"].meta
    assert prompt == edit.set_title(titled, "1", None)
    assert PROMPT["10"].meta == {"title": "LoRA: style"}
    assert edit.set_title(PROMPT, "10", None)["10"].meta is None


def test_merge_never_mends_links() -> None:
    """
    Ids that are taken are replaced, and a broken link of one prompt stays broken.
    """
    first = Prompt.from_json({"1": {"class_type": "A", "inputs": {"x": ["5", 0]}}})
    second = Prompt.from_json(
        {
            "1": {"class_type": "B", "inputs": {"x": ["5", 0]}},
            "5": {"class_type": "C", "inputs": {}},
            "a": {"class_type": "D", "inputs": {"x": ["1", 1], "y": ["7", 0]}},
        }
    )
    merged = rewire.merge(first, second)

    assert {"1": "8", "5": "9", "a": "a"} == merged.ids
    assert ["1", "8", "9", "a"] == list(merged.prompt)
    assert {"x": Link("8", 1), "y": Link("7", 0)} == merged.prompt["a"].inputs
    assert {("1", "x"), ("a", "y")} == _dangling(merged.prompt)


def _plain(prompt: Prompt) -> list[Any]:
    """
    A prompt up to the names of its nodes.
    """
    place: dict[str, Any] = {node_id: index for index, node_id in enumerate(prompt)}
    return [
        (
            node.class_type,
            repr(
                {
                    name: ("link", place.get(value.node_id, "missing"), value.slot)
                    if isinstance(value, Link)
                    else value
                    for name, value in node.inputs.items()
                }
            ),
        )
        for node in prompt.nodes()
    ]


@given(loose_prompts(), loose_prompts())
def test_merge_keeps_both_graphs(first: Prompt, second: Prompt) -> None:
    """
    Both graphs are in the merged one as they were, up to the names of the second's nodes.
    """
    merged = rewire.merge(first, second)
    one = Prompt({node_id: merged.prompt[node_id] for node_id in first})
    two = Prompt({new: merged.prompt[new] for new in merged.ids.values()})

    assert len(first) + len(second) == len(merged.prompt)
    assert all(merged.prompt[node_id] is first[node_id] for node_id in first)
    assert _plain(first) == _plain(one)
    assert _plain(second) == _plain(two)
    assert len(_dangling(first)) + len(_dangling(second)) == len(_dangling(merged.prompt))


@given(loose_prompts(), st.data())
def test_rename_changes_names_only(prompt: Prompt, data: st.DataObject) -> None:
    """
    Renaming a node to a fresh id changes nothing else, and can be undone.
    """
    if not prompt:
        return
    node_id = data.draw(st.sampled_from(list(prompt)))
    edited = edit.rename_node(prompt, node_id, edit.fresh_id(prompt))

    assert _plain(prompt) == _plain(edited)
    assert repr(dict(prompt)) == repr(dict(edit.rename_node(edited, list(edited)[
        list(prompt).index(node_id)], node_id)))  # fmt: skip


@given(loose_prompts(), st.data())
def test_no_edit_leaves_a_new_broken_link(prompt: Prompt, data: st.DataObject) -> None:
    """
    Removing a node leaves no link to it; splicing adds exactly one node.
    """
    if not prompt:
        return
    node_id = data.draw(st.sampled_from(list(prompt)))
    removed = edit.remove_node(prompt, node_id, classes=load_catalog())

    assert () == GraphView(removed).consumers(node_id)
    for name, link in prompt[node_id].links():
        spliced = rewire.splice(prompt, node_id, name, "New", "in")
        assert len(prompt) + 1 == len(spliced)
        assert len(GraphView(prompt).dangling()) == len(GraphView(spliced).dangling())
        assert link == spliced[edit.fresh_id(prompt)].inputs["in"]


@pytest.mark.slow
def test_edits_of_a_long_chain() -> None:
    """
    A chain of 100,000 nodes is edited without recursion, its untouched nodes shared.
    """
    chain = Prompt(
        {str(i): Node(str(i), "A", {"x": Link(str(i - 1), 0)} if i else {}) for i in range(100_000)}
    )
    edited = rewire.splice(chain, "50000", "x", "B", "y")
    edited = edit.remove_node(edited, "70000", classes=load_catalog())
    edited = edit.rename_node(edited, "20000", "x")

    assert edited["99999"] is chain["99999"]
    assert Link("49999", 0) == edited["100000"].inputs["y"]
