"""
The value in the middle of the house: `Prompt`, with the `Node`s and `Link`s that it is made of.

It models the body of ComfyUI's `POST /prompt` (the key `prompt`): a JSON object of node id →
node, see `comfygraph.core.node`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from comfygraph.core.kinds import kind_of
from comfygraph.core.node import EDITOR_LAYOUT, NO_EXTRA, make_node
from comfygraph.core.node import InputValue as InputValue
from comfygraph.core.node import JsonValue as JsonValue
from comfygraph.core.node import Link as Link
from comfygraph.core.node import Node as Node
from comfygraph.core.node import as_link as as_link
from comfygraph.core.pointer import escape_pointer
from comfygraph.errors import PromptError

if TYPE_CHECKING:
    from typing import Unpack

    from comfygraph import AsyncJob, Job, SubmitOptions
    from comfygraph.core.find import NodeRef


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
    extra = {key: raw[key] for key in raw if key not in EDITOR_LAYOUT}
    if meta is None and "_meta" in raw:
        extra["_meta"] = None
    layout = tuple(raw)
    return make_node(
        node_id,
        class_type,
        {name: as_link(value) or value for name, value in inputs.items()},
        meta,
        extra=extra or NO_EXTRA,
        # The usual one is the same object everywhere: less to keep, and soon recognised.
        layout=EDITOR_LAYOUT if layout == EDITOR_LAYOUT else layout,
    )
