"""
The face of a node: the slots and widgets that the editor shows for a node of a prompt.

The way from the prompt to the editor: values by name become values by position, links by
name become slots. What the editor has no place for is noted.
Facts: `litegraphService.ts` and `scripts/widgets.ts` of ComfyUI's frontend, as in `plan.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from comfygraph.catalog import NodeCatalog
from comfygraph.catalog.dynamic import autogrow_names
from comfygraph.core.nearest import shorten
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.workflow.dynamic_prompts import HasChoices, TooDeep, picker, resolve_text
from comfygraph.workflow.numbers import as_double
from comfygraph.workflow.plan import ABSENT, CURVE, ClassPlan, Socket, Widget, plan_of
from comfygraph.workflow.values import MAX_WIDGETS

MAX_OUTPUTS = 1_000
"""No node has more outputs; a link to a later one leads nowhere."""

MAX_GROWN = 100_000
"""Nor do all nodes together have so many outputs that their classes do not name."""

ANY = "*"
MATCHED = "COMFY_MATCHTYPE_V3"

_TEMPLATE_ESCAPE = re.compile(r"\{|/(?=[/*])")
_TYPE_OF_VALUE: Mapping[type, str] = {bool: "BOOLEAN", int: "INT", float: "FLOAT", str: "STRING"}


class FaceInput(NamedTuple):
    """
    An input slot.

    Args:
        name: The key in the prompt.
        type: Socket type.
        link: The output that feeds it, or `None`.
        widget: The slot belongs to the widget of the same name.
    """

    name: str
    type: str
    link: Link | None
    widget: bool


class FaceOutput(NamedTuple):
    """
    An output slot; `type` is what really comes out where inputs decide that.
    """

    name: str
    type: str


class FaceWidget(NamedTuple):
    """
    A widget.

    Args:
        name: The input's name.
        kind: `"INT"`, `"COMBO"`, `"CONTROL"`, `"BUTTON"`, ...
        value: What it shows; the class's default where the prompt has no value, or `ABSENT`.
        given: The prompt has a value.
        linked: A link feeds the input, so that the value does not count.
        saved: The file holds the value.
        multiline: It is a box of several lines.
    """

    name: str
    kind: str
    value: Any
    given: bool
    linked: bool
    saved: bool
    multiline: bool


class Face:
    """
    What the editor shows of a node.

    Attributes:
        node: The node of the prompt.
        plan: What the catalog says about the class, `None` if it has no such class.
        title: The person's title, else the class's.
        inputs: The slots: plain ones, then those of widgets.
        outputs: The outputs.
        widgets: The widgets in the editor's order.
        lost: What has no place in the editor, one line each.
    """

    __slots__ = ("inputs", "lost", "node", "outputs", "plan", "title", "widgets")

    def __init__(self, node: Node, plan: ClassPlan | None) -> None:
        self.node = node
        self.plan = plan
        title = node.title if node.title != node.class_type else None
        self.title = title or (plan.title if plan is not None else node.class_type)
        self.inputs: list[FaceInput] = []
        self.outputs: list[FaceOutput] = []
        self.widgets: list[FaceWidget] = []
        self.lost: list[str] = []


def faces_of(prompt: Prompt, catalog: NodeCatalog) -> dict[str, Face]:
    """
    Give the faces of all nodes, in the order of the prompt.

    Links to nodes that the prompt does not have are left out and noted; negative slots are
    counted from the end, as the server does.
    """
    faces = {node.id: _face(node, catalog) for node in prompt.nodes()}
    for face in faces.values():
        face.inputs = [_checked(face, slot, faces) for slot in face.inputs]
    _grow_outputs(faces)
    _settle_types(faces, catalog)
    return faces


def _face(node: Node, catalog: NodeCatalog) -> Face:
    plan = plan_of(catalog, node.class_type)
    face = Face(node, plan)
    if plan is None:
        _read_unknown(face)
        return face
    definition = catalog[node.class_type]
    names = [spec.name for spec in definition.outputs]
    face.outputs = [
        FaceOutput(names[slot] if slot < len(names) else kind, kind)
        for slot, kind in enumerate(plan.output_types)
    ]
    sockets = _read_widgets(face, plan)
    known: set[str] = {widget.name for widget in face.widgets}
    for socket in _expanded(sockets, face, definition.inputs):
        value = node.inputs.get(socket.name)
        link = value if isinstance(value, Link) else None
        known.add(socket.name)
        face.inputs.append(FaceInput(socket.name, socket.type, link, socket.widget))
        if link is None and not socket.widget and socket.name in node.inputs:
            face.lost.append(f"`{shorten(socket.name)}` has no widget in the editor for its value")
    for name, value in node.inputs.items():
        if name in known:
            continue
        if isinstance(value, Link):
            face.inputs.append(FaceInput(name, ANY, value, False))
        else:
            face.lost.append(f"`{shorten(name)}` is no input of {shorten(node.class_type)}")
    # The editor lists the slots of widgets after the plain ones.
    face.inputs.sort(key=lambda slot: slot.widget)
    return face


def _read_unknown(face: Face) -> None:
    node = face.node
    for name, value in node.inputs.items():
        if isinstance(value, Link):
            face.inputs.append(FaceInput(name, ANY, value, False))
        else:
            shown = unwrapped(value)
            kind = _TYPE_OF_VALUE.get(type(shown), ANY)
            many = isinstance(shown, str) and "\n" in shown
            face.widgets.append(FaceWidget(name, kind, shown, True, False, True, many))
    if face.widgets:
        face.lost.append(
            f"the class {shorten(node.class_type)} is not known: its values stand in the order of "
            "the prompt, without names"
        )


def _read_widgets(face: Face, plan: ClassPlan) -> list[tuple[Socket, str | None]]:
    """
    Fill in the widgets; give the sockets, each with the dynamic combo it belongs to.
    """
    values = face.node.inputs
    sections: dict[str, list[Socket]] = {}
    pending = plan.section.widgets[::-1]
    while pending and len(face.widgets) < MAX_WIDGETS:
        widget = pending.pop()
        shown = _widget(widget, values, face)
        face.widgets.append(shown)
        section = plan.option(widget, shown.value) if widget.dynamic else None
        if section is not None:
            sections[widget.name] = section.sockets
            pending.extend(section.widgets[::-1])
    if plan.counted:
        face.widgets.extend(_counted(plan.counted, values))
    sockets: list[tuple[Socket, str | None]] = []
    waiting: list[tuple[Socket, str | None]] = [(s, None) for s in plan.section.sockets[::-1]]
    while waiting:
        socket, owner = waiting.pop()
        sockets.append((socket, owner))
        if socket.widget:
            inner = sections.get(socket.name, [])
            waiting.extend((member, socket.name) for member in inner[::-1])
    return sockets


def _widget(widget: Widget, values: Mapping[str, Any], face: Face) -> FaceWidget:
    name = widget.name
    value = values.get(name, ABSENT)
    linked = isinstance(value, Link)
    given = value is not ABSENT and not linked and widget.emitted
    shown = unwrapped(value) if given else widget.default
    if given and widget.dynamic_text and isinstance(shown, str):
        shown = as_template(shown)
        if shown is None:
            face.lost.append(
                f"the text of `{shorten(name)}` has braces that the editor cannot keep"
            )
            shown = value
    elif given and type(shown) in (int, float) and as_double(shown) != shown:
        face.lost.append(f"`{shorten(name)}` is a number that the editor cannot hold")
    elif isinstance(value, list) and given:
        face.lost.append(f"`{shorten(name)}` is a bare list, which the editor wraps in `__value__`")
    elif given and shown is None and widget.choices:
        face.lost.append(f"`{shorten(name)}` is null, for which the editor takes its first choice")
    multiline = bool(widget.opts.get("multiline")) or widget.kind in ("TEXTAREA", "MARKDOWN")
    return FaceWidget(name, widget.kind, shown, given, linked, widget.saved, multiline)


def _counted(prefix: str, values: Mapping[str, Any]) -> Iterator[FaceWidget]:
    for number in range(1, MAX_WIDGETS):
        value = values.get(f"{prefix}{number}", ABSENT)
        if value is ABSENT or isinstance(value, Link):
            return
        yield FaceWidget(f"{prefix}{number}", "STRING", value, True, False, True, False)


def _expanded(
    sockets: list[tuple[Socket, str | None]], face: Face, declared: Mapping[str, Any]
) -> Iterator[Socket]:
    """
    Put the members of an autogrow group in its place: those in use, and a free one.
    """
    values = face.node.inputs
    for socket, _ in sockets:
        if not socket.grows:
            yield socket
            continue
        start = f"{socket.name}."
        used = [name for name in values if name.startswith(start)]
        spec = declared.get(socket.name)
        names = autogrow_names(spec) if spec is not None else []
        taken = set(used)
        if names:
            last = max((index for index, name in enumerate(names) if name in taken), default=-1)
            members = names[: last + 2]
            live = set(members)
            used = members + [name for name in used if name not in live]
        for name in used:
            yield Socket(name, socket.type)


def _checked(face: Face, slot: FaceInput, faces: Mapping[str, Face]) -> FaceInput:
    link = slot.link
    if link is None:
        return slot
    origin = faces.get(link.node_id)
    if origin is None:
        face.lost.append(
            f"`{shorten(slot.name)}` is linked to node {shorten(link.node_id)}, which is not there"
        )
        return slot._replace(link=None)
    at = link.slot
    if at < 0:
        at += len(origin.outputs)
    if not 0 <= at < MAX_OUTPUTS:
        face.lost.append(
            f"`{shorten(slot.name)}` is linked to output {link.slot} of node "
            f"{shorten(link.node_id)}"
        )
        return slot._replace(link=None)
    if at != link.slot:
        face.lost.append(f"`{shorten(slot.name)}`: output {link.slot} is written as {at}")
        return slot._replace(link=Link(link.node_id, at))
    return slot


def _grow_outputs(faces: Mapping[str, Face]) -> None:
    """
    Give the nodes the outputs that links ask for, typed by what they feed.
    """
    left = MAX_GROWN
    for face in faces.values():
        for index, slot in enumerate(face.inputs):
            link = slot.link
            if link is None:
                continue
            outputs = faces[link.node_id].outputs
            missing = link.slot + 1 - len(outputs)
            if missing > left:
                face.lost.append(f"`{shorten(slot.name)}` is linked to output {link.slot} of many")
                face.inputs[index] = slot._replace(link=None)
                continue
            if missing > 0:
                left -= missing
                outputs.extend([FaceOutput(ANY, ANY)] * missing)
            if outputs[link.slot].type == ANY and "," not in slot.type:
                name = outputs[link.slot].name
                outputs[link.slot] = FaceOutput(slot.type if name == ANY else name, slot.type)


def _settle_types(faces: Mapping[str, Face], catalog: NodeCatalog) -> None:
    """
    Give outputs that match an input the type that comes in there, through whole chains.
    """
    asked: dict[str, str | None] = {}
    for start, face in faces.items():
        if not any(output.type == MATCHED for output in face.outputs):
            continue
        path: dict[str, None] = {}
        at = start
        found: str | None = None
        while at not in asked and at not in path:
            path[at] = None
            link = _matching(faces[at], catalog)
            if link is None:
                break
            kind = faces[link.node_id].outputs[link.slot].type
            if kind != MATCHED:
                found = kind
                break
            at = link.node_id
            found = asked.get(at)
        asked.update(dict.fromkeys(path, found))
    for node_id, settled in asked.items():
        face = faces[node_id]
        face.outputs = [
            FaceOutput(output.name, settled or ANY) if output.type == MATCHED else output
            for output in face.outputs
        ]


def _matching(face: Face, catalog: NodeCatalog) -> Link | None:
    """
    Give the first link of a node that comes in at an input with a template of types.
    """
    if face.plan is None:
        return None
    inputs = catalog[face.node.class_type].inputs
    links = {slot.name: slot.link for slot in face.inputs if slot.link is not None}
    for name, link in links.items():
        spec = inputs.get(name) or inputs.get(name.partition(".")[0])
        if spec is not None and (spec.type == MATCHED or "template" in spec.opts):
            return link
    return None


def unwrapped(value: Any) -> Any:
    """
    Give a constant as a widget holds it: lists without the wrapping that prompts need.
    """
    if not isinstance(value, dict) or not isinstance(value.get("__value__"), list):
        return value
    plain = len(value) == 1 or (len(value) == 2 and value.get("__type__") == CURVE)
    return value["__value__"] if plain else value


def as_template(text: str) -> str | None:
    """
    Give the text of which the editor makes `text` when it queues, or `None` if there is none.

    The editor takes one of `{a|b}` and leaves out comments: braces get a backslash, and the
    slash that starts what looks like a comment goes into braces of its own.
    """
    if "{" not in text and "/" not in text and "\\" not in text:
        return text
    escaped = _TEMPLATE_ESCAPE.sub(lambda m: "\\{" if m[0] == "{" else "{/}", text)
    for candidate in (text, escaped):
        try:
            if resolve_text(candidate, picker("keep", None, "")) == text:
                return candidate
        except (HasChoices, TooDeep):
            continue
    return None
