"""
Graphs grow linearly: ten times the nodes take about ten times as long.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from measure import Compare

from comfygraph.catalog import load_catalog
from comfygraph.core import edit, rewire
from comfygraph.core.graph import GraphView, adjacency_of, cone, cycles, topological_order
from comfygraph.core.values import Link, Node, Prompt


def _chain(size: int) -> Prompt:
    return Prompt(
        {str(i): Node(str(i), "A", {"x": Link(str(i - 1), 0)} if i else {}) for i in range(size)}
    )


def _backward(size: int) -> Prompt:
    return Prompt(dict(reversed(list(_chain(size).items()))))


def _ring(size: int) -> Prompt:
    return edit.set_input(_chain(size), "0", "x", Link(str(size - 1), 0))


def _star(size: int) -> Prompt:
    return Prompt(
        {str(i): Node(str(i), "A", {"x": Link("0", 0)} if i else {}) for i in range(size)}
    )


def _edits(prompt: Prompt) -> None:
    middle = str(len(prompt) // 2)
    changed = rewire.splice(prompt, middle, "x", "B", "y")
    changed = edit.remove_node(changed, middle, classes=load_catalog())
    changed = edit.rename_node(changed, "1", "one")
    rewire.merge(changed, prompt)


WORK: dict[str, Callable[[Prompt], Any]] = {
    "order": lambda prompt: topological_order(adjacency_of(prompt)),
    "cycles": lambda prompt: cycles(adjacency_of(prompt)),
    "cone": lambda prompt: cone(adjacency_of(prompt), ["1"]),
    "view": lambda prompt: (
        GraphView(prompt).downstream("1"), GraphView(prompt).dangling(),
        GraphView(prompt).consumers("0"),
    ),
    "edits": _edits,
    "reading": lambda prompt: Prompt.from_json(prompt.to_json()),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("shape", [_chain, _backward, _ring, _star])
@pytest.mark.parametrize("name", list(WORK))
def test_growth_is_linear(compare: Compare, name: str, shape: Callable[[int], Prompt]) -> None:
    """
    Ten times the nodes take ten times as long, whatever is asked or edited.
    """
    small, large = shape(2_000), shape(20_000)
    work = WORK[name]

    compare.growth(lambda: work(large), lambda: work(small), times=10, rounds=2)


def test_order_and_cycles_cost_little_more_than_parsing(compare: Compare) -> None:
    """
    Ordering a chain and looking for its cycles takes at most three times as long as parsing it.
    """
    prompt = _chain(10_000)
    text = json.dumps(prompt.to_json())
    graph = adjacency_of(prompt)

    compare(lambda: (topological_order(graph), cycles(graph)), lambda: json.loads(text), aim=3)
