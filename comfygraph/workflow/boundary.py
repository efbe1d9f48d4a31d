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
    What a subgraph's input shows: a widget of an inner node, or what input `slot` of an inner
    instance shows (`slot` is -1 for a widget). `widget` is the name of the widget itself.
    """

    node: LiveNode
    widget: str
    slot: int


class Boundary:
    """
    The edge of a subgraph: what its inputs lead to, and what its outputs come from.

    Args:
        graph: The subgraph.
        inner: The boundaries of the subgraphs that it contains, by `id()` of their graphs.

    Attributes:
        promoted: For each input of the definition, the widget that it shows, or `None`.
        outputs: For each output, the link that feeds it, or `None`.
    """

    __slots__ = ("_named", "_showing", "graph", "outputs", "promoted")

    def __init__(self, graph: LiveGraph, inner: dict[int, Boundary]) -> None:
        self.graph = graph
        self.promoted: list[Promoted | None] = [None] * len(graph.input_slots)
        self.outputs: list[FileLink | None] = [None] * len(graph.output_slots)
        self._named: dict[str, int] = {}
        for slot, (name, _) in enumerate(graph.input_slots):
            self._named.setdefault(name, slot)
        self._showing: dict[str, int] | None = None
        self._read_outputs()
        self._read_promoted(inner)

    def slot_named(self, name: str) -> int | None:
        """
        Give the input of that name, or `None`.
        """
        return self._named.get(name)

    def slot_showing(self, widget: str) -> int | None:
        """
        Give the input that has the name of a widget or shows a widget of that name, or `None`.
        """
        if widget in self._named:
            return self._named[widget]
        if self._showing is None:
            self._showing = {}
            for slot, target in enumerate(self.promoted):
                if target is not None:
                    self._showing.setdefault(target.widget, slot)
        return self._showing.get(widget)

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

    def _read_promoted(self, boundaries: dict[int, Boundary]) -> None:
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
        shown = inner.promoted[index] if inner is not None else None
        return Promoted(node, shown.widget, index) if shown is not None else None
    if slot.widget is not None and slot.widget in node.values:
        return Promoted(node, slot.widget, -1)
    return None
