"""
What is drawn: nodes with their places, links with their ends, findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from comfygraph.catalog import NodeCatalog
from comfygraph.core.values import Prompt
from comfygraph.errors import InputError
from comfygraph.workflow.arrange import Wire
from comfygraph.workflow.boxes import Box, box_of
from comfygraph.workflow.clusters import arrange_groups
from comfygraph.workflow.faces import Face, faces_of

Findings: TypeAlias = Mapping[str | None, Sequence[tuple[str, str]]]
"""Node id → `(severity, text)` of each finding; `None` for findings about the whole graph."""

WORST_FIRST = ("error", "warning", "info")

MARGIN = 60

MOST_NODES = 20_000
"""Nobody sees anything in a drawing of more nodes, and hardly anything opens it."""

MOST_INPUTS = 100_000
"""The same for the inputs of all nodes together."""


class SceneNode(NamedTuple):
    """
    A node in its place; `x` and `y` are the upper left corner of its title bar, pixels.
    """

    id: str
    face: Face
    box: Box
    x: int
    y: int
    findings: tuple[tuple[str, str], ...]
    label: str = ""
    """What flows out of it or what it costs, for people."""

    @property
    def severity(self) -> str | None:
        """The worst severity among the findings, or `None`."""
        found = {severity for severity, _ in self.findings}
        return next((severity for severity in WORST_FIRST if severity in found), None)


class SceneLink(NamedTuple):
    """
    A link with its ends in pixels, and the type that goes over it.
    """

    origin: str
    slot: int
    target: str
    input: str
    type: str
    start: tuple[int, int]
    end: tuple[int, int]


class SceneGroup(NamedTuple):
    """
    A group in its place.

    Args:
        title: Its name.
        parent: The place of the group around it among all groups, -1 for none.
        color: Its colour, `#rrggbb`.
        nodes: The ids of the nodes in it, without those of inner groups.
        x, y, width, height: Its frame, pixels.
    """

    title: str
    parent: int
    color: str
    nodes: tuple[str, ...]
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Scene:
    """
    A drawing of a graph.

    Args:
        nodes: Id → node, in the order of the prompt.
        links: All links.
        width, height: In pixels, margins included.
        general: Findings about the whole graph.
        groups: The frames around groups of nodes, outer ones first.
    """

    nodes: Mapping[str, SceneNode]
    links: tuple[SceneLink, ...]
    width: int
    height: int
    general: tuple[tuple[str, str], ...] = ()
    groups: tuple[SceneGroup, ...] = ()


def check_size(prompt: Prompt) -> None:
    """
    Refuse a graph that is too large to be drawn.

    Raises:
        InputError: It has more nodes than `MOST_NODES`, or more inputs than `MOST_INPUTS`.
    """
    inputs = sum(len(node.inputs) for node in prompt.nodes())
    for count, most, what in ((len(prompt), MOST_NODES, "nodes"), (inputs, MOST_INPUTS, "inputs")):
        if count > most:
            raise InputError(
                f"a graph of {count:,} {what} is too large for a drawing, which has {most:,} "
                "at most",
                hint="`comfygraph explain` tells of graphs of any size",
            )


def make_scene(
    prompt: Prompt,
    catalog: NodeCatalog,
    findings: Findings | None = None,
    labels: Mapping[str, str] | None = None,
) -> Scene:
    """
    Lay a prompt out for drawing. Cycles, dangling links and unknown classes are drawn too.

    Args:
        prompt: The graph.
        catalog: What slots and widgets are drawn by.
        findings: What to mark on the nodes.
        labels: Node id → a few words that are drawn below the node.

    Raises:
        InputError: The graph is too large, see `check_size`.
    """
    check_size(prompt)
    found = findings or {}
    words = labels or {}
    faces = faces_of(prompt, catalog)
    boxes = {node_id: box_of(face) for node_id, face in faces.items()}
    number = {node_id: index for index, node_id in enumerate(faces)}
    wires = [
        Wire(
            number[slot.link.node_id],
            number[node_id],
            boxes[slot.link.node_id].outputs[slot.link.slot],
            boxes[node_id].inputs[index],
        )
        for node_id, face in faces.items()
        for index, slot in enumerate(face.inputs)
        if slot.link is not None
    ]
    places, frames = arrange_groups(
        [(box.width, box.height) for box in boxes.values()],
        wires,
        [face.node.group for face in faces.values()],
    )
    nodes = {
        node_id: SceneNode(
            node_id,
            face,
            boxes[node_id],
            place[0] + MARGIN,
            place[1] + MARGIN,
            tuple(found.get(node_id, ())),
            words.get(node_id, ""),
        )
        for (node_id, face), place in zip(faces.items(), places, strict=True)
    }
    general = [
        *found.get(None, ()),
        *(item for key, items in found.items() if key is not None and key not in nodes
          for item in items),
    ]  # fmt: skip
    ids = list(faces)
    groups = tuple(
        SceneGroup(
            frame.title,
            frame.parent,
            frame.color,
            tuple(ids[index] for index in frame.nodes),
            frame.x + MARGIN,
            frame.y + MARGIN,
            frame.width,
            frame.height,
        )
        for frame in frames
    )
    rights = [node.x + node.box.width for node in nodes.values()]
    bottoms = [node.y + node.box.height for node in nodes.values()]
    return Scene(
        nodes,
        tuple(_links(nodes)),
        max([*rights, *(group.x + group.width for group in groups)], default=0) + MARGIN,
        max([*bottoms, *(group.y + group.height for group in groups)], default=0) + MARGIN,
        tuple(general),
        groups,
    )


def nested_groups(scene: Scene) -> Iterator[tuple[int, int | None]]:
    """
    Walk through the groups as blocks: `(depth, number)` opens one, `(depth, None)` ends it.
    """
    inner: dict[int, list[int]] = {}
    for number, group in enumerate(scene.groups):
        inner.setdefault(group.parent, []).append(number)
    stack: list[tuple[int, int | None]] = []
    stack += [(0, number) for number in reversed(inner.get(-1, []))]
    while stack:
        depth, opened = stack.pop()
        yield depth, opened
        if opened is not None:
            stack.append((depth, None))
            stack += [(depth + 1, number) for number in reversed(inner.get(opened, []))]


def _links(nodes: Mapping[str, SceneNode]) -> list[SceneLink]:
    links = []
    for node in nodes.values():
        for index, slot in enumerate(node.face.inputs):
            if slot.link is None:
                continue
            origin = nodes[slot.link.node_id]
            links.append(
                SceneLink(
                    origin.id,
                    slot.link.slot,
                    node.id,
                    slot.name,
                    origin.face.outputs[slot.link.slot].type,
                    (origin.x + origin.box.width, origin.y + origin.box.outputs[slot.link.slot]),
                    (node.x, node.y + node.box.inputs[index]),
                )
            )
    return links
