"""
`Prompt`, `Node` and `Link`.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from strategies import json_values, loose_prompts

from comfygraph.core.values import Link, Node, Prompt, as_link
from comfygraph.errors import PromptError


@given(json_values())
def test_any_json_is_a_prompt_or_an_error_of_ours(value: Any) -> None:
    """
    Reading gives a prompt or `PromptError`; what was read is given back to the letter.
    """
    try:
        prompt = Prompt.from_json(value)
    except PromptError as exc:
        assert exc.message  # noqa: PT017  # most values are none
        return

    assert json.dumps(value) == json.dumps(prompt.to_json())


@given(loose_prompts())
def test_prompts_come_back(prompt: Prompt) -> None:
    """
    Writing and reading again gives the same text, order of nodes and inputs included.
    """
    written = json.dumps(prompt.to_json())

    assert written == json.dumps(Prompt.from_json(json.loads(written)).to_json())


@pytest.mark.parametrize(
    ("node", "pointer"),
    [
        (None, "/a~1b"),
        ({"inputs": {}}, "/a~1b"),
        ({"class_type": 3}, "/a~1b"),
        ({"class_type": "A", "inputs": []}, "/a~1b/inputs"),
        ({"class_type": "A", "inputs": {}, "_meta": "x"}, "/a~1b/_meta"),
    ],
)
def test_what_is_no_node_is_located(node: Any, pointer: str) -> None:
    """
    The error points to the place where the document stops being a prompt.
    """
    with pytest.raises(PromptError) as caught:
        Prompt.from_json({"a/b": node})

    assert pointer == caught.value.pointer


@pytest.mark.parametrize(
    "node",
    [
        {"class_type": "A"},
        {"class_type": "A", "inputs": {}, "_meta": None},
        {"_meta": {"title": "t"}, "is_changed": ["x"], "class_type": "A", "inputs": {"a": 1}},
    ],
)
def test_keys_keep_their_order_and_nulls(node: Any) -> None:
    """
    A node comes back with the keys that it had, in their order.
    """
    assert json.dumps({"1": node}) == json.dumps(Prompt.from_json({"1": node}).to_json())


def test_inputs_of_an_edited_node_are_written() -> None:
    """
    A node that was read without `inputs` and got one writes it.
    """
    node = Prompt.from_json({"1": {"class_type": "A"}})["1"]
    edited = Node("1", "A", {"x": Link("2", 0)}, layout=node.layout)

    assert {"class_type": "A", "inputs": {"x": ["2", 0]}} == edited.to_json()


@pytest.mark.parametrize(
    "value",
    [["1"], ["1", 0, 0], [1, 0], ["1", "0"], ["1", True], ["1", 0.0], ["1", math.nan], [], "1"],
)
def test_what_is_no_link(value: Any) -> None:
    """
    Only a list of a string and an integer is a link.
    """
    assert as_link(value) is None


def test_equality_ignores_the_order_of_nodes() -> None:
    """
    Two prompts are equal when they have the same nodes; key order does not count.
    """
    one = {"class_type": "A", "inputs": {"x": 1}}
    two = {"inputs": {"x": ["1", 0]}, "class_type": "B"}

    assert Prompt.from_json({"1": one, "2": two}) == Prompt.from_json({"2": two, "1": one})
    assert Prompt.from_json({"1": one}) != Prompt.from_json({"1": two})


def test_repr_is_short() -> None:
    """
    A prompt of any size has a repr of one short line.
    """
    prompt = Prompt({str(i): Node(str(i), "KSampler", {}) for i in range(50_000)})

    assert (
        "<Prompt of 50000 nodes {0: KSampler, 1: KSampler, 2: KSampler, 3: KSampler, …}>"
        == repr(prompt)
    )
