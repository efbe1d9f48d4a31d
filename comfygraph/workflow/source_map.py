"""
Where each part of a converted prompt stands in the workflow file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from comfygraph.workflow.live import LiveNode
from comfygraph.workflow.scopes import Scope


@dataclass(frozen=True, slots=True)
class SubgraphStep:
    """
    A subgraph instance on the way from the root to a node.

    Args:
        pointer: JSON pointer of the instance node.
        node_id: The instance's id as the prompt's ids spell it, `"12"` or `"12:7"`.
        title: What the editor shows on it.
    """

    pointer: str
    node_id: str
    title: str


@dataclass(frozen=True, slots=True)
class NodeSource:
    """
    The node in the workflow file that a node of the prompt comes from.

    Args:
        pointer: JSON pointer of the node, inside its subgraph's definition if it has one.
        title: What the editor shows on it.
        path: The subgraph instances around it, the outermost first.
    """

    pointer: str
    title: str
    path: tuple[SubgraphStep, ...]

    @property
    def label(self) -> str:
        """The titles from the root to the node: `Upscale › KSampler`."""
        return " › ".join([*(step.title for step in self.path), self.title])


class SourceMap(Mapping[str, NodeSource]):
    """
    Node id of the prompt → the node in the workflow file.
    """

    def __init__(
        self,
        nodes: Mapping[str, tuple[Scope, LiveNode]],
        places: Mapping[tuple[str, str], str],
    ) -> None:
        self._nodes = nodes
        self._places = places

    def __getitem__(self, node_id: str) -> NodeSource:
        scope, node = self._nodes[node_id]
        steps: list[SubgraphStep] = []
        at = scope
        while at.host is not None and at.parent is not None:
            steps.append(
                SubgraphStep(at.host.pointer, at.prefix[:-1], at.host.title or at.host.type)
            )
            at = at.parent
        return NodeSource(node.pointer, node.title or node.type, tuple(reversed(steps)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __repr__(self) -> str:
        return f"<SourceMap of {len(self)} nodes>"

    def pointer(self, node_id: str, input_name: str | None = None) -> str:
        """
        Give the JSON pointer of a node, or of the link or value behind one of its inputs.

        An input of which the file says nothing gives the node, and a node that the prompt
        does not have gives the whole file.
        """
        if node_id not in self._nodes:
            return ""
        _, node = self._nodes[node_id]
        if input_name is None:
            return node.pointer
        given = self._places.get((node_id, input_name))
        if given is not None:
            return given
        for slot in node.inputs:
            if slot.name == input_name and slot.link is not None and slot.index >= 0:
                return f"{node.pointer}/inputs/{slot.index}/link"
        return node.widget_pointer(input_name)
