"""
Where nodes stand that belong to groups: each group is arranged by itself, then takes its place
in what is around it as if it were one node.

The editor takes for a group's members what lies within its frame, so no other node may.
Facts: `LGraphGroup.ts` (title 1.4 times the font, 10 pixels of padding) and the group colours of
`LGraphCanvas.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from comfygraph.workflow.arrange import Wire, arrange

DEEPEST = 8
"""Groups within groups; what is deeper is part of the last name."""

FONT = 24
PADDING = 24
HEAD = 34 + PADDING
"""Room above the nodes, with the title, pixels."""

COLORS = ("#3f789e", "#88aa88", "#a1309b", "#b58b2a", "#88aaaa", "#b06634", "#8888aa", "#aa8888")


class Frame(NamedTuple):
    """
    A group in its place, pixels.

    Args:
        title: Its name, without those of the groups around it.
        parent: The place of the group around it among all frames, -1 for none.
        color: Its colour, `#rrggbb`.
        nodes: The nodes in it, without those of inner groups.
        x, y, width, height: Its frame.
    """

    title: str
    parent: int
    color: str
    nodes: tuple[int, ...]
    x: int
    y: int
    width: int
    height: int


class Arranged(NamedTuple):
    """
    The upper left corner of each node, pixels from 0, and the groups, outer ones first.
    """

    places: list[tuple[int, int]]
    frames: list[Frame]


class _Cluster:
    """
    A group on its way: what stands in it, nodes and, as numbers below 0, groups.
    """

    def __init__(self, parent: int, depth: int, title: str) -> None:
        self.parent = parent
        self.depth = depth
        self.title = title
        self.things: list[int] = []
        self.corners: dict[int, tuple[int, int]] = {}
        self.tops: dict[int, int] = {}
        """For each node in it, those of inner groups included: how far below its top."""
        self.size: tuple[int, int] = (0, 0)


def arrange_groups(
    sizes: Sequence[tuple[int, int]], wires: Sequence[Wire], groups: Sequence[str | None]
) -> Arranged:
    """
    Do as `arrange` does, with the nodes of a group side by side and no others among them.

    Args:
        sizes: `(width, height)` of each box, pixels.
        wires: The links between them.
        groups: For each box its group, `outer/inner`, or `None`.
    """
    if not any(groups):
        return Arranged(arrange(sizes, wires), [])
    # Number 0 is the whole picture, group number n is -n among the things of the group around.
    clusters = [_Cluster(0, -1, "")]
    homes = _homes(groups, clusters)
    for node, home in enumerate(homes):
        clusters[home].things.append(node)
    inside = _split(wires, homes, clusters)
    corners: dict[int, tuple[int, int]] = {}
    for number in sorted(range(len(clusters)), key=lambda n: -clusters[n].depth):
        _settle(clusters, number, inside.get(number, []), sizes)
    # From the outside in: corners in a group become corners in the picture.
    origins = [(0, 0)] * len(clusters)
    for number, cluster in enumerate(clusters):
        left, top = origins[number]
        for thing, (x, y) in cluster.corners.items():
            if thing < 0:
                origins[-thing] = (left + x, top + y)
            else:
                corners[thing] = (left + x, top + y)
    frames = [
        Frame(
            cluster.title,
            cluster.parent - 1,
            COLORS[(number - 1) % len(COLORS)],
            tuple(thing for thing in cluster.things if thing >= 0),
            *origins[number],
            *cluster.size,
        )
        for number, cluster in enumerate(clusters)
        if number
    ]
    return Arranged([corners[node] for node in range(len(sizes))], frames)


def _homes(groups: Sequence[str | None], clusters: list[_Cluster]) -> list[int]:
    """
    Give the number of each node's group; groups are numbered as they come, outer ones first.
    """
    known: dict[str, int] = {}
    homes: list[int] = []
    for path in groups:
        home = known.get(path, 0) if path else 0
        if path and not home:
            parts = path.split("/", DEEPEST - 1)
            for depth, title in enumerate(parts):
                name = "/".join(parts[: depth + 1])
                if name not in known:
                    known[name] = len(clusters)
                    clusters.append(_Cluster(home, depth, title))
                    clusters[home].things.append(-known[name])
                home = known[name]
        homes.append(home)
    return homes


def _chain(number: int, clusters: list[_Cluster]) -> list[int]:
    """
    Give a group and those around it, the picture first.
    """
    chain = [number]
    while chain[-1]:
        chain.append(clusters[chain[-1]].parent)
    return chain[::-1]


def _split(
    wires: Sequence[Wire], homes: list[int], clusters: list[_Cluster]
) -> dict[int, list[tuple[Wire, int, int]]]:
    """
    Give for each group the links between things that stand in it, with these things.
    """
    chains = [_chain(number, clusters) for number in range(len(clusters))]
    out: dict[int, list[tuple[Wire, int, int]]] = {}
    for wire in wires:
        one, other = chains[homes[wire.origin]], chains[homes[wire.target]]
        depth = 0
        while depth + 1 < min(len(one), len(other)) and one[depth + 1] == other[depth + 1]:
            depth += 1
        start = -one[depth + 1] if depth + 1 < len(one) else wire.origin
        end = -other[depth + 1] if depth + 1 < len(other) else wire.target
        out.setdefault(one[depth], []).append((wire, start, end))
    return out


def _settle(
    clusters: list[_Cluster],
    number: int,
    links: list[tuple[Wire, int, int]],
    sizes: Sequence[tuple[int, int]],
) -> None:
    """
    Arrange what stands in one group; the groups in it have been arranged before.
    """
    cluster = clusters[number]
    order = {thing: index for index, thing in enumerate(cluster.things)}
    boxes = [clusters[-t].size if t < 0 else sizes[t] for t in cluster.things]
    wires = [
        Wire(
            order[start],
            order[end],
            wire.origin_y + (clusters[-start].tops[wire.origin] if start < 0 else 0),
            wire.target_y + (clusters[-end].tops[wire.target] if end < 0 else 0),
        )
        for wire, start, end in links
    ]
    left, top = (PADDING, HEAD) if number else (0, 0)
    places = arrange(boxes, wires)
    cluster.corners = {
        thing: (x + left, y + top) for thing, (x, y) in zip(cluster.things, places, strict=True)
    }
    for thing, (_, y) in cluster.corners.items():
        inner = clusters[-thing].tops if thing < 0 else {thing: 0}
        cluster.tops |= {node: y + below for node, below in inner.items()}
    width = max((x + box[0] for (x, _), box in zip(places, boxes, strict=True)), default=0)
    height = max((y + box[1] for (_, y), box in zip(places, boxes, strict=True)), default=0)
    cluster.size = (width + left + PADDING, height + top + PADDING)
