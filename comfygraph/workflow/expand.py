"""
The nodes of a workflow in the editor's order, those of subgraphs in the place of instances.

A muted or bypassed instance in the root is not looked into; a nested one is, as the editor
sets the modes of the nodes within.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.errors import WorkflowError
from comfygraph.workflow.boundary import Boundary
from comfygraph.workflow.live import LiveGraph, LiveNode
from comfygraph.workflow.model import BYPASSED, MAX_NODES, MUTED
from comfygraph.workflow.order import execution_order
from comfygraph.workflow.scopes import Scope

MAX_ID_TEXT = 50_000_000
"""Characters of all ids together; subgraphs nested too deep for their size end here."""


def expand(root: LiveGraph, boundaries: dict[int, Boundary]) -> Iterator[tuple[Scope, LiveNode]]:
    """
    Yield every node with the scope that it stands in.

    Raises:
        WorkflowError: The subgraphs expand to more nodes than any server takes.
    """
    nodes = text = 0
    top = Scope(root, boundaries)
    stack: list[tuple[Scope, Iterator[LiveNode]]] = [(top, iter(execution_order(root)))]
    while stack:
        scope, remaining = stack[-1]
        for node in remaining:
            nodes += 1
            text += len(scope.prefix)
            if nodes > MAX_NODES or text > MAX_ID_TEXT:
                raise WorkflowError(
                    f"the workflow expands to more than {MAX_NODES} nodes, or ids of more than "
                    f"{MAX_ID_TEXT} characters",
                    hint="a subgraph that holds instances of subgraphs grows with each level",
                )
            yield scope, node
            quiet = scope.parent is None and node.mode in (MUTED, BYPASSED)
            if node.body is not None and not quiet:
                stack.append((scope.child(node), iter(node.body.nodes)))
                break
        else:
            stack.pop()
