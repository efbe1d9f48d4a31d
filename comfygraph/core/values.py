"""
The values in the middle of the house: `Link`, `Node` and `Prompt`.

They model the body of ComfyUI's `POST /prompt` (the key `prompt`): a JSON object
of node id → `{"inputs": {...}, "class_type": "...", "_meta": {"title": "..."}}`.
A link is the JSON list `[node_id, slot]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from comfygraph.core.kinds import kind_of
from comfygraph.core.pointer import escape_pointer
from comfygraph.errors import PromptError

if TYPE_CHECKING:
    from typing import Unpack

    from comfygraph import AsyncJob, Job, SubmitOptions
    from comfygraph.core.find import NodeRef

JsonValue: TypeAlias = Any
"""A value as `json.loads` gives it."""

_NO_EXTRA: Mapping[str, JsonValue] = MappingProxyType({})


def _no_extra() -> Mapping[str, JsonValue]:
    return _NO_EXTRA


_EDITOR_LAYOUT = ("inputs", "class_type", "_meta")


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
    layout: tuple[str, ...] = field(default=_EDITOR_LAYOUT, compare=False, repr=False)
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
        if self.layout is _EDITOR_LAYOUT and self.extra is _NO_EXTRA:
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
    extra: Mapping[str, JsonValue] = _NO_EXTRA,
    layout: tuple[str, ...] = _EDITOR_LAYOUT,
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


class Prompt(Mapping[str, Node]):
    """
    A prompt: an ordered, immutable mapping of node id → `Node`.

    Edits are functions in `comfygraph.core.edit` and `rewire` that return a new prompt.
    Two prompts are equal when they have the same nodes, in any order.
    """

    __slots__ = ("_nodes",)

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = dict(nodes)

    def __getitem__(self, node_id: str) -> Node:
        return self._nodes[node_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, node_id: object) -> bool:
        return node_id in self._nodes

    def __repr__(self) -> str:
        classes = ", ".join(f"{node.id}: {node.class_type}" for node in self.nodes()[:4])
        more = ", …" if len(self) > 4 else ""
        count = "1 node" if len(self) == 1 else f"{len(self)} nodes"
        return f"<Prompt of {count} {{{classes}{more}}}>"

    def _repr_html_(self) -> str:
        """
        Show the graph in a notebook.
        """
        return f'<div style="max-height: 40em; overflow: auto">{self._repr_svg_()}</div>'

    def _repr_svg_(self) -> str:
        """
        Draw the graph; secrets are hidden.
        """
        from comfygraph import drawing

        text = drawing(self, "svg")
        return text[text.index("<svg") :]  # within a page there is no declaration of XML

    def nodes(self) -> list[Node]:
        """
        Give the nodes in the order of the document.
        """
        return list(self._nodes.values())

    def find(
        self,
        class_type: str | None = None,
        *,
        title: str | None = None,
        upstream_of: NodeRef | None = None,
        downstream_of: NodeRef | None = None,
    ) -> Node:
        """
        Find the one node for which all conditions hold; see `comfygraph.core.find.find_all`.

        Raises:
            EditError: There is none, or more than one; the hint names candidates.
        """
        from comfygraph.core.find import find

        return find(
            self,
            class_type,
            title=title,
            upstream_of=upstream_of,
            downstream_of=downstream_of,
        )

    def find_all(
        self,
        class_type: str | None = None,
        *,
        title: str | None = None,
        upstream_of: NodeRef | None = None,
        downstream_of: NodeRef | None = None,
    ) -> list[Node]:
        """
        Find nodes by class, by title, and by what they feed or are fed by, at any distance.

        Raises:
            EditError: There is no node to be up- or downstream of.
        """
        from comfygraph.core.find import find_all

        return find_all(
            self,
            class_type,
            title=title,
            upstream_of=upstream_of,
            downstream_of=downstream_of,
        )

    def follow(self, start: NodeRef, *inputs: str) -> Node:
        """
        Follow links upstream by the names of inputs: `prompt.follow("3", "positive", "clip")`.

        Raises:
            EditError: There is no such node or input, or the input is not linked.
        """
        from comfygraph.core.find import follow

        return follow(self, start, *inputs)

    def submit(self, **options: Unpack[SubmitOptions]) -> Job:
        """
        Hand the graph to a service and give the job; see `comfygraph.submit`.
        """
        # Through the front door: this room stands below those of services and jobs.
        from comfygraph import submit

        return submit(self, **options)

    def run(self, **options: Unpack[SubmitOptions]) -> Job:
        """
        Do as `submit` does: `for event in prompt.run(): ...` follows the job to its end.
        """
        return self.submit(**options)

    async def asubmit(self, **options: Unpack[SubmitOptions]) -> AsyncJob:
        """
        Hand the graph to a service and give the job, for asyncio; see `comfygraph.asubmit`.
        """
        from comfygraph import asubmit

        return await asubmit(self, **options).start()

    @classmethod
    def from_json(cls, document: JsonValue) -> Prompt:
        """
        Read what `POST /prompt` takes under the key `prompt`.

        Args:
            document: An object of node id → node, as `json.loads` gives it.

        Raises:
            PromptError: The document is not shaped like a prompt; `pointer` says where.
        """
        if not isinstance(document, dict):
            raise PromptError(f"a prompt is a JSON object of nodes, not {kind_of(document)}")
        return cls({node_id: _read_node(node_id, raw) for node_id, raw in document.items()})

    def to_json(self) -> dict[str, JsonValue]:
        """
        Give the prompt back as JSON values: ids, inputs and keys in the order they were read.
        """
        return {node_id: node.to_json() for node_id, node in self._nodes.items()}


def _read_node(node_id: str, raw: JsonValue) -> Node:
    where = f"/{escape_pointer(node_id)}"
    if not isinstance(raw, dict):
        raise PromptError(f"node `{node_id}` is {kind_of(raw)}, not an object", pointer=where)
    class_type = raw.get("class_type")
    if not isinstance(class_type, str):
        raise PromptError(f"node `{node_id}` has no `class_type`", pointer=where)
    inputs = raw.get("inputs", {})
    if not isinstance(inputs, dict):
        raise PromptError(
            f"`inputs` of node `{node_id}` is {kind_of(inputs)}, not an object",
            pointer=f"{where}/inputs",
        )
    meta = raw.get("_meta")
    if meta is not None and not isinstance(meta, dict):
        raise PromptError(
            f"`_meta` of node `{node_id}` is {kind_of(meta)}, not an object",
            pointer=f"{where}/_meta",
        )
    extra = {key: raw[key] for key in raw if key not in _EDITOR_LAYOUT}
    if meta is None and "_meta" in raw:
        extra["_meta"] = None
    layout = tuple(raw)
    return make_node(
        node_id,
        class_type,
        {name: as_link(value) or value for name, value in inputs.items()},
        meta,
        extra=extra or _NO_EXTRA,
        # The usual one is the same object everywhere: less to keep, and soon recognised.
        layout=_EDITOR_LAYOUT if layout == _EDITOR_LAYOUT else layout,
    )
