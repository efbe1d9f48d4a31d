"""
Comparing takes time in proportion to the graphs, also where all their nodes are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from counting import calls, growth

from comfygraph import Prompt
from comfygraph.compare import compare


class Id(str):
    """
    A node id that is seen by who counts calls whenever it is looked up.
    """

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        return str(self) == other


def star(count: int, start: str = "", **inputs: Any) -> Prompt:
    """
    Give one node that feeds many of one class.
    """
    nodes: dict[str, Any] = {"hub": {"class_type": "EmptyImage", "inputs": {}}}
    for number in range(count):
        nodes[Id(f"{start}{number}")] = {
            "class_type": "PreviewImage",
            "inputs": {"images": ["hub", 0], **inputs},
        }
    return Prompt.from_json(nodes)


def comparing(old: Prompt, new: Prompt) -> Callable[[], object]:
    """
    Give the work of comparing two prompts.
    """
    return lambda: compare(old, new)


def test_twins_are_paired_in_linear_time() -> None:
    """
    Ten times as many nodes that compute the same cost ten times as many looks, whether they
    kept their ids or not.
    """
    for start in ("", "new"):
        large = comparing(star(2000), star(2000, start))
        small = comparing(star(200), star(200, start))

        assert growth(large, small) < 15


def test_large_nodes_are_not_compared_each_with_each() -> None:
    """
    Nodes with many inputs are paired in order where there are too many of them to be scored.
    """
    names = {f"in{number}": number for number in range(300)}
    old = star(150, **names)
    new = star(150, "new", **names, more=1)
    found = compare(old, new)

    assert 150 == len(found.changed)
    assert calls(comparing(old, new)) < 2_000_000
