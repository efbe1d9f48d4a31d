"""
What changed between two prompts, whatever ids and order did.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.cli import run
from comfygraph.compare import compare
from comfygraph.compare.render import render_markdown, render_text
from comfygraph.core.values import Prompt
from comfygraph.documents import open_document

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "hires.json"


def _example() -> dict[str, Any]:
    return open_document(EXAMPLE).to_prompt().to_json()


def _renamed(prompt: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    def value(item: Any) -> Any:
        linked = isinstance(item, list) and len(item) == 2 and item[0] in names
        return [names[item[0]], item[1]] if linked else item

    return {
        names.get(node_id, node_id): {
            **node,
            "inputs": {name: value(item) for name, item in node["inputs"].items()},
        }
        for node_id, node in prompt.items()
    }


@given(st.permutations(list(_example())), st.permutations([str(n) for n in range(100, 111)]))
def test_ids_and_order_do_not_count(order: list[str], ids: list[str]) -> None:
    """
    A prompt with other ids in another order is the same prompt.
    """
    prompt = _example()
    shuffled = {node_id: prompt[node_id] for node_id in order}
    new = _renamed(shuffled, dict(zip(prompt, ids, strict=True)))

    difference = compare(Prompt.from_json(prompt), Prompt.from_json(new))

    assert not difference
    assert dict(zip(prompt, ids, strict=True)) == dict(difference.pairs)


def test_titles_do_not_count() -> None:
    """
    A node that is called otherwise does the same.
    """
    new = _example()
    new["7"]["_meta"]["title"] = "another name"

    assert not compare(Prompt.from_json(_example()), Prompt.from_json(new))


def test_changes_are_told_by_node_and_input() -> None:
    """
    A new value, a new link, a new node and one that is gone are each told once.
    """
    new = _renamed(_example(), {"7": "77"})
    new["77"]["inputs"]["steps"] = 40
    new["9"]["inputs"]["negative"] = ["4", 0]
    new["77"]["inputs"]["negative"] = ["4", 0]
    new["99"] = {"class_type": "PreviewImage", "inputs": {"images": ["10", 0]}}
    del new["5"]
    difference = compare(Prompt.from_json(_example()), Prompt.from_json(new))

    assert ["5"] == [node.id for node in difference.removed]
    assert ["99"] == [node.id for node in difference.added]
    assert {
        ("77", "steps", 26, 40),
        ("77", "negative", ("5", 0), ("4", 0)),
        ("9", "negative", ("5", 0), ("4", 0)),
    } == {
        (
            change.new.id,
            item.name,
            _tuple(item.before),
            _tuple(item.after),
        )
        for change in difference.changed
        for item in change.inputs
    }
    assert '~ KSampler "base pass" (77), was 7\n    steps: 26 → 40' in render_text(difference)
    assert "3 changed" not in render_text(difference)
    assert '| ~ | KSampler "base pass" (77) | `steps` | 26 | 40 |' in render_markdown(difference)


def _tuple(value: Any) -> Any:
    return (value.node_id, value.slot) if hasattr(value, "slot") else value


def test_absent_inputs_and_true_against_one() -> None:
    """
    An input that came or went is told as such, and `true` is not 1.
    """
    old = Prompt.from_json({"1": {"class_type": "A", "inputs": {"x": 1, "gone": 2}}})
    new = Prompt.from_json({"1": {"class_type": "A", "inputs": {"x": True, "came": None}}})

    assert [
        {"name": "x", "before": 1, "after": True},
        {"name": "gone", "before": 2},
        {"name": "came", "after": None},
    ] == compare(old, new).to_json()["changed"][0]["inputs"]


def test_numbers_count_by_value() -> None:
    """
    8 and 8.0 are the same number, and nodes that differ in no more are the same nodes.
    """
    old = Prompt.from_json(
        {str(i): {"class_type": "A", "inputs": {"x": value}} for i, value in enumerate([50, 0])}
    )
    new = Prompt.from_json(
        {str(i): {"class_type": "A", "inputs": {"x": value}} for i, value in enumerate([0.0, 50.0])}
    )

    assert not compare(old, new)


def test_links_to_twins_mean_the_same() -> None:
    """
    Two nodes that compute the same are one in meaning, whichever of them is linked.
    """
    twins = {str(i): {"class_type": "A", "inputs": {"x": 1}} for i in (1, 2)}
    old = {**twins, "3": {"class_type": "B", "inputs": {"a": ["1", 0], "b": ["2", 0], "c": 1}}}
    new = {**twins, "3": {"class_type": "B", "inputs": {"a": ["2", 0], "b": ["1", 0], "c": 2}}}
    difference = compare(Prompt.from_json(old), Prompt.from_json(new))

    assert [["c"]] == [[item.name for item in change.inputs] for change in difference.changed]


def test_cycles_and_dangling_links_compare() -> None:
    """
    Broken graphs are compared like others.
    """
    old = Prompt.from_json(
        {
            "1": {"class_type": "A", "inputs": {"x": ["2", 0], "y": ["9", 0]}},
            "2": {"class_type": "B", "inputs": {"x": ["1", 0]}},
        }
    )

    assert not compare(old, old)
    assert compare(old, Prompt({}))


def test_long_chains_take_linear_time() -> None:
    """
    A change at the root of a long chain is one change, and found without recursion.
    """

    def chain(width: int) -> Prompt:
        nodes: dict[str, Any] = {"0": {"class_type": "EmptyImage", "inputs": {"width": width}}}
        for index in range(1, 20_000):
            nodes[str(index)] = {
                "class_type": "ImageInvert",
                "inputs": {"image": [str(index - 1), 0]},
            }
        return Prompt.from_json(nodes)

    assert ["0"] == [change.new.id for change in compare(chain(1), chain(2)).changed]


def test_control_characters_do_not_reach_the_terminal() -> None:
    """
    A title with escape codes is shown without them.
    """
    old = Prompt({})
    new = Prompt.from_json({"1": {"class_type": "A\x1b[2J", "inputs": {"t": "\x9b"}}})

    assert "\x1b" not in render_text(compare(old, new))
    assert "\x9b" not in render_text(compare(old, new))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([EXAMPLE, EXAMPLE], 0),
        ([EXAMPLE, "other"], 1),
        ([EXAMPLE], 2),
        ([EXAMPLE, "none.json"], 3),
        (["--git", "a.json", EXAMPLE, "0" * 7, "100644", "other", "0" * 7, "100644"], 0),
        (["--git", "a.json", EXAMPLE, "0" * 7, "100644", "/dev/null", "0" * 7, "100644"], 0),
        (["--git", "a.json", "broken", "0" * 7, "100644", EXAMPLE, "0" * 7, "100644"], 0),
    ],
)
def test_exit_codes(arguments: list[Any], code: int, tmp_path: Path) -> None:
    """
    0 the same, 1 different, 2 usage, 3 no input; as a driver of git, 0.
    """
    (tmp_path / "other").write_text('{"1": {"class_type": "A", "inputs": {}}}')
    (tmp_path / "broken").write_text("{")
    files = [
        str(tmp_path / item) if item in ("other", "broken") else str(item) for item in arguments
    ]

    assert code == run(["diff", *files])
