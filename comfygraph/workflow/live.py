"""
The graph as the editor holds it after loading: slots laid out by the class, values read.

The file's list of inputs is not the class's list: unconnected ones are left out, old ones
are still there. Inputs are matched by name, outputs by position.
Facts: `litegraphService.ts` (`configure`), `SubgraphNode.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

from typing import Any

from comfygraph.catalog import NodeCatalog
from comfygraph.core.pointer import escape_pointer
from comfygraph.workflow.class_quirks import LEGACY_NAMES
from comfygraph.workflow.model import (
    FileGraph,
    FileLink,
    FileNode,
    as_dict,
    as_list,
    link_key,
)
from comfygraph.workflow.plan import ClassPlan, Socket, Widget, plan_of, type_text
from comfygraph.workflow.values import Loaded, load_values, placeholder_values
from comfygraph.workflow.virtual import is_virtual


class LiveInput:
    """
    An input slot of a node.

    Attributes:
        name: Its name, the key in the prompt.
        type: Socket type.
        link: Id of the link that feeds it, or `None`.
        widget: Name of the widget that it belongs to, or `None`.
        index: Its position among the stored inputs, -1 if the file does not store it.
    """

    __slots__ = ("index", "link", "name", "type", "widget")

    def __init__(
        self, name: str, type: str, link: int | str | None, widget: str | None, index: int
    ) -> None:
        self.name = name
        self.type = type
        self.link = link
        self.widget = widget
        self.index = index


class LiveNode:
    """
    A node as the editor holds it.

    Attributes:
        file: The node in the file.
        graph: The graph that it stands in.
        id: Its id in the file.
        emit_id: Its part of the id in the prompt; differs from `id` where ids collide.
        type: Its class, after renaming.
        mode: 2 muted, 4 bypassed.
        plan: What the catalog says about the class, `None` if it has no such class.
        body: The subgraph that it is an instance of, or `None`.
        virtual: It lives in the editor only, and no prompt holds it.
        inputs: Its input slots, in the editor's order.
        output_types: Socket types of its outputs.
        widgets: Its widgets in order.
        values: Widget name → value.
        stored: Widget name → position (or key) in `widgets_values`, or a whole pointer.
        consumed: How many of the stored values have a widget.
    """

    __slots__ = (
        "body",
        "consumed",
        "emit_id",
        "file",
        "graph",
        "id",
        "inputs",
        "mode",
        "output_types",
        "plan",
        "stored",
        "type",
        "values",
        "virtual",
        "widgets",
    )

    def __init__(self, file: FileNode, graph: LiveGraph) -> None:
        self.file = file
        self.graph = graph
        self.id = file.id
        self.emit_id = file.id
        self.type = file.type
        self.mode = file.mode
        self.plan: ClassPlan | None = None
        self.body: LiveGraph | None = None
        self.virtual = False
        self.inputs: list[LiveInput] = []
        self.output_types: list[str] = []
        self.widgets: list[Widget] = []
        self.values: dict[str, Any] = {}
        self.stored: dict[str, int | str] = {}
        self.consumed = 0

    @property
    def pointer(self) -> str:
        """Where the node stands in the file."""
        return f"{self.graph.file.pointer}/nodes/{self.file.index}"

    def widget_pointer(self, widget: str) -> str:
        """
        Where the value of a widget stands in the file; the node, if the file has no value.
        """
        at = self.stored.get(widget)
        if at is None:
            return self.pointer
        if isinstance(at, int):
            return f"{self.pointer}/widgets_values/{at}"
        return at if at.startswith("/") else f"{self.pointer}/widgets_values/{escape_pointer(at)}"

    @property
    def title(self) -> str | None:
        """The title in the prompt: a person's, else the class's; `None` for unknown classes."""
        title = self.file.raw.get("title")
        if isinstance(title, str) and title:
            return title
        if self.body is not None:
            name = self.body.file.raw.get("name")
            return name if isinstance(name, str) else None
        return self.plan.title if self.plan is not None else None


class LiveGraph:
    """
    A graph as the editor holds it: the root, or the body of a subgraph.

    Attributes:
        file: The graph in the file.
        nodes: In the order of the file.
        by_id: The same by id.
        links: Link id → link.
        input_slots, output_slots: The definition's inputs and outputs; empty for the root.
        setters: Variable name → Set node, made when first asked for.
    """

    __slots__ = ("by_id", "file", "input_slots", "links", "nodes", "output_slots", "setters")

    def __init__(self, file: FileGraph, *, is_root: bool) -> None:
        self.file = file
        self.links: dict[int | str, FileLink] = file.links
        self.nodes = [LiveNode(node, self) for node in file.nodes]
        self.by_id = {node.id: node for node in self.nodes}
        self.setters: dict[str, LiveNode] | None = None
        self.input_slots = [] if is_root else _slots(file.raw.get("inputs"))
        self.output_slots = [] if is_root else _slots(file.raw.get("outputs"))


def lay_out(graph: LiveGraph, bodies: dict[str, LiveGraph], catalog: NodeCatalog) -> None:
    """
    Give every node of a graph its slots and values.
    """
    for node in graph.nodes:
        kind = node.type
        body = bodies.get(kind)
        if body is not None:
            node.body = body
            node.virtual = True
            _lay_out_instance(node, body)
            continue
        plan = plan_of(catalog, kind)
        if plan is None and kind in LEGACY_NAMES:
            kind = LEGACY_NAMES[kind]
            plan = plan_of(catalog, kind)
        if plan is None:
            node.virtual = is_virtual(node.type)
            _lay_out_stored(node)
            continue
        node.type = kind
        node.plan = plan
        _lay_out_class(node, plan)


def _lay_out_class(node: LiveNode, plan: ClassPlan) -> None:
    raw = node.file.raw
    loaded = load_values(plan, raw.get("widgets_values"))
    node.widgets, node.values, node.stored, node.consumed, _ = loaded
    sockets = plan.section.sockets
    by_name: dict[str, tuple[int, dict[str, Any]]] = {}
    for index, item in enumerate(as_list(raw.get("inputs"))):
        if isinstance(item, dict):
            by_name[str(item.get("name"))] = (index, item)
    inputs: list[LiveInput] = []
    if plan.is_dynamic:
        sockets = _expand(sockets, loaded, by_name)
    for socket in sockets:
        name = socket.name
        found = by_name.pop(name, None)
        widget = name if socket.widget else None
        if found is None:
            inputs.append(LiveInput(name, socket.type, None, widget, -1))
        else:
            link = link_key(found[1].get("link"))
            inputs.append(LiveInput(name, socket.type, link, widget, found[0]))
    for name, (index, item) in by_name.items():
        widget = as_dict(item.get("widget")).get("name")
        if isinstance(widget, str) and widget not in node.values:
            # The editor removes the socket of a widget that is no more.
            continue
        inputs.append(
            LiveInput(
                name,
                type_text(item.get("type")),
                link_key(item.get("link")),
                widget if isinstance(widget, str) else None,
                index,
            )
        )
    node.inputs = inputs
    types = plan.output_types
    stored = as_list(raw.get("outputs"))
    if len(stored) > len(types):
        types = types + [type_text(as_dict(item).get("type")) for item in stored[len(types) :]]
    node.output_types = types


def _expand(
    sockets: list[Socket], loaded: Loaded, by_name: dict[str, tuple[int, dict[str, Any]]]
) -> list[Socket]:
    """
    Put the members of dynamic combos and autogrow groups in the place of their sockets.
    """
    plain: list[Socket] = []
    of_widgets: list[Socket] = []
    pending = sockets[::-1]
    while pending:
        socket = pending.pop()
        if socket.grows:
            start = f"{socket.name}."
            members = [name for name in by_name if name.startswith(start)]
            plain.extend(Socket(name, socket.type) for name in members)
            continue
        (of_widgets if socket.widget else plain).append(socket)
        section = loaded.sections.get(socket.name) if socket.widget else None
        if section is not None:
            pending.extend(section.sockets[::-1])
    return plain + of_widgets


def _lay_out_instance(node: LiveNode, body: LiveGraph) -> None:
    stored: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for index, item in enumerate(node.file.inputs):
        if isinstance(item, dict):
            stored.setdefault(str(item.get("name")), []).append((index, item))
    repeated = len({name for name, _ in body.input_slots}) < len(body.input_slots)
    for queue in stored.values():
        if repeated:
            # Inputs of the same name are taken in order; else the last one stored counts.
            queue.reverse()
    for name, kind in body.input_slots:
        queue = stored.get(name, [])
        if queue:
            index, item = queue.pop()
            node.inputs.append(LiveInput(name, kind, link_key(item.get("link")), None, index))
        else:
            node.inputs.append(LiveInput(name, kind, None, None, -1))
    node.output_types = [kind for _, kind in body.output_slots]


def _lay_out_stored(node: LiveNode) -> None:
    """
    A node of an unknown class, or one of the editor's own: what the file says is all there is.
    """
    for index, item in enumerate(node.file.inputs):
        if isinstance(item, dict):
            widget = as_dict(item.get("widget")).get("name")
            node.inputs.append(
                LiveInput(
                    str(item.get("name", "")),
                    type_text(item.get("type")),
                    link_key(item.get("link")),
                    widget if isinstance(widget, str) else None,
                    index,
                )
            )
    node.output_types = [type_text(as_dict(item).get("type")) for item in node.file.outputs]
    loaded = placeholder_values(node.file.raw.get("widgets_values"))
    node.widgets, node.values, node.stored, node.consumed, _ = loaded


def _slots(listed: Any) -> list[tuple[str, str]]:
    slots = [as_dict(item) for item in as_list(listed)]
    return [(str(slot.get("name", "")), type_text(slot.get("type"))) for slot in slots]
