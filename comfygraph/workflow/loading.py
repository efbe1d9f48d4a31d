"""
From the JSON of a workflow to the graphs as the editor holds them after loading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comfygraph.catalog import NodeCatalog
from comfygraph.workflow.boundary import Boundary
from comfygraph.workflow.expand import check_size
from comfygraph.workflow.group_nodes import expand_groups, number_groups
from comfygraph.workflow.issues import FORM_OF_LINKS, RECURSIVE_SUBGRAPH
from comfygraph.workflow.layout import lay_out
from comfygraph.workflow.live import LiveGraph, LiveNode
from comfygraph.workflow.model import FileGraph, as_list, read_definitions, read_workflow
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.primitives import apply_primitives, primitive_targets, write
from comfygraph.workflow.proxies import connect_proxies
from comfygraph.workflow.renumber import renumber
from comfygraph.workflow.text import TextReplacer
from comfygraph.workflow.use_everywhere import connect_everywhere

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class LoadedWorkflow:
    """
    A workflow after loading.

    Args:
        root: The root graph.
        boundaries: The edge of each subgraph, by `id()` of its graph.
        replacer: For `%Node.widget%` in file prefixes.
        refusal: Why the editor could not queue what it loaded, or `None`.
    """

    root: LiveGraph
    boundaries: dict[int, Boundary]
    replacer: TextReplacer
    refusal: str | None


def load(
    document: Any, catalog: NodeCatalog, notes: Notes, now: datetime | None = None
) -> LoadedWorkflow:
    """
    Read a workflow and bring it into the state that the editor queues from.

    Raises:
        WorkflowError: The document is not a workflow, or of absurd size.
    """
    root_file = read_workflow(document, notes)
    definitions = read_definitions(root_file, notes)
    groups = expand_groups(root_file, catalog, notes)
    root = LiveGraph(root_file, is_root=True)
    bodies = {key: LiveGraph(graph, is_root=False) for key, graph in definitions.items()}
    grouped = {group.host.type: LiveGraph(group.body, is_root=False) for group in groups}
    everything = [root, *bodies.values(), *grouped.values()]
    known = {**bodies, **grouped}
    for graph in everything:
        lay_out(graph, known, catalog)
    refusal = _form_of_links(root_file, root, notes)
    connect_everywhere(root, notes)
    inner_first, recursion = _cut_recursion(everything, notes)
    for graph in everything:
        connect_proxies(graph, notes)
    asking = [node for graph in everything for node in apply_primitives(graph, notes)]
    replacer = TextReplacer(root, now)
    for node in asking:
        text = replacer.replace(as_list(node.file.raw.get("widgets_values"))[0])
        for target, widget in list(primitive_targets(node.graph, node)):
            write(node, target, widget, text)
    renumber(root, bodies.values())
    number_groups(root, groups)
    check_size(inner_first, root)
    boundaries: dict[int, Boundary] = {}
    for graph in inner_first:
        if graph is not root:
            boundaries[id(graph)] = Boundary(graph, boundaries)
    return LoadedWorkflow(root, boundaries, replacer, refusal or recursion)


def _form_of_links(file: FileGraph, root: LiveGraph, notes: Notes) -> str | None:
    """
    Note links whose form does not go with the file's version; give what the editor says.
    """
    wanted = list if file.raw.get("version") == 0.4 else dict
    listed = as_list(file.raw.get("links"))
    wrong = next(
        (index for index, item in enumerate(listed) if not isinstance(item, wanted | None)), None
    )
    if wrong is None:
        return None
    form = "arrays" if wanted is list else "objects"
    notes.add(
        FORM_OF_LINKS,
        f"the editor reads the links of a file of version `{file.raw.get('version')}` as {form}",
        f"/links/{wrong}",
    )
    if any(slot.link is not None for node in root.nodes for slot in node.inputs):
        return "InvalidLinkError: the links of the file have the form of another version"
    return None


def _cut_recursion(graphs: list[LiveGraph], notes: Notes) -> tuple[list[LiveGraph], str | None]:
    """
    Cut the instances by which a subgraph contains itself.

    Returns:
        The graphs, each after those that it contains; and what the editor says, or `None`.
    """
    order: list[LiveGraph] = []
    done: set[int] = set()
    refusal: str | None = None
    for start in graphs:
        if id(start) in done:
            continue
        path = {id(start)}
        stack: list[tuple[LiveGraph, Iterator[LiveNode]]] = [(start, _instances(start))]
        while stack:
            graph, instances = stack[-1]
            for node in instances:
                body = node.body
                if body is None:
                    continue
                if id(body) in path:
                    notes.add(
                        RECURSIVE_SUBGRAPH,
                        "this subgraph contains itself",
                        node.pointer,
                        node.id,
                        node.title,
                    )
                    if start is graphs[0]:
                        refusal = "RecursionError: a subgraph contains itself"
                    node.body = None
                elif id(body) not in done:
                    path.add(id(body))
                    stack.append((body, _instances(body)))
                    break
            else:
                path.discard(id(graph))
                done.add(id(graph))
                order.append(graph)
                stack.pop()
    return order, refusal


def _instances(graph: LiveGraph) -> Iterator[LiveNode]:
    return iter([node for node in graph.nodes if node.body is not None])
