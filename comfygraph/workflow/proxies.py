"""
`properties.proxyWidgets` of a subgraph instance: inner widgets that it shows on its face.

Each entry is `[inner node id, widget name, ...]`; old files put ids before the name,
`"6: 3: text"`. The editor turns each entry into an input of the subgraph when it loads the
file, so whatever fed the inner widget before does so no more. Fact:
`proxyWidgetMigration.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

import re
from typing import Any

from comfygraph.workflow.issues import UNRESOLVED_PROXY
from comfygraph.workflow.live import LiveGraph, LiveNode
from comfygraph.workflow.model import BOUNDARY_IN, as_list, node_key
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.virtual import PRIMITIVE

_PREFIXES = re.compile(r"^(?:\s*\d+\s*:\s*)+")


def bare_widget_name(name: str) -> str:
    """
    Give a widget's name without the ids that old files put before it.
    """
    return _PREFIXES.sub("", name) or name


def proxied(body: LiveGraph, entry: list[Any]) -> tuple[LiveNode, str] | None:
    """
    Give the inner node and the widget that an entry names, or `None`.
    """
    node = body.by_id.get(node_key(entry[0]))
    if node is None:
        return None
    name = str(entry[1])
    return node, name if name in node.values else bare_widget_name(name)


def connect_proxies(graph: LiveGraph, notes: Notes) -> None:
    """
    Cut the inner links of widgets that the instances of a graph show on their faces.
    """
    for host in graph.nodes:
        if host.body is None:
            continue
        for index, entry in enumerate(as_list(host.file.properties.get("proxyWidgets"))):
            if not isinstance(entry, list) or len(entry) < 2 or node_key(entry[0]) == "-1":
                continue
            found = proxied(host.body, entry)
            if found is None:
                notes.add(
                    UNRESOLVED_PROXY,
                    f"node `{node_key(entry[0])}`, whose widget `{entry[1]}` is shown, is not "
                    "in the subgraph",
                    f"{host.pointer}/properties/proxyWidgets/{index}",
                    host.id,
                    host.title,
                )
                continue
            node, widget = found
            if node.type == PRIMITIVE and node.plan is None:
                continue
            for slot in node.inputs:
                if slot.link is None or widget not in (slot.widget, slot.name):
                    continue
                if slot.widget is None and node.body is None:
                    continue
                link = host.body.links.get(slot.link)
                if link is not None and link.origin != BOUNDARY_IN:
                    slot.link = None
