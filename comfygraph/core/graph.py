"""
Questions about a prompt's graph: order, cycles, cones, who uses what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from comfygraph.core.adjacency import (
    Adjacency,
    cone,
    is_acyclic,
    order_and_knots,
    reverse,
    shortest_cycle,
    topological_order,
)
from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.values import Node
from comfygraph.errors import UsageError

__all__ = [
    "Adjacency",
    "Edge",
    "GraphView",
    "adjacency_of",
    "cone",
    "cycles",
    "is_acyclic",
    "reverse",
    "topological_order",
]

Cycle = tuple[str, ...]

CYCLE_LIMIT = 100
_MOST_IDS = 1_000_000
_MOST_STEPS = 300_000


def cycles(adjacency: Adjacency, limit: int = CYCLE_LIMIT) -> list[Cycle]:
    """
    Find the elementary cycles, shortest first.

    There can be exponentially many, so the search is bounded in number, in total length
    and in work. Every knot (strongly connected component) gives at least one, and a
    small graph with at most `limit` cycles gives them all.

    Args:
        adjacency: Node id → ids of its sources.
        limit: How many cycles to give at most, where there are not more knots than that.

    Returns:
        Paths of node ids: each node takes an input from the next one, and the last from the
        first. A path starts at the node that comes first in the mapping. The order is by
        length, then by place in the mapping.
    """
    if is_acyclic(adjacency):
        return []
    place = {node_id: index for index, node_id in enumerate(adjacency)}
    firsts: list[Cycle] = []
    others: list[Cycle] = []
    steps = ids = 0
    for knot in order_and_knots(adjacency)[1]:
        inside = set(knot)
        inner = {
            node_id: [source for source in dict.fromkeys(adjacency[node_id]) if source in inside]
            for node_id in knot
        }
        links = sum(map(len, inner.values()))
        found: dict[Cycle, None] = {}
        covered: set[str] = set()
        # First a shortest cycle for each node, so that every part of a knot is shown, and the
        # shortest of all is among them. Large knots skip the nodes that are shown already.
        small = len(knot) * links <= _MOST_STEPS
        for node_id in knot:
            if (node_id in covered and not small) or (
                found and (steps > _MOST_STEPS or ids > _MOST_IDS)
            ):
                continue
            path, looked = shortest_cycle(inner, node_id)
            steps += looked
            if path is not None:
                found[_turned(path, place)] = None
                covered.update(path)
                ids += len(path)
        # A knot with as many links as nodes is one ring.
        if links > len(knot) and len(firsts) + len(others) < limit:
            size = len(knot) + links
            count = min(20 * max(limit, 1), max(_MOST_STEPS - steps, 0) // size)
            for path in _enumerate(inner, count):
                if ids > _MOST_IDS:
                    break
                found[_turned(path, place)] = None
                ids += len(path)
                steps += size
        first, *rest = sorted(found, key=lambda path: _rank(path, place))
        firsts.append(first)
        others += rest
    others.sort(key=lambda path: _rank(path, place))
    kept = firsts + others[: max(limit - len(firsts), 0)]
    return sorted(kept, key=lambda path: _rank(path, place))


def _enumerate(inner: Adjacency, count: int) -> list[Cycle]:
    if count <= 0:
        return []
    from itertools import islice

    import networkx as nx

    # Numbers instead of names: networkx walks sets, and only those of numbers have the
    # same order in every process.
    names = list(inner)
    number = {node_id: index for index, node_id in enumerate(names)}
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(names)))
    graph.add_edges_from((number[a], number[b]) for a in names for b in inner[a])
    return [
        tuple(names[index] for index in path) for path in islice(nx.simple_cycles(graph), count)
    ]


def _turned(path: Cycle, place: Mapping[str, int]) -> Cycle:
    first = min(range(len(path)), key=lambda index: place[path[index]])
    return path[first:] + path[:first]


def _rank(path: Cycle, place: Mapping[str, int]) -> tuple[int, list[int]]:
    return len(path), [place[node_id] for node_id in path[:50]]


@dataclass(frozen=True, slots=True)
class Edge:
    """
    One link: `node_id`'s input `input` takes output `slot` of `source`.

    In a graph given as plain adjacency, `input` is empty and `slot` is -1.
    """

    node_id: str
    input: str
    source: str
    slot: int


def adjacency_of(nodes: Mapping[str, Node]) -> dict[str, list[str]]:
    """
    Give node id → ids of the nodes that it links to, those that are missing included.
    """
    return {node_id: [link.node_id for _, link in node.links()] for node_id, node in nodes.items()}


class GraphView:
    """
    A prompt seen as a graph; every answer is worked out once, when first asked for.

    Args:
        graph: A prompt, or a plain mapping of node id → ids of its sources.
    """

    def __init__(self, graph: Mapping[str, Node] | Mapping[str, Sequence[str]]) -> None:
        first = next(iter(graph.values()), None)
        self._nodes: Mapping[str, Node] | None
        if first is None or isinstance(first, Node):
            self._nodes = cast("Mapping[str, Node]", graph)
            self.adjacency: Adjacency = adjacency_of(self._nodes)
        else:
            self._nodes = None
            self.adjacency = cast("Adjacency", graph)

    def __repr__(self) -> str:
        return f"<GraphView of {len(self.adjacency)} nodes>"

    @cached_property
    def is_acyclic(self) -> bool:
        """Whether no node can be reached from itself."""
        return is_acyclic(self.adjacency)

    @cached_property
    def cyclic(self) -> tuple[str, ...]:
        """The nodes that lie on a cycle, in the order of the document."""
        if self.is_acyclic:
            return ()
        members = {node_id for knot in order_and_knots(self.adjacency)[1] for node_id in knot}
        return tuple(node_id for node_id in self.adjacency if node_id in members)

    @cached_property
    def _order(self) -> tuple[str, ...]:
        return tuple(topological_order(self.adjacency))

    def order(self) -> tuple[str, ...]:
        """
        Give the nodes, each after its sources, else in the order of the document.

        Nodes on a cycle are left out: see `cyclic`.
        """
        return self._order

    def cycles(self, limit: int = CYCLE_LIMIT) -> list[Cycle]:
        """
        Find the elementary cycles, shortest first; see `comfygraph.core.graph.cycles`.
        """
        return cycles(self.adjacency, limit)

    def upstream(self, ids: str | Iterable[str]) -> frozenset[str]:
        """
        Give these nodes and all that they depend on.

        Raises:
            UsageError: A node is not in the graph.
        """
        return frozenset(cone(self.adjacency, self._known(ids)))

    def downstream(self, ids: str | Iterable[str]) -> frozenset[str]:
        """
        Give these nodes and all that depend on them.

        Raises:
            UsageError: A node is not in the graph.
        """
        return frozenset(cone(self._reversed, self._known(ids)))

    def reachable_from_outputs(self, outputs: Iterable[str]) -> frozenset[str]:
        """
        Give the nodes that a server would run for these output nodes.

        Args:
            outputs: Ids of output nodes; those that are not in the graph are ignored.
        """
        return frozenset(cone(self.adjacency, outputs))

    def consumers(self, node_id: str) -> tuple[Edge, ...]:
        """
        Give the links that take an output of this node, in the order of the document.

        A node that is missing can have consumers too.
        """
        return tuple(self._consumers.get(node_id, ()))

    def dangling(self) -> tuple[Edge, ...]:
        """
        Give the links whose node is not in the graph, in the order of the document.
        """
        return tuple(edge for edge in self._edges if edge.source not in self.adjacency)

    def edges(self) -> tuple[Edge, ...]:
        """
        Give all links in the order of the document.
        """
        return self._edges

    @cached_property
    def _edges(self) -> tuple[Edge, ...]:
        if self._nodes is None:
            return tuple(
                Edge(node_id, "", source, -1)
                for node_id, sources in self.adjacency.items()
                for source in sources
            )
        return tuple(
            Edge(node_id, name, link.node_id, link.slot)
            for node_id, node in self._nodes.items()
            for name, link in node.links()
        )

    @cached_property
    def _consumers(self) -> dict[str, list[Edge]]:
        out: dict[str, list[Edge]] = {}
        for edge in self._edges:
            out.setdefault(edge.source, []).append(edge)
        return out

    @cached_property
    def _reversed(self) -> Adjacency:
        return reverse(self.adjacency)

    def _known(self, ids: str | Iterable[str]) -> list[str]:
        wanted = [ids] if isinstance(ids, str) else list(ids)
        for node_id in wanted:
            if node_id not in self.adjacency:
                raise UsageError(
                    f"no node `{shorten(node_id)}` in the graph",
                    hint=did_you_mean(node_id, self.adjacency),
                )
        return wanted
