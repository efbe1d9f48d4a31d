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
    IssueKind,
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


class _In(NamedTuple):
    """
    At an input. `wanted` is the socket type at the far end, `None` for this input's own.
    """

    scope: Scope
    node: LiveNode
    slot: LiveInput
    wanted: str | None


class _Out(NamedTuple):
    """
    At output `slot` of a node. `wanted` is the socket type at the far end.
    """

    scope: Scope
    node: LiveNode
    slot: int
    wanted: str


Resolved = Source | Valued | None
_Step = _In | _Out | Source | Valued | None
_Key = tuple[int, int, int, str]


class Resolver:
    """
    Finds what feeds the inputs of a workflow.

    Attributes:
        refusal: What the editor throws instead of queueing, or `None`.
    """

    def __init__(self, notes: Notes) -> None:
        self.refusal: str | None = None
        self._notes = notes
        self._known: dict[_Key, Resolved] = {}

    def source(self, scope: Scope, node: LiveNode, slot: LiveInput) -> Resolved:
        """
        Give what feeds an input: an output, the value of a promoted widget, or nothing.
        """
        walked: dict[_Key, None] = {}
        at: _Step = self._enter(_In(scope, node, slot, None))
        while True:
            if isinstance(at, _Out):
                if not at.node.virtual and at.node.mode not in (MUTED, BYPASSED):
                    at = Source(at.scope.prefix + at.node.emit_id, at.slot)
                    break
                key = (id(at.scope), id(at.node), at.slot, at.wanted)
                if key in self._known:
                    at = self._known[key]
                    break
                if key in walked:
                    self._refuse(
                        VIRTUAL_CYCLE,
                        at.scope,
                        at.node,
                        "the connection runs in a circle and reaches no node",
                        "RecursionError: circular reference",
                    )
                    at = None
                    break
                walked[key] = None
                at = self._leave(at)
            elif isinstance(at, _In):
                at = self._enter(at)
            else:
                break
        for key in walked:
            self._known[key] = at
        return at

    def _enter(self, at: _In) -> _Step:
        """
        Go from an input over its link to an output, or out of the subgraph.
        """
        scope, slot, wanted = at.scope, at.slot, at.wanted
        if slot.link is None:
            return None
        link = scope.graph.links.get(slot.link)
        if link is None:
            self._missing(at, "the link is not in the graph")
            return None
        if link.origin == BOUNDARY_IN and scope.host is not None and scope.parent is not None:
            host = scope.host
            if not 0 <= link.origin_slot < len(host.inputs):
                self._missing(at, "the subgraph has no such input")
                return None
            outer = host.inputs[link.origin_slot]
            if outer.link is None:
                return scope.shown_value(link.origin_slot)
            # The editor forgets here what the far end asked for.
            return _In(scope.parent, host, outer, None)
        origin = scope.graph.by_id.get(link.origin)
        if origin is None:
            self._missing(at, f"its origin, node `{link.origin}`, is not there")
            return None
        return _Out(scope, origin, link.origin_slot, slot.type if wanted is None else wanted)

    def _leave(self, at: _Out) -> _Step:
        """
        Go through a node that no prompt holds, from its output to one of its inputs.
        """
        scope, node, slot, wanted = at
        if node.mode == MUTED:
            return None
        if node.mode == BYPASSED:
            index = bypass_input(node, slot, wanted)
            if index < 0:
                self._note(
                    BYPASS_WITHOUT_MATCH,
                    scope,
                    node,
                    f"no input of this bypassed node can take the place of output {slot} "
                    f"({wanted})",
                )
                return None
            return _In(scope, node, node.inputs[index], None)
        if node.body is not None:
            return self._into_subgraph(at)
        if node.type in GETTERS:
            setter = find_setter(scope, node)
            if setter is None:
                self._note(
                    UNMATCHED_GET,
                    scope,
                    node,
                    "no Set node gives the variable that this node gets",
                )
                return None
            return _Out(*setter, 0, wanted)
        index = 0 if node.type in SETTERS else slot
        if 0 <= index < len(node.inputs):
            return _In(scope, node, node.inputs[index], wanted)
        return None

    def _into_subgraph(self, at: _Out) -> _Step:
        scope, host, slot, wanted = at
        assert host.body is not None
        outputs = scope.boundaries[id(host.body)].outputs
        inner = outputs[slot] if 0 <= slot < len(outputs) else None
        if inner is None:
            return None
        if inner.origin != BOUNDARY_IN:
            target = host.body.by_id.get(inner.origin)
            if target is None:
                return None
            return _Out(scope.child(host), target, inner.origin_slot, wanted)
        self._refuse(
            PASS_THROUGH,
            scope,
            host,
            f"output {slot} comes straight from input {inner.origin_slot} of the subgraph",
            "Error: no output node found",
            host.body.file.pointer,
        )
        if 0 <= inner.origin_slot < len(host.inputs):
            return _In(scope, host, host.inputs[inner.origin_slot], wanted)
        return None

    def _missing(self, at: _In, why: str) -> None:
        scope, node, slot, _ = at
        self._refuse(
            MISSING_LINK,
            scope,
            node,
            f"link {slot.link} of input `{slot.name}` leads to nothing: {why}",
            f"InvalidLinkError: link {slot.link} of input `{slot.name}`: {why}",
            f"{node.pointer}/inputs/{slot.index}/link",
        )

    def _refuse(
        self,
        kind: IssueKind,
        scope: Scope,
        node: LiveNode,
        message: str,
        refusal: str,
        pointer: str | None = None,
    ) -> None:
        self._note(kind, scope, node, message, pointer)
        if self.refusal is None:
            self.refusal = f"{refusal} (node {scope.prefix}{node.emit_id})"

    def _note(
        self,
        kind: IssueKind,
        scope: Scope,
        node: LiveNode,
        message: str,
        pointer: str | None = None,
    ) -> None:
        self._notes.add(
            kind, message, pointer or node.pointer, scope.prefix + node.emit_id, node.title
        )
