"""
The editor's groups: which node stands in which frame.

A node belongs where its middle is, a group where all of it is; in frames within each other, to
the smallest. Facts: `LGraphGroup.recomputeInsideNodes` and `LGraphNode.measure` of ComfyUI's
frontend.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from comfygraph.workflow.boxes import TITLE
from comfygraph.workflow.live import LiveNode
from comfygraph.workflow.model import FileGraph, as_dict, as_list
from comfygraph.workflow.scopes import Scope

MOST_FRAMES = 200
MOST_LOOKS = 5_000_000
"""Frames that are looked at for one node, times nodes: those beyond are no groups."""

LONGEST = 200
"""Characters of a name; longer ones are cut, and deeper groups count for the one around them."""

COLLAPSED_WIDTH = 80


class _Frame(NamedTuple):
    title: str
    x: float
    y: float
    right: float
    bottom: float

    def area(self) -> float:
        return (self.right - self.x) * (self.bottom - self.y)

    def holds(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def encloses(self, other: _Frame) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


class GroupNames:
    """
    The groups of one workflow's nodes; those in a subgraph are in the group of the instance too.
    """

    def __init__(self) -> None:
        self._framed: dict[int, dict[int, str]] = {}
        self._around: dict[str, str] = {}
        """What the ids of an instance's nodes start with → the group of the instance."""

    def of(self, scope: Scope, node: LiveNode) -> str | None:
        """
        Give the group of a node; ask for an instance before the nodes in it.
        """
        graph = scope.graph.file
        known = self._framed.get(id(graph))
        if known is None:
            known = self._framed[id(graph)] = framed(graph)
        own, outer = known.get(node.file.index), self._around.get(scope.prefix)
        found = joined(outer, own) if own is not None else outer
        if found is not None and node.body is not None:
            self._around[f"{scope.prefix}{node.emit_id}:"] = found
        return found


def framed(graph: FileGraph) -> dict[int, str]:
    """
    Give a node's place in the file → its group, `outer/inner`, for all nodes that are in one.

    Groups without a title are none; of two with one title at the same level, the second is
    called `title 2`.
    """
    count = min(MOST_FRAMES, MOST_LOOKS // max(len(graph.nodes), 1))
    frames = _frames(graph.raw)[:count]
    if not frames:
        return {}
    smallest = sorted(range(len(frames)), key=lambda index: frames[index].area())
    parents = {
        index: next((o for o in smallest[at + 1 :] if frames[o].encloses(frames[index])), None)
        for at, index in enumerate(smallest)
    }
    names: dict[int, str] = {}
    taken: set[tuple[int | None, str]] = set()
    for index, frame in enumerate(frames):
        name, number = frame.title, 1
        while (parents[index], name) in taken:
            number += 1
            name = f"{frame.title} {number}"
        taken.add((parents[index], name))
        names[index] = name
    paths: dict[int | None, str] = {}
    for index in reversed(smallest):  # those around a group are larger
        paths[index] = joined(paths.get(parents[index]), names[index])
    found: dict[int, str] = {}
    for node in graph.nodes:
        middle = _middle(node.raw)
        if middle is not None:
            home = next((index for index in smallest if frames[index].holds(*middle)), None)
            if home is not None:
                found[node.index] = paths[home]
    return found


def joined(outer: str | None, inner: str) -> str:
    """
    Give the group that is called `inner` within `outer`, if there is one.
    """
    if outer is None:
        return inner
    return f"{outer}/{inner}" if len(outer) + len(inner) < LONGEST else outer


def _frames(raw: dict[str, Any]) -> list[_Frame]:
    out: list[_Frame] = []
    for item in as_list(raw.get("groups")):
        title = as_dict(item).get("title")
        place = _numbers(as_dict(item).get("bounding"), 4)
        if not isinstance(title, str) or place is None:
            continue
        # A slash parts groups from those around them.
        parts = (part.strip() for part in title[:LONGEST].split("/"))
        name = "/".join(part for part in parts if part)
        if name:
            x, y, width, height = place
            out.append(_Frame(name, x, y, x + width, y + height))
    return out


def _middle(raw: dict[str, Any]) -> tuple[float, float] | None:
    """
    Give the middle of a node with its title bar, pixels.
    """
    place, size = _numbers(raw.get("pos"), 2), _numbers(raw.get("size"), 2)
    if place is None or size is None:
        return None
    width, height = size
    if as_dict(raw.get("flags")).get("collapsed"):
        width, height = min(width, COLLAPSED_WIDTH), 0
    return place[0] + width / 2, place[1] - TITLE + (height + TITLE) / 2


def _numbers(value: Any, count: int) -> list[float] | None:
    """
    Read numbers from a list, or from an object with the keys `"0"`, `"1"`, as old editors wrote.
    """
    if isinstance(value, dict):
        value = [value.get(str(index)) for index in range(count)]
    if not isinstance(value, list) or len(value) < count:
        return None
    out: list[float] = []
    for item in value[:count]:
        if type(item) not in (int, float) or not abs(item) < 1e15:
            return None
        out.append(float(item))
    return out
