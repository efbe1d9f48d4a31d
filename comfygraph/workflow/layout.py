"""
Slots and values of nodes, laid out by their classes.

The file's list of inputs is not the class's list: unconnected ones are left out, old ones
are still there. Inputs are matched by name, outputs by position.
Facts: `litegraphService.ts` (`configure`), `SubgraphNode.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

from typing import Any

from comfygraph.catalog import NodeCatalog
from comfygraph.workflow.live import LiveGraph, LiveInput, LiveNode
from comfygraph.workflow.model import as_dict, as_list, link_key
from comfygraph.workflow.plan import ClassPlan, Socket, plan_of, type_text
from comfygraph.workflow.renamed import RENAMED, Renamed
from comfygraph.workflow.values import Loaded, load_named, load_values, placeholder_values
from comfygraph.workflow.virtual import is_virtual


def lay_out(graph: LiveGraph, bodies: dict[str, LiveGraph], catalog: NodeCatalog) -> None:
    """
    Give every node of a graph its slots and values.
    """
    for node in graph.nodes:
        kind = node.type
        body = bodies.get(kind)
        if body is not None:
            node.body = body
            node.virtual = True
            _lay_out_instance(node, body)
            continue
        plan = plan_of(catalog, kind)
        renamed = RENAMED.get(kind) if plan is None else None
        if renamed is not None:
            kind = renamed.name
            plan = plan_of(catalog, kind)
        if plan is None:
            node.virtual = is_virtual(node.type)
            _lay_out_stored(node)
            continue
        node.type = kind
        node.plan = plan
        _lay_out_class(node, plan, renamed)


def _lay_out_class(node: LiveNode, plan: ClassPlan, renamed: Renamed | None) -> None:
    raw = node.file.raw
    stored_values = raw.get("widgets_values")
    if renamed is not None and renamed.widgets:
        loaded = load_named(plan, renamed.values(stored_values))
    else:
        loaded = load_values(plan, stored_values)
    node.widgets, node.values, node.stored, node.consumed, _ = loaded
    sockets = plan.section.sockets
    by_name: dict[str, tuple[int, dict[str, Any]]] = {}
    for index, item in enumerate(as_list(raw.get("inputs"))):
        if isinstance(item, dict):
            name = str(item.get("name"))
            by_name[renamed.inputs.get(name, name) if renamed else name] = (index, item)
    inputs: list[LiveInput] = []
    if plan.is_dynamic:
        sockets = _expand(sockets, loaded, by_name)
    for socket in sockets:
        name = socket.name
        found = by_name.pop(name, None)
        widget = name if socket.widget else None
        if found is None:
            inputs.append(LiveInput(name, socket.type, None, widget, -1))
        else:
            link = link_key(found[1].get("link"))
            inputs.append(LiveInput(name, socket.type, link, widget, found[0]))
    for name, (index, item) in by_name.items():
        widget = as_dict(item.get("widget")).get("name")
        if isinstance(widget, str) and name not in node.values and widget not in node.values:
            # The editor removes the socket of a widget that is no more.
            continue
        inputs.append(
            LiveInput(
                name,
                type_text(item.get("type")),
                link_key(item.get("link")),
                widget if isinstance(widget, str) else None,
                index,
            )
        )
    node.inputs = inputs
    types = plan.output_types
    stored = as_list(raw.get("outputs"))
    if len(stored) > len(types):
        types = types + [type_text(as_dict(item).get("type")) for item in stored[len(types) :]]
    node.output_types = types


def _expand(
    sockets: list[Socket], loaded: Loaded, by_name: dict[str, tuple[int, dict[str, Any]]]
) -> list[Socket]:
    """
    Put the members of dynamic combos and autogrow groups in the place of their sockets.
    """
    plain: list[Socket] = []
    of_widgets: list[Socket] = []
    pending = sockets[::-1]
    while pending:
        socket = pending.pop()
        if socket.grows:
            start = f"{socket.name}."
            members = [name for name in by_name if name.startswith(start)]
            plain.extend(Socket(name, socket.type) for name in members)
            continue
        (of_widgets if socket.widget else plain).append(socket)
        section = loaded.sections.get(socket.name) if socket.widget else None
        if section is not None:
            pending.extend(section.sockets[::-1])
    return plain + of_widgets


def _lay_out_instance(node: LiveNode, body: LiveGraph) -> None:
    stored: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for index, item in enumerate(node.file.inputs):
        if isinstance(item, dict):
            stored.setdefault(str(item.get("name")), []).append((index, item))
    repeated = len({name for name, _ in body.input_slots}) < len(body.input_slots)
    for queue in stored.values():
        if repeated:
            # Inputs of the same name are taken in order; else the last one stored counts.
            queue.reverse()
    for name, kind in body.input_slots:
        queue = stored.get(name, [])
        if queue:
            index, item = queue.pop()
            node.inputs.append(LiveInput(name, kind, link_key(item.get("link")), None, index))
        else:
            node.inputs.append(LiveInput(name, kind, None, None, -1))
    node.output_types = [kind for _, kind in body.output_slots]


def _lay_out_stored(node: LiveNode) -> None:
    """
    A node of an unknown class, or one of the editor's own: what the file says is all there is.
    """
    for index, item in enumerate(node.file.inputs):
        if isinstance(item, dict):
            widget = as_dict(item.get("widget")).get("name")
            node.inputs.append(
                LiveInput(
                    str(item.get("name", "")),
                    type_text(item.get("type")),
                    link_key(item.get("link")),
                    widget if isinstance(widget, str) else None,
                    index,
                )
            )
    node.output_types = [type_text(as_dict(item).get("type")) for item in node.file.outputs]
    loaded = placeholder_values(node.file.raw.get("widgets_values"))
    node.widgets, node.values, node.stored, node.consumed, _ = loaded
