"""
Which link takes a node's place when the node goes: the editor's bypass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from comfygraph.core.values import Link, Node, Prompt


class Socket(Protocol):
    """An input or output of a class; its `type` is a socket type, `MODEL` or `INT,FLOAT`."""

    @property
    def type(self) -> str:
        """The socket type."""
        ...


class ClassFacts(Protocol):
    """What an edit wants to know of a node class; a catalog's `NodeDef` fits."""

    @property
    def outputs(self) -> tuple[Socket, ...]:
        """The output slots in order."""
        ...

    def expand(self, inputs: Mapping[str, Any]) -> Mapping[str, Socket]:
        """Give the inputs that a node with these `inputs` has."""
        ...


Classes = Mapping[str, ClassFacts] | Callable[[str], ClassFacts | None]
"""A catalog, or a function that gives the facts of a class, or `None`."""


def bypass(prompt: Prompt, node: Node, slot: int, classes: Classes | None) -> Link | None:
    """
    Give the first link among the node's inputs that carries the type of output `slot`.

    Returns:
        That link, or `None`: the classes are unknown, or no link fits.
    """
    facts = _facts(classes, node.class_type)
    if facts is None or not -len(facts.outputs) <= slot < len(facts.outputs):
        return None
    wanted = facts.outputs[slot].type
    declared = facts.expand(node.to_json().get("inputs", {}))
    # In the order of the class, not of the document: the editor bypasses by its sockets.
    names = [*declared, *(name for name in node.inputs if name not in declared)]
    linked: list[tuple[str, Link]] = []
    for name in names:
        value = node.inputs.get(name)
        if isinstance(value, Link) and value.node_id != node.id:
            linked.append((name, value))
    for name, link in linked:
        if name in declared and declared[name].type == wanted:
            return link
    for _, link in linked:
        if _type_of(prompt, link, classes) == wanted:
            return link
    return None


def _type_of(prompt: Prompt, link: Link, classes: Classes | None) -> str | None:
    source = prompt.get(link.node_id)
    facts = _facts(classes, source.class_type) if source is not None else None
    if facts is None or not 0 <= link.slot < len(facts.outputs):
        return None
    return facts.outputs[link.slot].type


def _facts(classes: Classes | None, class_type: str) -> ClassFacts | None:
    if classes is None:
        return None
    return classes.get(class_type) if isinstance(classes, Mapping) else classes(class_type)
