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


def check_size(inner_first: list[LiveGraph], root: LiveGraph) -> None:
    """
    Reckon how large the workflow gets when its subgraphs are expanded, before any is.

    Args:
        inner_first: All graphs, each after those that it contains.
        root: The root graph.

    Raises:
        WorkflowError: More nodes, or longer ids, than any server takes.
    """
    nodes: dict[int, int] = {}
    text: dict[int, int] = {}
    for graph in inner_first:
        count = len(graph.nodes)
        length = 0
        for node in graph.nodes:
            if node.body is not None:
                inside = nodes[id(node.body)]
                count += inside
                length += text[id(node.body)] + inside * (len(node.emit_id) + 1)
        nodes[id(graph)], text[id(graph)] = count, length
    if nodes[id(root)] > MAX_NODES:
        raise WorkflowError(
            f"the workflow expands to more than {MAX_NODES} nodes",
            hint="a subgraph that holds instances of subgraphs grows with each level",
        )
    if text[id(root)] > MAX_ID_TEXT:
        raise WorkflowError(
            f"the ids of the expanded workflow have more than {MAX_ID_TEXT} characters",
            hint="an id names every subgraph around its node; nest them less deep",
        )


def expand(root: LiveGraph, boundaries: dict[int, Boundary]) -> Iterator[tuple[Scope, LiveNode]]:
    """
    Yield every node with the scope that it stands in.
    """
    top = Scope(root, boundaries)
    stack: list[tuple[Scope, Iterator[LiveNode]]] = [(top, iter(execution_order(root)))]
    while stack:
        scope, remaining = stack[-1]
        for node in remaining:
            yield scope, node
            quiet = scope.parent is None and node.mode in (MUTED, BYPASSED)
            if node.body is not None and not quiet:
                stack.append((scope.child(node), iter(node.body.nodes)))
                break
        else:
            stack.pop()
