"""
Plain graphs: node id → the ids that it takes its inputs from.

For code that works on raw JSON, or on any other graph of names. Nothing here recurses,
and everything is linear in nodes and links. An id that is linked to but is no key of the
mapping is a missing node, and ignored. A node that links to itself is a cycle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

Adjacency: TypeAlias = Mapping[str, Sequence[str]]
"""Node id → ids of the nodes that it links to (its sources), repetitions allowed."""


def topological_order(adjacency: Adjacency) -> list[str]:
    """
    Order the nodes so that each comes after the nodes that it takes its inputs from.

    The order of the mapping is kept as far as that allows: a mapping that is in order is
    given back as it is. Nodes that lie on a cycle are left out.
    """
    order = _order_without_cycles(adjacency)
    return order if order is not None else order_and_knots(adjacency)[0]


def is_acyclic(adjacency: Adjacency) -> bool:
    """
    Tell whether no node can be reached from itself.
    """
    return _order_without_cycles(adjacency) is not None


def cone(adjacency: Adjacency, roots: Iterable[str]) -> set[str]:
    """
    Give the roots and everything that can be reached from them along the mapping.

    With sources as neighbours, the cone of the output nodes is what a server would run.
    Roots that are no key of the mapping are ignored.
    """
    seen = {root for root in roots if root in adjacency}
    pending = list(seen)
    while pending:
        for source in adjacency[pending.pop()]:
            if source not in seen and source in adjacency:
                seen.add(source)
                pending.append(source)
    return seen


def reverse(adjacency: Adjacency) -> dict[str, list[str]]:
    """
    Turn every link around: node id → the nodes that take their inputs from it, in order.
    """
    out: dict[str, list[str]] = {node_id: [] for node_id in adjacency}
    for node_id, sources in adjacency.items():
        for source in dict.fromkeys(sources):
            if source in out:
                out[source].append(node_id)
    return out


def order_and_knots(adjacency: Adjacency) -> tuple[list[str], list[list[str]]]:
    """
    Give the order of the nodes outside of cycles, and the knots that cycles tie.

    Returns:
        The order of `topological_order`; and the strongly connected components that have
        a cycle, sources first, the members of each in the order of the mapping.
    """
    # Tarjan's algorithm with an explicit stack. It closes a component after all those that
    # it takes inputs from, which is the order that we want.
    place = {node_id: index for index, node_id in enumerate(adjacency)}
    order: list[str] = []
    knots: list[list[str]] = []
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    is_open: set[str] = set()
    for root in adjacency:
        if root in number:
            continue
        path: list[tuple[str, Iterator[str]]] = []
        entering: str | None = root
        while entering is not None or path:
            if entering is not None:
                number[entering] = low[entering] = len(number)
                open_nodes.append(entering)
                is_open.add(entering)
                path.append((entering, iter(adjacency[entering])))
                entering = None
            node_id, sources = path[-1]
            for source in sources:
                if source not in adjacency:
                    continue
                if source not in number:
                    entering = source
                    break
                if source in is_open:
                    low[node_id] = min(low[node_id], number[source])
            if entering is not None:
                continue
            path.pop()
            if path:
                parent = path[-1][0]
                low[parent] = min(low[parent], low[node_id])
            if low[node_id] < number[node_id]:
                continue
            members: list[str] = []
            while not members or members[-1] != node_id:
                members.append(open_nodes.pop())
                is_open.discard(members[-1])
            if len(members) > 1 or node_id in adjacency[node_id]:
                knots.append(sorted(members, key=place.__getitem__))
            else:
                order.append(node_id)
    return order, knots


def shortest_cycle(adjacency: Adjacency, start: str) -> tuple[tuple[str, ...] | None, int]:
    """
    Give a shortest cycle through `start`, and how many links were looked at to find it.
    """
    parent: dict[str, str] = {}
    pending = deque([start])
    looked = 0
    while pending:
        node_id = pending.popleft()
        for source in adjacency[node_id]:
            looked += 1
            if source == start:
                path = [node_id]
                while path[-1] != start:
                    path.append(parent[path[-1]])
                return tuple(reversed(path)), looked
            if source not in parent and source in adjacency:
                parent[source] = node_id
                pending.append(source)
    return None, looked


def _order_without_cycles(adjacency: Adjacency) -> list[str] | None:
    order: list[str] = []
    done: set[str] = set()
    path: set[str] = set()
    for root in adjacency:
        if root in done:
            continue
        stack = [root]
        while stack:
            node_id = stack[-1]
            if node_id in done:
                stack.pop()
                continue
            waiting = [
                source
                for source in adjacency[node_id]
                if source not in done and source in adjacency
            ]
            if not waiting:
                stack.pop()
                path.discard(node_id)
                done.add(node_id)
                order.append(node_id)
                continue
            # A node is looked at once going in and once coming out; sources that still
            # wait when it comes out lead back to it.
            if node_id in path or not path.isdisjoint(waiting):
                return None
            path.add(node_id)
            stack.extend(reversed(waiting))
    return order
