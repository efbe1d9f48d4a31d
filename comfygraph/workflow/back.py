"""
`to_workflow`: a prompt → the `workflow.json` that ComfyUI's editor opens.

Format 0.4: `workflowSchema.ts` and `LGraph.serialize` of ComfyUI's frontend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comfygraph.catalog import NodeCatalog
from comfygraph.core.nearest import shorten
from comfygraph.core.values import Prompt
from comfygraph.workflow.arrange import Wire
from comfygraph.workflow.boxes import TITLE, Box, box_of
from comfygraph.workflow.clusters import FONT, Frame, arrange_groups
from comfygraph.workflow.faces import Face, faces_of
from comfygraph.workflow.numbers import as_double
from comfygraph.workflow.order import is_array_index
from comfygraph.workflow.plan import ABSENT

PICTURE = 220
"""Room for a picture in nodes that show one, pixels."""

_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """
    A workflow made of a prompt.

    Args:
        workflow: The workflow as JSON, format 0.4.
        ids: Id in the prompt → id in the workflow. Ids that are no numbers get new ones.
        lost: `(id in the prompt, what)` for all that the editor has no place for.
    """

    workflow: dict[str, Any]
    ids: Mapping[str, int]
    lost: tuple[tuple[str, str], ...]


def to_workflow(prompt: Prompt, catalog: NodeCatalog) -> dict[str, Any]:
    """
    Give the workflow that the editor turns into this prompt when it queues it.

    What the editor cannot keep is left out: see `rebuild`, which says what that is.

    Args:
        prompt: Any prompt; cycles, dangling links and unknown classes too.
        catalog: The node classes of the server that the workflow is meant for.
    """
    return rebuild(prompt, catalog).workflow


def rebuild(prompt: Prompt, catalog: NodeCatalog) -> Rebuilt:
    """
    Do what `to_workflow` does, and tell what became of the ids and what was lost.

    Args:
        prompt: Any prompt.
        catalog: The node classes of the server that the workflow is meant for.
    """
    faces = faces_of(prompt, catalog)
    ids = _number(prompt)
    links: list[list[Any]] = []
    wires: list[Wire] = []
    order = {node_id: index for index, node_id in enumerate(faces)}
    boxes = {
        node_id: box_of(face, picture=PICTURE if _shows_picture(face, catalog) else 0)
        for node_id, face in faces.items()
    }
    leaving: dict[tuple[str, int], list[int]] = {}
    arriving: dict[tuple[str, str], int] = {}
    for node_id, face in faces.items():
        at = -1
        for index, slot in enumerate(face.inputs):
            link = slot.link
            at += not slot.widget or link is not None
            if link is None:
                continue
            number = len(links) + 1
            kind = faces[link.node_id].outputs[link.slot].type
            links.append([number, ids[link.node_id], link.slot, ids[node_id], at, kind])
            leaving.setdefault((link.node_id, link.slot), []).append(number)
            arriving[node_id, slot.name] = number
            wires.append(
                Wire(
                    order[link.node_id],
                    order[node_id],
                    boxes[link.node_id].outputs[link.slot],
                    boxes[node_id].inputs[index],
                )
            )
    places, frames = arrange_groups(
        [(box.width, box.height) for box in boxes.values()],
        wires,
        [face.node.group for face in faces.values()],
    )
    nodes = [
        _node(face, ids[node_id], boxes[node_id], place, order[node_id], leaving, arriving)
        for (node_id, face), place in zip(faces.items(), places, strict=True)
    ]
    workflow = {
        "last_node_id": max(ids.values(), default=0),
        "last_link_id": len(links),
        "nodes": nodes,
        "links": links,
        "groups": [_group(number, frame) for number, frame in enumerate(frames, 1)],
        "config": {},
        "extra": {},
        "version": 0.4,
    }
    return Rebuilt(workflow, ids, tuple(_losses(faces)))


def _number(prompt: Prompt) -> dict[str, int]:
    """
    Give each node an id that is a number: its own, or one above all others.
    """
    ids = {
        node_id: int(node_id)
        for node_id in prompt
        if is_array_index(node_id) and int(node_id) <= _LARGEST_ID
    }
    following = max(ids.values(), default=0) + 1
    if following + len(prompt) > _LARGEST_ID:
        taken = set(ids.values())
        free = (number for number in range(1, len(prompt) * 2 + 1) if number not in taken)
    else:
        free = (number for number in range(following, following + len(prompt)))
    return {node_id: ids[node_id] if node_id in ids else next(free) for node_id in prompt}


def _node(
    face: Face,
    number: int,
    box: Box,
    place: tuple[int, int],
    order: int,
    leaving: Mapping[tuple[str, int], list[int]],
    arriving: Mapping[tuple[str, str], int],
) -> dict[str, Any]:
    node = face.node
    inputs: list[dict[str, Any]] = []
    for slot in face.inputs:
        link = arriving.get((node.id, slot.name))
        if slot.widget and link is None:
            # The editor does not save the slots of widgets that nothing is linked to.
            continue
        stored: dict[str, Any] = {"name": slot.name, "type": slot.type, "link": link}
        if slot.widget:
            stored["widget"] = {"name": slot.name}
        inputs.append(stored)
    out: dict[str, Any] = {
        "id": number,
        "type": node.class_type,
        "pos": [place[0], place[1] + TITLE],
        "size": [box.width, box.height - TITLE],
        "flags": {},
        "order": order,
        "mode": 0,
        "inputs": inputs,
        "outputs": [
            {"name": output.name, "type": output.type, "links": leaving.get((node.id, slot))}
            for slot, output in enumerate(face.outputs)
        ],
        "properties": {"Node name for S&R": node.class_type},
    }
    title = node.meta.get("title") if node.meta is not None else None
    if isinstance(title, str) and title and (face.plan is None or title != face.plan.title):
        out["title"] = title
    values = _values(face)
    if values:
        out["widgets_values"] = values
    return out


def _group(number: int, frame: Frame) -> dict[str, Any]:
    return {
        "id": number,
        "title": frame.title,
        "bounding": [frame.x, frame.y, frame.width, frame.height],
        "color": frame.color,
        "font_size": FONT,
        "flags": {},
    }


def _values(face: Face) -> list[Any]:
    """
    Give `widgets_values`: one entry for each widget that is saved, those without input too.
    """
    values: list[Any] = []
    boxed: Mapping[str, Any] = {}
    for widget in face.widgets:
        value = widget.value
        if widget.kind == "BOUNDING_BOX" and isinstance(value, dict):
            boxed = value
        elif widget.kind == "BOX_FIELD":
            value = boxed.get(widget.name, value)
        if widget.saved:
            values.append(value)
    while values and values[-1] is ABSENT:
        values.pop()
    # Every number of the editor is a double; NaN would make the whole file unreadable.
    values = [None if value is ABSENT else as_double(value) for value in values]
    migration = face.plan.migration if face.plan is not None else None
    if migration is not None and len(migration) == len(values):
        # A list of this length is taken for one of before frontend 1.16, see `plan.py`.
        values.append(None)
    return values


def _shows_picture(face: Face, catalog: NodeCatalog) -> bool:
    if face.plan is None:
        return False
    definition = catalog[face.node.class_type]
    if any(str(spec.files or "").startswith("input:image") for spec in definition.inputs.values()):
        return True
    return definition.output_node and any(slot.type == "IMAGE" for slot in face.inputs)


def _losses(faces: Mapping[str, Face]) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for node_id, face in faces.items():
        out += [(node_id, text) for text in face.lost]
        if face.node.extra:
            names = ", ".join(f"`{shorten(name)}`" for name in list(face.node.extra)[:4])
            out.append((node_id, f"the editor does not keep {names}"))
    return out
