"""
The editor's graph as it stands in a file: formats 0.4 and 1.0, subgraph definitions.

Light wrappers over the parsed JSON. Links may be arrays or objects, slots may be text,
keys may be missing: what cannot be read is left out and noted (`CG511`).
Facts: `workflowSchema.ts` and `LGraph.configure` of ComfyUI's frontend.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from comfygraph.errors import WorkflowError
from comfygraph.workflow.issues import BAD_ELEMENT, DUPLICATE_ID
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.numbers import number_text

BOUNDARY_IN = "-10"
"""Id of the node that stands for a subgraph's inputs, in its own links."""

BOUNDARY_OUT = "-20"
"""Id of the node that stands for a subgraph's outputs."""

MAX_NODES = 250_000
"""More nodes than this, subgraphs expanded, and the workflow is refused."""

MAX_SLOTS = 10_000
"""More inputs or outputs on one node than this, and the workflow is refused."""

MUTED = 2
BYPASSED = 4


class FileLink(NamedTuple):
    """
    A connection: output `origin_slot` of `origin` feeds input `target_slot` of `target`.
    """

    origin: str
    origin_slot: int
    target: str
    target_slot: int


class FileNode:
    """
    One node of a graph in the file.

    Attributes:
        raw: The node's JSON object.
        index: Its position in the list of nodes.
        id: Its id as text; ids of subgraphs' nodes may be renumbered.
        type: Class, subgraph id, or a name that only the editor knows.
        mode: 2 muted, 4 bypassed; every other number means that the node runs.
    """

    __slots__ = ("id", "index", "mode", "raw", "type")

    def __init__(self, raw: dict[str, Any], index: int, node_id: str) -> None:
        self.raw = raw
        self.index = index
        self.id = node_id
        kind = raw.get("type")
        self.type: str = kind if isinstance(kind, str) else ""
        self.mode = raw.get("mode")

    @property
    def inputs(self) -> list[Any]:
        """The stored inputs, or an empty list."""
        return as_list(self.raw.get("inputs"))

    @property
    def outputs(self) -> list[Any]:
        """The stored outputs, or an empty list."""
        return as_list(self.raw.get("outputs"))

    @property
    def properties(self) -> dict[str, Any]:
        """The node's properties, or an empty object."""
        return as_dict(self.raw.get("properties"))


class FileGraph:
    """
    A graph: the root of the file or the body of a subgraph definition.

    Attributes:
        raw: The JSON object.
        pointer: Where it stands in the file, `""` for the root.
        nodes: In the order of the file, ids unique.
        links: Link id → link; the later of two equal ids wins.
    """

    __slots__ = ("links", "nodes", "pointer", "raw")

    def __init__(self, raw: dict[str, Any], pointer: str, notes: Notes) -> None:
        self.raw = raw
        self.pointer = pointer
        self.nodes = list(_read_nodes(raw, pointer, notes))
        self.links = _read_links(raw, pointer, notes)


def read_workflow(document: Any, notes: Notes) -> FileGraph:
    """
    Read the root graph of a workflow file.

    Raises:
        WorkflowError: The document is not a workflow.
    """
    if not isinstance(document, dict):
        raise WorkflowError("a workflow is a JSON object with a list of `nodes`")
    if not isinstance(document.get("nodes"), list):
        hint = None
        if any(isinstance(v, dict) and "class_type" in v for v in document.values()):
            hint = "this looks like a prompt (API format), which needs no conversion"
        raise WorkflowError("a workflow has a list of `nodes`, this document has none", hint=hint)
    return FileGraph(document, "", notes)


def read_definitions(root: FileGraph, notes: Notes) -> dict[str, FileGraph]:
    """
    Collect the subgraph definitions of a file, nested ones too: id → graph.
    """
    found: dict[str, FileGraph] = {}
    pending: list[tuple[dict[str, Any], str]] = [(root.raw, "")]
    count = 0
    while pending:
        raw, pointer = pending.pop(0)
        listed = as_list(as_dict(raw.get("definitions")).get("subgraphs"))
        for index, item in enumerate(listed):
            where = f"{pointer}/definitions/subgraphs/{index}"
            if not isinstance(item, dict) or not isinstance(item.get("id"), str):
                notes.add(BAD_ELEMENT, "a subgraph definition without an id is left out", where)
                continue
            count += 1
            if count > MAX_NODES:
                raise WorkflowError(f"the file defines more than {MAX_NODES} subgraphs")
            found.setdefault(item["id"], FileGraph(item, where, notes))
            pending.append((item, where))
    return found


def _read_nodes(raw: dict[str, Any], pointer: str, notes: Notes) -> Iterator[FileNode]:
    listed = as_list(raw.get("nodes"))
    if len(listed) > MAX_NODES:
        raise WorkflowError(f"the graph has {len(listed)} nodes, more than {MAX_NODES}")
    last: dict[str, int] = {}
    for index, item in enumerate(listed):
        if isinstance(item, dict) and item.get("id") is not None:
            last[node_key(item["id"])] = index
    for index, item in enumerate(listed):
        where = f"{pointer}/nodes/{index}"
        if not isinstance(item, dict) or item.get("id") is None:
            notes.add(BAD_ELEMENT, "a node without an id is left out", where)
            continue
        node_id = node_key(item["id"])
        if last[node_id] != index:
            notes.add(DUPLICATE_ID, f"another node has the id `{node_id}` too", where, node_id)
            continue
        for side in ("inputs", "outputs"):
            count = len(as_list(item.get(side)))
            if count > MAX_SLOTS:
                raise WorkflowError(f"node `{node_id}` has {count} {side}, more than {MAX_SLOTS}")
        yield FileNode(item, index, node_id)


def _read_links(raw: dict[str, Any], pointer: str, notes: Notes) -> dict[int | str, FileLink]:
    links: dict[int | str, FileLink] = {}
    for index, item in enumerate(as_list(raw.get("links"))):
        if isinstance(item, list) and len(item) >= 5:
            link_id, origin, origin_slot, target, target_slot = item[:5]
        elif isinstance(item, dict):
            link_id = item.get("id")
            origin, origin_slot = item.get("origin_id"), item.get("origin_slot")
            target, target_slot = item.get("target_id"), item.get("target_slot")
        elif item is None:
            # Old editors left holes where links had been.
            continue
        else:
            link_id = origin = origin_slot = target = target_slot = None
        key = link_key(link_id)
        if key is None or origin is None:
            notes.add(
                BAD_ELEMENT,
                "a link that does not say where it comes from is left out",
                f"{pointer}/links/{index}",
            )
            continue
        links[key] = FileLink(
            node_key(origin), slot_number(origin_slot), node_key(target), slot_number(target_slot)
        )
    return links


def node_key(value: Any) -> str:
    """
    Give a node id as text, the way JavaScript would.
    """
    return value if type(value) is str else number_text(value)


def link_key(value: Any) -> int | str | None:
    """
    Give the key of a link id; `"12"` and `12` are the same link. `None`: no link.
    """
    kind = type(value)
    if kind is int or value is None:
        return value  # type: ignore[no-any-return]  # narrowed by type() above
    if kind is str:
        return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else value
    if kind is float and value.is_integer():
        return int(value)
    return None


def slot_number(value: Any) -> int:
    """
    Give a slot as an integer; slots may be text in old files. -1 where there is none.
    """
    if type(value) is int:
        return value
    if isinstance(value, str) and value.strip().lstrip("-").isdigit() and len(value) < 18:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return -1


def as_list(value: Any) -> list[Any]:
    """Give a list, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_dict(value: Any) -> dict[str, Any]:
    """Give an object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}
