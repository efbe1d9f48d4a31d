"""
The order in which the editor lists nodes: that of execution, ties in the file's order.

It decides in which order the nodes of subgraphs stand in the prompt. Fact:
`LGraph.computeExecutionOrder` of ComfyUI's frontend.
"""

from __future__ import annotations

from collections import deque

from comfygraph.workflow.live import LiveGraph, LiveNode
from comfygraph.workflow.model import as_dict, as_list, link_key

_ARRAY_INDEX_END = 2**32 - 1


def execution_order(graph: LiveGraph) -> list[LiveNode]:
    """
    Give the nodes of a graph so that each follows what feeds it; loops come last.
    """
    waiting: dict[str, int] = {}
    queue: deque[LiveNode] = deque()
    for node in graph.nodes:
        count = sum(slot.link is not None for slot in node.inputs)
        if count:
            waiting[node.id] = count
        else:
            queue.append(node)
    order: list[LiveNode] = []
    visited: set[int | str] = set()
    while queue:
        node = queue.popleft()
        order.append(node)
        for output in node.file.outputs:
            for item in as_list(as_dict(output).get("links")):
                key = link_key(item)
                if key is None or key in visited:
                    continue
                link = graph.links.get(key)
                if link is None:
                    continue
                visited.add(key)
                if link.target in waiting:
                    waiting[link.target] -= 1
                    if waiting[link.target] == 0:
                        del waiting[link.target]
                        queue.append(graph.by_id[link.target])
    if len(order) < len(graph.nodes):
        reached = {node.id for node in order}
        rest = [node for node in graph.nodes if node.id not in reached]
        # The editor walks through an object here: keys that are numbers first, sorted.
        order += sorted(
            rest, key=lambda node: (0, int(node.id)) if is_array_index(node.id) else (1, 0)
        )
    return order


def is_array_index(key: str) -> bool:
    """
    Whether JavaScript sorts an object's key by its number (ECMA-262, array index).
    """
    if not key.isdigit() or not key.isascii() or len(key) > 10:
        return False
    return (key[0] != "0" or key == "0") and int(key) < _ARRAY_INDEX_END
