"""
Set and Get nodes (KJNodes, EasyUse): a connection without a line.

A Set node stores what feeds its input under a name, its first widget; a Get node of the
same name gives it, from the same graph or from one around it. Fact: `setgetnodes.js` of
ComfyUI-KJNodes; not recorded, so conversions that meet one say so (`CG517`).
"""

from __future__ import annotations

from typing import Any

from comfygraph.workflow.live import LiveGraph, LiveNode
from comfygraph.workflow.scopes import Scope
from comfygraph.workflow.virtual import SETTERS


def variable_name(node: LiveNode) -> Any:
    """
    Give the name that a Set or Get node holds, or `None`.
    """
    return next(iter(node.values.values()), None)


def find_setter(scope: Scope, getter: LiveNode) -> tuple[Scope, LiveNode] | None:
    """
    Give the Set node of a Get node's name and the scope that it stands in, or `None`.
    """
    name = variable_name(getter)
    at: Scope | None = scope
    while at is not None:
        found = _setters(at.graph).get(name) if isinstance(name, str) else None
        if found is not None:
            return at, found
        at = at.parent
    return None


def _setters(graph: LiveGraph) -> dict[str, LiveNode]:
    if graph.setters is None:
        graph.setters = {}
        for node in graph.nodes:
            if node.type in SETTERS:
                name = variable_name(node)
                if isinstance(name, str):
                    graph.setters.setdefault(name, node)
    return graph.setters
