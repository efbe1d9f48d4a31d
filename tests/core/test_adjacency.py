"""
Plain graphs: order, cycles, cones.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import networkx as nx
import pytest
from hypothesis import given, settings
from strategies import adjacencies

from comfygraph.core.adjacency import order_and_knots, reverse
from comfygraph.core.graph import cone, cycles, is_acyclic, topological_order

Graph = dict[str, list[str]]
SIZE = 100_000


def _digraph(graph: Graph) -> nx.DiGraph:
    out = nx.DiGraph()
    out.add_nodes_from(graph)
    out.add_edges_from((a, b) for a, bs in graph.items() for b in bs if b in graph)
    return out


def _turned(path: list[str] | tuple[str, ...], graph: Graph) -> tuple[str, ...]:
    place = list(graph)
    first = min(range(len(path)), key=lambda index: place.index(path[index]))
    return (*path[first:], *path[:first])


@given(adjacencies())
def test_order_leaves_out_exactly_the_cycles(graph: Graph) -> None:
    """
    The order holds every node that lies on no cycle, each once, and never before its sources.
    """
    on_cycles = {node for path in nx.simple_cycles(_digraph(graph)) for node in path}
    order = topological_order(graph)

    assert sorted(set(graph) - on_cycles) == sorted(order)
    assert on_cycles == {node for knot in order_and_knots(graph)[1] for node in knot}
    assert (not on_cycles) is is_acyclic(graph)
    places = {node: index for index, node in enumerate(order)}
    assert [] == [
        (node, source)
        for node in order
        for source in graph[node]
        if source in places and places[source] >= places[node]
    ]


@given(adjacencies())
def test_both_ways_to_an_order_agree(graph: Graph) -> None:
    """
    The quick order of an acyclic graph is the one that the full search gives.
    """
    order, knots = order_and_knots(graph)

    assert (order, is_acyclic(graph)) == (topological_order(graph), not knots)


@given(adjacencies())
def test_order_is_stable(graph: Graph) -> None:
    """
    A mapping that is in order keeps its order.
    """
    ordered = {node: graph[node] for node in topological_order(graph)}

    assert list(ordered) == topological_order(ordered)


@given(adjacencies(5))
def test_cycles_are_all_elementary_cycles(graph: Graph) -> None:
    """
    A small graph gives exactly its elementary cycles, shortest first, each from the node
    that comes first in the mapping.
    """
    expected = {_turned(path, graph) for path in nx.simple_cycles(_digraph(graph))}
    found = cycles(graph, limit=1_000)

    assert expected == set(found)
    assert len(expected) == len(found)
    assert sorted(map(len, found)) == list(map(len, found))


@settings(max_examples=50)
@given(adjacencies(7))
def test_limited_cycles(graph: Graph) -> None:
    """
    With a limit of one, every knot still shows a cycle, and a shortest one.
    """
    knots = order_and_knots(graph)[1]
    found = cycles(graph, limit=1)
    shortest = {
        tuple(knot): min(map(len, nx.simple_cycles(_digraph(graph).subgraph(knot))))
        for knot in knots
    }

    assert len(knots) == len(found)
    assert sorted(shortest.values()) == list(map(len, found))


def test_limit_keeps_the_shortest() -> None:
    """
    Of the cycles of a complete graph, the limit keeps the shortest.
    """
    graph = {a: [b for b in "abcdefghij" if b != a] for a in "abcdefghij"}

    assert [2, 2, 2] == [len(path) for path in cycles(graph, limit=3)]
    assert 40 == len(cycles(graph, limit=40))


@given(adjacencies())
def test_cone_is_what_can_be_reached(graph: Graph) -> None:
    """
    A cone holds its roots and all their ancestors; a missing root adds nothing.
    """
    digraph = _digraph(graph)
    for root in graph:
        assert {root, *nx.descendants(digraph, root)} == cone(graph, [root, "missing"])


@given(adjacencies())
def test_reverse_turns_every_link(graph: Graph) -> None:
    """
    Turned around, the graph has the same links the other way, those of missing nodes dropped.
    """
    expected = {(b, a) for a, b in _digraph(graph).edges}

    assert expected == {(a, b) for a, bs in reverse(graph).items() for b in bs}


def _chain(size: int) -> Graph:
    return {str(i): [str(i - 1)] if i else [] for i in range(size)}


def _backward(size: int) -> Graph:
    return dict(reversed(_chain(size).items()))


def _star(size: int) -> Graph:
    return {"0": [], **{str(i): ["0"] for i in range(1, size)}}


def _funnel(size: int) -> Graph:
    return {"0": [str(i) for i in range(1, size)], **{str(i): [] for i in range(1, size)}}


@pytest.mark.parametrize("make", [_chain, _backward, _star, _funnel])
def test_large_graphs(make: Callable[[int], Graph]) -> None:
    """
    Chains and stars of 100,000 nodes have an order, no cycle, and whole cones.
    """
    graph = make(SIZE)
    roots = [node for node, users in reverse(graph).items() if not users]

    assert len(topological_order(graph)) == SIZE
    assert cycles(graph) == []
    assert len(cone(graph, roots)) == SIZE


def _ring(size: int) -> Graph:
    return {**_chain(size), "0": [str(size - 1)]}


def _pairs(size: int) -> Graph:
    return {str(i): [str(j) for j in (i - 1, i + 1) if 0 <= j < size] for i in range(size)}


def _loops(size: int) -> Graph:
    return {str(i): [str(i)] for i in range(size)}


def _ladder(size: int) -> Graph:
    return {str(i): [str((i + 1) % size), str((i + 2) % size)] for i in range(size)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "count", "length"),
    [(_ring, 1, SIZE), (_pairs, 100, 2), (_loops, SIZE, 1), (_ladder, 2, SIZE // 2)],
)
def test_large_cycles(make: Callable[[int], Graph], count: int, length: int) -> None:
    """
    Cycles of 100,000 nodes and 100,000 cycles are found without recursion.
    """
    graph = make(SIZE)
    found = cycles(graph)

    assert (count, length) == (len(found), len(found[0]))
    assert topological_order(graph) == []


def test_cycles_are_the_same_in_every_process() -> None:
    """
    What a limit cuts off does not depend on the hash seed of the process.
    """
    code = (
        "from comfygraph.core.graph import cycles;"
        "print(cycles({a: [b for b in 'abcdefgh' if b != a] for a in 'abcdefgh'}, 60))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(printed) == 1
