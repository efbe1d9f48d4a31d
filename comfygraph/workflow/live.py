"""
The graph as the editor holds it after loading. `layout.py` fills in slots and values.
"""

from __future__ import annotations

from typing import Any

from comfygraph.core.pointer import escape_pointer
from comfygraph.workflow.model import (
    FileGraph,
    FileLink,
    FileNode,
    as_dict,
    as_list,
)
from comfygraph.workflow.plan import ClassPlan, Widget, type_text


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


def _slots(listed: Any) -> list[tuple[str, str]]:
    slots = [as_dict(item) for item in as_list(listed)]
    return [(str(slot.get("name", "")), type_text(slot.get("type"))) for slot in slots]
