"""
The parts of a prompt: `Link` and `Node`.

They model members of the body of ComfyUI's `POST /prompt` (the key `prompt`): node id →
`{"inputs": {...}, "class_type": "...", "_meta": {"title": "..."}}`, where a link is the JSON
list `[node_id, slot]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias, cast

JsonValue: TypeAlias = Any
"""A value as `json.loads` gives it."""

NO_EXTRA: Mapping[str, JsonValue] = MappingProxyType({})
"""The `extra` of a node that has no other keys."""


def _no_extra() -> Mapping[str, JsonValue]:
    return NO_EXTRA


EDITOR_LAYOUT = ("inputs", "class_type", "_meta")
"""The keys of a node in the order in which the editor writes them."""


@dataclass(frozen=True, slots=True)
class Link:
    """
    A reference to output `slot` of node `node_id`; JSON `[node_id, slot]`.

    `slot` counts from 0. The server accepts negative slots, counted from the end.
    """

    node_id: str
    slot: int

    def to_json(self) -> list[JsonValue]:
        """
        Give the JSON form `[node_id, slot]`.
        """
        return [self.node_id, self.slot]


InputValue: TypeAlias = JsonValue | Link
"""What an input holds: a `Link`, or a constant as JSON."""


@dataclass(frozen=True, slots=True)
class Node:
    """
    One node of a prompt.

    Args:
        id: The node's key in the prompt, `"3"` or `"12:34"`.
        class_type: The name under which the server registers the node class.
        inputs: Input name → `Link` or constant, in the order of the document.
        meta: The object under `_meta`, or `None` where there is none.
        extra: Other keys of the node, which servers ignore and we keep.
        layout: The order of the node's keys in the document; not part of equality.
        where: The file and line of the Python call that wrote the node, or `None`; not part
            of equality, and of no document.
    """

    id: str
    class_type: str
    inputs: Mapping[str, InputValue]
    meta: Mapping[str, JsonValue] | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=_no_extra, repr=False)
    layout: tuple[str, ...] = field(default=EDITOR_LAYOUT, compare=False, repr=False)
    where: tuple[str, int] | None = field(default=None, compare=False, repr=False)

    @property
    def group(self) -> str | None:
        """
        The group that the node belongs to (`_meta.comfygraph.group`): `outer/inner`, or `None`.
        """
        ours = self.meta.get("comfygraph") if self.meta is not None else None
        name = ours.get("group") if isinstance(ours, dict) else None
        return name if isinstance(name, str) and name else None

    @property
    def title(self) -> str:
        """
        The title that a person gave the node (`_meta.title`), else its class.
        """
        title = self.meta.get("title") if self.meta is not None else None
        return title if isinstance(title, str) and title else self.class_type

    def links(self) -> Iterator[tuple[str, Link]]:
        """
        Yield `(input name, link)` for every linked input, in order.
        """
        for name, value in self.inputs.items():
            if isinstance(value, Link):
                yield name, value

    def to_json(self) -> dict[str, JsonValue]:
        """
        Give the node as it stands in a prompt, keys in the order they were read.
        """
        out: dict[str, JsonValue] = {}
        if self.layout is EDITOR_LAYOUT and self.extra is NO_EXTRA:
            out["inputs"] = self._inputs_json()
            out["class_type"] = self.class_type
            if self.meta is not None:
                out["_meta"] = dict(self.meta)
            return out
        for key in self.layout:
            if key == "inputs":
                out[key] = self._inputs_json()
            elif key == "class_type":
                out[key] = self.class_type
            elif key == "_meta":
                if self.meta is not None:
                    out[key] = dict(self.meta)
                elif key in self.extra:
                    out[key] = self.extra[key]
            elif key in self.extra:
                out[key] = self.extra[key]
        if "inputs" not in out and self.inputs:
            out["inputs"] = self._inputs_json()
        if "class_type" not in out:
            out["class_type"] = self.class_type
        if "_meta" not in out and self.meta is not None:
            out["_meta"] = dict(self.meta)
        return out

    def _inputs_json(self) -> dict[str, JsonValue]:
        return {
            name: [value.node_id, value.slot] if type(value) is Link else value
            for name, value in self.inputs.items()
        }


class _Draft:
    """
    A node on its way. Filled in like this it costs a quarter of `Node(...)`, which has to go
    around its own lock for each attribute; prompts have thousands.
    """

    __slots__ = ("class_type", "extra", "id", "inputs", "layout", "meta", "where")


def make_node(
    node_id: str,
    class_type: str,
    inputs: dict[str, InputValue],
    meta: Mapping[str, JsonValue] | None,
    where: tuple[str, int] | None = None,
    extra: Mapping[str, JsonValue] = NO_EXTRA,
    layout: tuple[str, ...] = EDITOR_LAYOUT,
) -> Node:
    """
    Give `Node(...)`, fast.

    Args:
        node_id, class_type, inputs, meta, where, extra, layout: As for `Node`.
    """
    draft: Any = _Draft()
    draft.id = node_id
    draft.class_type = class_type
    draft.inputs = inputs
    draft.meta = meta
    draft.extra = extra
    draft.layout = layout
    draft.where = where
    draft.__class__ = Node
    return cast("Node", draft)


class _LinkDraft:
    __slots__ = ("node_id", "slot")


def make_link(node_id: str, slot: int) -> Link:
    """
    Give `Link(node_id, slot)`, fast.
    """
    draft: Any = _LinkDraft()
    draft.node_id = node_id
    draft.slot = slot
    draft.__class__ = Link
    return cast("Link", draft)


def as_link(value: JsonValue) -> Link | None:
    """
    Read `[node_id, slot]` as a `Link`; `None` for any other value.

    Only a list of a string and an integer is a link here. The server takes every
    list for a link; lists that are none stay in the prompt as they are, so that
    lint can say what is wrong with them.
    """
    if (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and type(value[1]) is int
    ):
        return make_link(value[0], value[1])
    return None
