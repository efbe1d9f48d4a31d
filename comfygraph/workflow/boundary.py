"""
The edge of a subgraph: which widgets its inputs show, and what its outputs come from.

Facts: `SubgraphNode.ts` and `SubgraphInput.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

from typing import NamedTuple

from comfygraph.workflow.live import LiveGraph, LiveNode
from comfygraph.workflow.model import BOUNDARY_IN, BOUNDARY_OUT, FileLink, as_list, link_key


class Promoted(NamedTuple):
    """
    What a subgraph's input shows: a widget of an inner node, or input `slot` of an inner
    instance (`slot` is -1 for a widget).
    """

    node: LiveNode
    widget: str
    slot: int


class Boundary:
    """
    The edge of a subgraph: what its inputs lead to, and what its outputs come from.

    Attributes:
        promoted: For each input of the definition, the widget that it shows, or `None`.
        outputs: For each output, the link that feeds it, or `None`.
    """

    __slots__ = ("graph", "outputs", "promoted")

    def __init__(self, graph: LiveGraph) -> None:
        self.graph = graph
        self.promoted: list[Promoted | None] = [None] * len(graph.input_slots)
        self.outputs: list[FileLink | None] = [None] * len(graph.output_slots)
        self._read_outputs()

    def _read_outputs(self) -> None:
        links = self.graph.links
        feeding: dict[int, FileLink] = {}
        for link in links.values():
            if link.target == BOUNDARY_OUT:
                feeding.setdefault(link.target_slot, link)
        for slot, item in enumerate(as_list(self.graph.file.raw.get("outputs"))):
            chosen = feeding.get(slot)
            if isinstance(item, dict):
                for listed in as_list(item.get("linkIds")):
                    key = link_key(listed)
                    if key is not None and key in links:
                        chosen = links[key]
                        break
            self.outputs[slot] = chosen

    def read_promoted(self, boundaries: dict[int, Boundary]) -> None:
        """
        Find the widgets behind the inputs; the boundaries of inner subgraphs come first.
        """
        graph = self.graph
        consumers: dict[int | str, tuple[LiveNode, int]] = {}
        entering: dict[int, list[int | str]] = {}
        for node in graph.nodes:
            for index, slot in enumerate(node.inputs):
                if slot.link is not None:
                    link = graph.links.get(slot.link)
                    if link is not None and link.origin == BOUNDARY_IN:
                        consumers.setdefault(slot.link, (node, index))
                        entering.setdefault(link.origin_slot, []).append(slot.link)
        for index, item in enumerate(as_list(graph.file.raw.get("inputs"))):
            here = entering.get(index, [])
            listed = as_list(item.get("linkIds")) if isinstance(item, dict) else []
            ordered = [key for key in map(link_key, listed) if key is not None and key in consumers]
            for key in [*ordered, *here]:
                node, at = consumers[key]
                found = _widget_at(node, at, boundaries)
                if found is not None:
                    self.promoted[index] = found
                    break


def _widget_at(node: LiveNode, index: int, boundaries: dict[int, Boundary]) -> Promoted | None:
    slot = node.inputs[index]
    if node.body is not None:
        inner = boundaries.get(id(node.body))
        if inner is not None and inner.promoted[index] is not None:
            return Promoted(node, slot.name, index)
        return None
    if slot.widget is not None and slot.widget in node.values:
        return Promoted(node, slot.widget, -1)
    return None
