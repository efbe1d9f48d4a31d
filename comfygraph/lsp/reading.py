"""
One text of an editor, read: the document, and what the cursor stands on in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple

from comfygraph.core.pointer import escape_pointer, parse_pointer
from comfygraph.documents import Document, JsonSyntaxError, parse_json, recognise
from comfygraph.documents.positions import Span, find_spans
from comfygraph.lsp.cursor import Cursor, cursor_at

Part = Literal["node", "class", "input", "value"]


class Spot(NamedTuple):
    """
    What of a graph the cursor is on.

    Args:
        part: The node as a whole, its class, the name of an input, or an input's value.
        pointer: JSON pointer of the node.
        class_type: The node's class; empty where it has none.
        inputs: The node's inputs by name; of a workflow's node none are known by name.
        input: The name of the input, or `None`.
        value: The input's value.
        source: JSON pointer of the node that the input's link comes from, or `None`.
        slot: The slot of that link.
        span: Where the part stands.
    """

    part: Part
    pointer: str
    class_type: str
    inputs: Mapping[str, Any]
    span: Span
    input: str | None = None
    value: Any = None
    source: str | None = None
    slot: int | None = None


class Reading:
    """
    A text and what can be known from it; each part is worked out when first asked for.

    Args:
        text: The text.
        name: What messages call it.
    """

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    @cached_property
    def document(self) -> Document | None:
        """The document; `None` where the text is not JSON just now."""
        try:
            return recognise(parse_json(self.text), text=self.text, path=self.name)
        except JsonSyntaxError:
            return None

    def spans(self, *pointers: str) -> dict[str, Span]:
        """
        Find where values stand; those that are not there are missing.
        """
        return {} if self.document is None else find_spans(self.text, pointers)

    def node_pointers(self) -> list[str]:
        """
        Give the pointers of all nodes, in the order of the text; those in subgraphs come last.
        """
        document = self.document
        if document is None:
            return []
        if document.kind == "workflow":
            return [
                f"{scope}/nodes/{index}"
                for scope, graph in _scopes(document.value)
                for index, node in enumerate(_list(graph.get("nodes")))
                if isinstance(node, dict)
            ]
        nodes = document.prompt if isinstance(document.prompt, dict) else {}
        return [
            f"{document.base}/{escape_pointer(key)}"
            for key, node in nodes.items()
            if isinstance(node, dict)
        ]

    def node(self, pointer: str) -> dict[str, Any]:
        """
        Give the node at a pointer, as the text has it; empty where there is none.
        """
        value: Any = None if self.document is None else self.document.value
        for token in parse_pointer(pointer):
            value = _member(value, token)
        return value if isinstance(value, dict) else {}

    def label(self, pointer: str) -> str:
        """
        Give a node's title and number, as people speak of it.
        """
        node = self.node(pointer)
        if self.document is not None and self.document.kind == "workflow":
            title, number = node.get("title"), node.get("id")
        else:
            meta = node.get("_meta")
            title = meta.get("title") if isinstance(meta, dict) else None
            number = parse_pointer(pointer)[-1]
        title = title or self.class_of(node)
        return " ".join(f"{title} ({number})".split())

    def class_of(self, node: Mapping[str, Any]) -> str:
        """
        Give a node's class, however the document spells it.
        """
        document = self.document
        if document is None:
            return ""
        name = node.get("type" if document.kind == "workflow" else document.class_key)
        return name if isinstance(name, str) else ""

    def spot(self, offset: int) -> Spot | None:
        """
        Tell what of a graph stands at an offset; `None` outside of all nodes.
        """
        document = self.document
        if document is None or document.kind == "unknown":
            return None
        cursor = cursor_at(self.text, offset)
        if document.kind == "workflow":
            return self._in_workflow(cursor)
        base = parse_pointer(document.base)
        if len(cursor.path) <= len(base) or list(cursor.path[: len(base)]) != base:
            return None
        return self._in_prompt(cursor, len(base))

    def _in_prompt(self, cursor: Cursor, base: int) -> Spot | None:
        document = self.document
        assert document is not None
        pointer = _pointer(cursor.path[: base + 1])
        node = self.node(pointer)
        inputs = node.get("inputs")
        inputs = inputs if isinstance(inputs, dict) else {}
        whole = Spot("node", pointer, self.class_of(node), inputs, cursor.span)
        rest = cursor.path[base + 1 :]
        if rest == (document.class_key,):
            return whole._replace(part="class")
        if len(rest) < 2 or rest[0] != "inputs":
            return whole
        name = rest[1]
        value = inputs.get(name)
        spot = whole._replace(part="value", input=name, value=value)
        if len(rest) == 2 and cursor.on_key:
            spot = spot._replace(part="input")
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
            source = f"{document.base}/{escape_pointer(str(value[0]))}"
            if self.node(source):
                slot = value[1] if isinstance(value[1], int) else None
                return spot._replace(source=source, slot=slot)
        return spot

    def _in_workflow(self, cursor: Cursor) -> Spot | None:
        at = next(
            (index for index in range(len(cursor.path) - 2, -1, -1) if _names_node(cursor, index)),
            None,
        )
        if at is None:
            return None
        pointer = _pointer(cursor.path[: at + 2])
        node = self.node(pointer)
        spot = Spot("node", pointer, self.class_of(node), {}, cursor.span)
        rest = cursor.path[at + 2 :]
        if rest == ("type",):
            return spot._replace(part="class")
        if len(rest) < 2 or rest[0] != "inputs":
            return spot
        item = _member(node.get("inputs"), rest[1])
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            return spot
        spot = spot._replace(part="value", input=item["name"])
        scope = cursor.path[:at]
        origin = _origin(self.node(_pointer(scope)), item.get("link"))
        if origin is None:
            return spot
        number, slot = origin
        nodes = _list(self.node(_pointer(scope)).get("nodes"))
        for index, other in enumerate(nodes):
            if isinstance(other, dict) and other.get("id") == number:
                source = f"{_pointer(scope)}/nodes/{index}"
                return spot._replace(source=source, slot=slot if isinstance(slot, int) else None)
        return spot


def _names_node(cursor: Cursor, at: int) -> bool:
    """Tell whether the path goes through a list of nodes at an index."""
    if cursor.path[at] != "nodes" or not cursor.path[at + 1].isdigit():
        return False
    return at == 0 or cursor.path[at - 2 : at - 1] == ("subgraphs",)


def _scopes(workflow: Any) -> list[tuple[str, dict[str, Any]]]:
    """The graphs of a workflow: itself, and the definitions of its subgraphs."""
    found = [("", workflow)] if isinstance(workflow, dict) else []
    definitions = _member(_member(workflow, "definitions"), "subgraphs")
    found += [
        (f"/definitions/subgraphs/{index}", graph)
        for index, graph in enumerate(_list(definitions))
        if isinstance(graph, dict)
    ]
    return found


def _origin(graph: Mapping[str, Any], link: Any) -> tuple[Any, Any] | None:
    """Where a link of the editor comes from: node id and slot; lists in 0.4, objects in 1.0."""
    if link is None:
        return None
    for item in _list(graph.get("links")):
        if isinstance(item, list) and len(item) > 2 and item[0] == link:
            return item[1], item[2]
        if isinstance(item, dict) and item.get("id") == link:
            return item.get("origin_id"), item.get("origin_slot")
    return None


def _member(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return value.get(token)
    if isinstance(value, list) and token.isdigit() and len(token) < 10 and int(token) < len(value):
        return value[int(token)]
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _pointer(path: tuple[str, ...]) -> str:
    return "".join(f"/{escape_pointer(token)}" for token in path)
