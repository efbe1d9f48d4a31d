"""
Ids of subgraphs' nodes that collide, given anew as the editor does on loading.

The ids of a file are unique within a graph only; the editor wants them unique among all
graphs of the file. Root ids stand; then the definitions come in the order of the file.
Fact: `subgraphDeduplication.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

from collections.abc import Iterable

from comfygraph.workflow.live import LiveGraph
from comfygraph.workflow.order import is_array_index


def renumber(root: LiveGraph, bodies: Iterable[LiveGraph]) -> None:
    """
    Set `emit_id` of the nodes whose id another graph has already taken.
    """
    used = {node.id for node in root.nodes}
    last = root.file.raw.get("last_node_id")
    counter = last if type(last) is int else 0
    counter = max([counter, *(int(key) for key in used if is_array_index(key))])
    for body in bodies:
        for node in body.nodes:
            if node.id in used:
                counter += 1
                while str(counter) in used:
                    counter += 1
                node.emit_id = str(counter)
            elif is_array_index(node.id):
                counter = max(counter, int(node.id))
            used.add(node.emit_id)
