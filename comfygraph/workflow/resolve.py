"""
From an input back to what feeds it, through everything that no prompt holds.

Reroutes and other nodes of the editor, bypassed nodes, and the edges of subgraphs are
walked through, until a node that runs, a promoted widget, or nothing is reached. Each
step has at most one next step, so all steps of a walk share its result, and no walk is
done twice. Facts: `ExecutableNodeDTO.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

from typing import NamedTuple

from comfygraph.workflow.bypass import bypass_input
from comfygraph.workflow.issues import (
    BYPASS_WITHOUT_MATCH,
    MISSING_LINK,
    PASS_THROUGH,
    UNMATCHED_GET,
    VIRTUAL_CYCLE,
)
from comfygraph.workflow.live import LiveInput, LiveNode
from comfygraph.workflow.model import BOUNDARY_IN, BYPASSED, MUTED
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.scopes import Scope, Valued
from comfygraph.workflow.set_get import find_setter
from comfygraph.workflow.virtual import GETTERS, SETTERS


class Source(NamedTuple):
    """
    The output that feeds an input: the node's id in the prompt, and the slot.
    """

    node_id: str
    slot: int


Resolved = Source | Valued | None


class Resolver:
    """
    Finds what feeds the inputs of a workflow.

    Attributes:
        refusal: What the editor throws instead of queueing, or `None`.
    """

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.refusal: str | None = None
        self._known: dict[tuple[int, int, int, str], Resolved] = {}

    def source(self, scope: Scope, node: LiveNode, slot: LiveInput) -> Resolved:
        """
        Give what feeds an input: an output, the value of a promoted widget, or nothing.
        """
        steps: list[tuple[int, int, int, str]] = []
        found = self._walk(scope, node, slot, steps)
        for step in steps:
            self._known[step] = found
        return found

    def _walk(
        self,
        scope: Scope,
        node: LiveNode,
        slot: LiveInput,
        steps: list[tuple[int, int, int, str]],
    ) -> Resolved:
        wanted: str | None = None
        seen: set[tuple[int, int, int, str]] = set()
        while True:
            # An input: over its link, or out of the subgraph.
            if slot.link is None:
                return None
            link = scope.graph.links.get(slot.link)
            if link is None:
                self._missing(scope, node, slot, "the link is not in the graph")
                return None
            if link.origin == BOUNDARY_IN and scope.host is not None and scope.parent is not None:
                host = scope.host
                if not 0 <= link.origin_slot < len(host.inputs):
                    self._missing(scope, node, slot, "the subgraph has no such input")
                    return None
                outer = host.inputs[link.origin_slot]
                if outer.link is None:
                    return scope.shown_value(link.origin_slot)
                # The editor forgets here what the far end asked for.
                scope, node, slot, wanted = scope.parent, host, outer, None
                continue
            origin = scope.graph.by_id.get(link.origin)
            if origin is None:
                self._missing(scope, node, slot, f"its origin, node `{link.origin}`, is not there")
                return None
            kind = wanted if wanted is not None else slot.type
            at = link.origin_slot
            # An output: of a node that runs, or through one that does not.
            while True:
                step = (id(scope), id(origin), at, kind)
                if step in self._known:
                    return self._known[step]
                if step in seen:
                    self.notes.add(
                        VIRTUAL_CYCLE,
                        "the connection runs in a circle and reaches no node",
                        origin.pointer,
                        scope.prefix + origin.emit_id,
                    )
                    self.refusal = self.refusal or "RecursionError: circular reference"
                    return None
                if origin.mode == MUTED:
                    return None
                if origin.mode == BYPASSED:
                    seen.add(step)
                    steps.append(step)
                    index = bypass_input(origin, at, kind)
                    if index < 0:
                        self._no_match(scope, origin, at, kind)
                        return None
                    node, slot, wanted = origin, origin.inputs[index], None
                    break
                if not origin.virtual:
                    return Source(scope.prefix + origin.emit_id, at)
                seen.add(step)
                steps.append(step)
                if origin.body is not None:
                    boundary = scope.boundaries[id(origin.body)]
                    inner = boundary.outputs[at] if 0 <= at < len(boundary.outputs) else None
                    if inner is None:
                        return None
                    if inner.origin == BOUNDARY_IN:
                        self.notes.add(
                            PASS_THROUGH,
                            f"output {at} of the subgraph comes straight from its input "
                            f"{inner.origin_slot}",
                            origin.body.file.pointer,
                            scope.prefix + origin.emit_id,
                            origin.title,
                        )
                        self.refusal = self.refusal or "Error: No output node found"
                        if not 0 <= inner.origin_slot < len(origin.inputs):
                            return None
                        node, slot, wanted = origin, origin.inputs[inner.origin_slot], kind
                        break
                    target = origin.body.by_id.get(inner.origin)
                    if target is None:
                        return None
                    scope, origin, at = scope.child(origin), target, inner.origin_slot
                    continue
                if origin.type in GETTERS:
                    setter = find_setter(scope, origin)
                    if setter is None:
                        self.notes.add(
                            UNMATCHED_GET,
                            "no Set node gives the variable that this node gets",
                            origin.pointer,
                            scope.prefix + origin.emit_id,
                            origin.title,
                        )
                        return None
                    scope, origin = setter
                    at = 0
                index = 0 if origin.type in SETTERS else at
                if not 0 <= index < len(origin.inputs):
                    return None
                node, slot, wanted = origin, origin.inputs[index], kind
                break

    def _missing(self, scope: Scope, node: LiveNode, slot: LiveInput, why: str) -> None:
        node_id = scope.prefix + node.emit_id
        self.notes.add(
            MISSING_LINK,
            f"link {slot.link} of input `{slot.name}` leads to nothing: {why}",
            f"{node.pointer}/inputs/{slot.index}/link",
            node_id,
            node.title,
        )
        self.refusal = self.refusal or (
            f"InvalidLinkError: link {slot.link} of `{slot.name}` at node {node_id}: {why}"
        )

    def _no_match(self, scope: Scope, node: LiveNode, slot: int, kind: str) -> None:
        self.notes.add(
            BYPASS_WITHOUT_MATCH,
            f"no input of this bypassed node can take the place of output {slot} ({kind})",
            node.pointer,
            scope.prefix + node.emit_id,
            node.title,
        )
