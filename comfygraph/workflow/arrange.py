"""
Where nodes stand: columns from left to right, along the links.

A node stands in the column after the last one that feeds it (longest path); nodes that
feed only later columns move towards them. Within a column nodes are sorted and placed near
what they are linked with, slot by slot: the places nearest to the wished ones that keep
order and distance, found by pooling (isotonic regression). Everything but sorting is
linear, nothing recurses, and cycles are cut where a walk along the links closes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

COLUMN_GAP = 90
ROW_GAP = 40
SWEEPS = 4
HIGHEST = 3_600
"""Pixels: higher columns are broken."""

SHARED_BY = 6
"""A node with so many consumers is set apart where columns become too high."""

_SHAPE = 1.6
"""Wished width by height of a picture of many parts."""


class Wire(NamedTuple):
    """
    A link from node `origin` to node `target`, with the heights of its ends in their nodes.
    """

    origin: int
    target: int
    origin_y: int
    target_y: int


class _Part(NamedTuple):
    """
    A part of the graph in its place: `(node, x, y)` from its own corner.
    """

    width: int
    height: int
    places: list[tuple[int, int, int]]


def arrange(sizes: Sequence[tuple[int, int]], wires: Sequence[Wire]) -> list[tuple[int, int]]:
    """
    Place boxes so that none overlap and links run from left to right where they can.

    Args:
        sizes: `(width, height)` of each box, pixels.
        wires: The links between them; any graph will do.

    Returns:
        `(x, y)` of the upper left corner of each box, from 0.
    """
    count = len(sizes)
    outgoing: list[list[Wire]] = [[] for _ in range(count)]
    for wire in wires:
        if wire.origin != wire.target:
            outgoing[wire.origin].append(wire)
    forward = _without_cycles(outgoing)
    incoming: list[list[Wire]] = [[] for _ in range(count)]
    for node, leaving in enumerate(forward):
        for wire in leaving:
            incoming[wire.target].append(wire)
        outgoing[node] = leaving
    layers = _layers(outgoing, incoming)
    graph = _Graph(sizes, layers, outgoing, incoming)
    hubs = _hubs(graph)
    everything = [True] * count
    if not hubs:
        parts = [_place(members, graph) for members in _components(graph, everything)]
        return _pack(parts, count, _limit(parts))
    # What many share stands on the left; then what hangs together without it, in rows.
    shared = [node in hubs for node in range(count)]
    left = [_place(members, graph) for members in _components(graph, shared)]
    right = [_place(m, graph) for m in _components(graph, [not is_hub for is_hub in shared])]
    return _beside(_pack(left, count, 0), _pack(right, count, _limit(right)), shared, sizes)


class _Graph(NamedTuple):
    """
    The graph on its way: `outgoing` and `incoming` hold the links of each node, no cycles.
    """

    sizes: Sequence[tuple[int, int]]
    layers: list[int]
    outgoing: list[list[Wire]]
    incoming: list[list[Wire]]


def _hubs(graph: _Graph) -> set[int]:
    """
    Give the nodes that many others share, with all that feeds them; none in a graph whose
    columns are of bearable height, or that does not fall apart without them.
    """
    heights: dict[int, int] = {}
    for node, layer in enumerate(graph.layers):
        heights[layer] = heights.get(layer, 0) + graph.sizes[node][1] + ROW_GAP
    if max(heights.values(), default=0) <= HIGHEST:
        return set()
    found = {
        node
        for node, leaving in enumerate(graph.outgoing)
        if len({wire.target for wire in leaving}) >= SHARED_BY
    }
    pending = list(found)
    while pending:
        for wire in graph.incoming[pending.pop()]:
            if wire.origin not in found:
                found.add(wire.origin)
                pending.append(wire.origin)
    rest = _components(graph, [node not in found for node in range(len(graph.layers))])
    return found if len(rest) >= SHARED_BY // 2 else set()


def _beside(
    left: list[tuple[int, int]],
    right: list[tuple[int, int]],
    is_left: list[bool],
    sizes: Sequence[tuple[int, int]],
) -> list[tuple[int, int]]:
    """
    Set two groups next to each other, middle by middle.
    """
    width = 0
    heights = [0, 0]
    for node, (box_width, box_height) in enumerate(sizes):
        place = left[node] if is_left[node] else right[node]
        side = 0 if is_left[node] else 1
        heights[side] = max(heights[side], place[1] + box_height)
        if is_left[node]:
            width = max(width, place[0] + box_width)
    shift = max(heights) // 2
    return [
        (left[node][0], left[node][1] + shift - heights[0] // 2)
        if is_left[node]
        else (right[node][0] + width + 2 * COLUMN_GAP, right[node][1] + shift - heights[1] // 2)
        for node in range(len(sizes))
    ]


def _without_cycles(outgoing: list[list[Wire]]) -> list[list[Wire]]:
    """
    Leave out the links that close a cycle on a walk in depth.
    """
    kept: list[list[Wire]] = [[] for _ in outgoing]
    state = [0] * len(outgoing)  # 0 new, 1 on the path, 2 done
    fed = [False] * len(outgoing)
    for leaving in outgoing:
        for wire in leaving:
            fed[wire.target] = True
    starts = sorted(range(len(outgoing)), key=lambda node: fed[node])
    for start in starts:
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(outgoing[start]))]
        while stack:
            node, rest = stack[-1]
            for wire in rest:
                if state[wire.target] == 1:
                    continue
                kept[node].append(wire)
                if state[wire.target] == 0:
                    state[wire.target] = 1
                    stack.append((wire.target, iter(outgoing[wire.target])))
                    break
            else:
                state[node] = 2
                stack.pop()
    return kept


def _layers(outgoing: list[list[Wire]], incoming: list[list[Wire]]) -> list[int]:
    count = len(outgoing)
    waiting = [len(arriving) for arriving in incoming]
    order = [node for node in range(count) if not waiting[node]]
    layer = [0] * count
    for node in order:  # grows as it is read
        for wire in outgoing[node]:
            layer[wire.target] = max(layer[wire.target], layer[node] + 1)
            waiting[wire.target] -= 1
            if not waiting[wire.target]:
                order.append(wire.target)
    consumers = [len({wire.target for wire in leaving}) for leaving in outgoing]
    for node in reversed(order):
        if not outgoing[node]:
            continue
        latest = min(layer[wire.target] for wire in outgoing[node]) - 1
        # Whoever feeds this node alone moves along; the others' links become longer.
        shared = {wire.origin for wire in incoming[node] if consumers[wire.origin] > 1}
        if latest > layer[node] and consumers[node] >= len(shared):
            layer[node] = latest
    return layer


def _components(graph: _Graph, chosen: list[bool]) -> list[list[int]]:
    """
    Give the parts that links hold together, among the nodes that are chosen.
    """
    found: list[list[int]] = []
    seen = [not is_chosen for is_chosen in chosen]
    for start in range(len(seen)):
        if seen[start]:
            continue
        seen[start] = True
        members = [start]
        for node in members:  # grows as it is read
            near = [wire.target for wire in graph.outgoing[node]]
            near += [wire.origin for wire in graph.incoming[node]]
            for other in near:
                if not seen[other]:
                    seen[other] = True
                    members.append(other)
        found.append(sorted(members))
    return found


def _place(members: list[int], graph: _Graph) -> _Part:
    """
    Place a part; links that leave it do not count.
    """
    sizes, layers = graph.sizes, graph.layers
    inside = set(members)
    incoming = {n: [w for w in graph.incoming[n] if w.origin in inside] for n in members}
    outgoing = {n: [w for w in graph.outgoing[n] if w.target in inside] for n in members}
    columns: dict[int, list[int]] = {}
    for node in members:
        columns.setdefault(layers[node], []).append(node)
    ordered = [columns[layer] for layer in sorted(columns)]
    y: dict[int, float] = {}
    for column in ordered:
        _stack(column, [0.0] * len(column), sizes, y)
    for sweep in range(SWEEPS):
        ahead = sweep % 2 == 0
        links = incoming if ahead else outgoing
        for column in ordered if ahead else ordered[::-1]:
            wished = {node: _wish(links[node], y, ahead=ahead, own=y[node]) for node in column}
            column.sort(key=lambda node: wished[node] + sizes[node][1] / 2)
            _stack(column, [wished[node] for node in column], sizes, y)
    for column in [*ordered[::-1], *ordered]:
        wishes = [
            (
                _wish(incoming[node], y, ahead=True, own=y[node]) * len(incoming[node])
                + _wish(outgoing[node], y, ahead=False, own=y[node]) * len(outgoing[node])
            )
            / (len(incoming[node]) + len(outgoing[node]))
            if incoming[node] or outgoing[node]
            else y[node]
            for node in column
        ]
        _stack(column, wishes, sizes, y)
    return _columns(_broken(ordered, sizes, y), sizes, y)


def _wish(links: list[Wire], y: dict[int, float], *, ahead: bool, own: float) -> float:
    """
    Give the mean of the places at which each link would run level.
    """
    if not links:
        return own
    if ahead:
        return sum(y[w.origin] + w.origin_y - w.target_y for w in links) / len(links)
    return sum(y[w.target] + w.target_y - w.origin_y for w in links) / len(links)


def _stack(
    column: list[int], wished: list[float], sizes: Sequence[tuple[int, int]], y: dict[int, float]
) -> None:
    """
    Place a column in this order, as near to the wishes as distances allow (least squares).
    """
    before = 0.0
    offsets: list[float] = []
    blocks: list[tuple[float, int]] = []  # sum of wishes less offsets, members
    for node, wish in zip(column, wished, strict=True):
        offsets.append(before)
        block = (wish - before, 1)
        while blocks and blocks[-1][0] * block[1] > block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (block[0] + last[0], block[1] + last[1])
        blocks.append(block)
        before += sizes[node][1] + ROW_GAP
    at = 0
    for total, number in blocks:
        for index in range(at, at + number):
            y[column[index]] = total / number + offsets[index]
        at += number


def _broken(
    columns: list[list[int]], sizes: Sequence[tuple[int, int]], y: dict[int, float]
) -> list[list[int]]:
    """
    Break columns that are far too high into several, side by side.
    """
    area = sum((sizes[n][0] + COLUMN_GAP) * (sizes[n][1] + ROW_GAP) for c in columns for n in c)
    limit = max(HIGHEST, (area / _SHAPE) ** 0.5 * 1.2)
    middle = sum(y[node] for column in columns for node in column) / sum(map(len, columns))
    out: list[list[int]] = []
    for column in columns:
        height = sum(sizes[node][1] + ROW_GAP for node in column)
        pieces = int(height / limit) + 1
        if pieces == 1:
            out.append(column)
            continue
        filled = 0.0
        made: list[list[int]] = [[]]
        for node in column:
            if filled > height / pieces * len(made):
                made.append([])
            made[-1].append(node)
            filled += sizes[node][1] + ROW_GAP
        for piece in made:
            shift = middle - (y[piece[0]] + y[piece[-1]]) / 2
            for node in piece:
                y[node] += shift
        out += made
    return out


def _columns(
    columns: list[list[int]], sizes: Sequence[tuple[int, int]], y: dict[int, float]
) -> _Part:
    """
    Set the columns side by side, and round.
    """
    highest = min(y[column[0]] for column in columns)
    placed: list[tuple[int, int, int]] = []
    x = 0
    for column in columns:
        placed.extend((node, x, round(y[node] - highest)) for node in column)
        x += max(sizes[node][0] for node in column) + COLUMN_GAP
    height = max(top + sizes[node][1] for node, _, top in placed)
    return _Part(x - COLUMN_GAP, height, placed)


def _limit(parts: list[_Part]) -> int:
    """
    Give the width at which rows of these parts make a picture of a pleasant shape.
    """
    area = sum((part.width + COLUMN_GAP) * (part.height + ROW_GAP) for part in parts)
    return int((area * _SHAPE) ** 0.5 * 1.2)


def _pack(parts: list[_Part], count: int, limit: int) -> list[tuple[int, int]]:
    """
    Set parts in rows of a width, or of the width of the widest part.
    """
    out = [(0, 0)] * count
    limit = max([limit, *(part.width for part in parts)])
    x = top = row = 0
    for part in parts:
        if x and x + part.width > limit:
            x, top, row = 0, top + row + 2 * ROW_GAP, 0
        for node, at, y in part.places:
            out[node] = (x + at, top + y)
        x += part.width + 2 * COLUMN_GAP
        row = max(row, part.height)
    return out
