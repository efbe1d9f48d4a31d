"""
Subgraph instances: one `Scope` for each place where a graph stands.

The nodes of a subgraph exist once in the file and once in the prompt for each instance,
under ids such as `12:34`. A scope knows its instance, and the values that the instance
shows on its face (promoted widgets). Three ways to store them are in use:

* `widgets_values` in the order of the inputs that show a widget;
* the same, in the order of `properties.proxyWidgets`, a list of `[inner node id, widget]`
  where the id `"-1"` stands for the instance's own input of that name;
* no values: the inner widget's own value holds.

Facts: `SubgraphNode.ts`, `proxyWidgetMigration.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from comfygraph.workflow.boundary import Boundary
from comfygraph.workflow.live import LiveGraph, LiveNode
from comfygraph.workflow.model import BOUNDARY_IN, as_dict, as_list, node_key
from comfygraph.workflow.primitives import primitive_targets
from comfygraph.workflow.proxies import bare_widget_name, proxied
from comfygraph.workflow.virtual import PRIMITIVE


class Valued(NamedTuple):
    """
    A value and the place in the file that it was read from.
    """

    value: Any
    pointer: str


class Scope:
    """
    One place where a graph stands: the root, or an instance within another scope.

    Attributes:
        graph: The graph.
        host: The instance node in the parent's graph, `None` for the root.
        parent: The scope of that node.
        boundaries: The boundary of each subgraph, by `id()` of its graph.
        prefix: What the ids of its nodes in the prompt start with: `"12:"`.
        shown: Input slot → value that the instance gives to the promoted widget.
        inner: Node id → widget → value that the instance gives to an inner widget.
    """

    __slots__ = (
        "_children",
        "boundaries",
        "depth",
        "graph",
        "host",
        "inner",
        "parent",
        "prefix",
        "shown",
    )

    def __init__(
        self,
        graph: LiveGraph,
        boundaries: dict[int, Boundary],
        host: LiveNode | None = None,
        parent: Scope | None = None,
    ) -> None:
        self.graph = graph
        self.boundaries = boundaries
        self.host = host
        self.parent = parent
        self.prefix = ""
        self.depth = 0
        self.shown: dict[int, Valued] = {}
        self.inner: dict[str, dict[str, Valued]] = {}
        self._children: dict[str, Scope] = {}
        if host is not None and parent is not None:
            self.prefix = f"{parent.prefix}{host.emit_id}:"
            self.depth = parent.depth + 1
            self._take_values(host, parent)

    def child(self, node: LiveNode) -> Scope:
        """
        Give the scope of an instance that stands in this one.
        """
        found = self._children.get(node.id)
        if found is None:
            assert node.body is not None
            found = self._children[node.id] = Scope(node.body, self.boundaries, node, self)
        return found

    def shown_value(self, slot: int) -> Valued | None:
        """
        Give the value of the widget that the instance shows at an input, or `None`.

        It is the instance's own value, else that of the widget behind the input, which may
        again be shown by an inner instance.
        """
        scope: Scope = self
        while True:
            own = scope.shown.get(slot)
            if own is not None:
                return own
            promoted = scope.boundaries[id(scope.graph)].promoted
            target = promoted[slot] if 0 <= slot < len(promoted) else None
            if target is None:
                return None
            if target.node.body is None:
                return scope.widget_value(target.node, target.widget)
            scope, slot = scope.child(target.node), target.slot

    def widget_value(self, node: LiveNode, widget: str) -> Valued | None:
        """
        Give the value of a node's widget as this instance has it.
        """
        override = self.inner.get(node.id, {}).get(widget)
        if override is not None:
            return override
        if widget not in node.values:
            return None
        return Valued(node.values[widget], node.widget_pointer(widget))

    def _take_values(self, host: LiveNode, parent: Scope) -> None:
        boundary = self.boundaries[id(self.graph)]
        stored = as_list(host.file.raw.get("widgets_values"))
        proxies = as_list(host.file.properties.get("proxyWidgets"))
        start = f"{host.pointer}/widgets_values/"
        position = 0
        for slot, target in enumerate(boundary.promoted):
            if target is not None and position < len(stored):
                self.shown[slot] = Valued(stored[position], f"{start}{position}")
                position += 1
        for index, entry in enumerate(proxies[: len(stored)]):
            if stored[index] is not None and isinstance(entry, list) and len(entry) >= 2:
                self._put(boundary, entry, Valued(stored[index], f"{start}{index}"))
        self._take_quarantined(boundary, host)
        given = parent.inner.get(host.id)
        if not given:
            return
        # What the parent's own instance gives to widgets of this one.
        for widget, value in given.items():
            slot_shown = boundary.slot_showing(widget)
            if slot_shown is not None:
                self.shown[slot_shown] = value
        for entry in proxies:
            if isinstance(entry, list) and len(entry) >= 2:
                override = given.get(bare_widget_name(str(entry[1])))
                if override is not None:
                    self._put(boundary, entry, override)

    def _take_quarantined(self, boundary: Boundary, host: LiveNode) -> None:
        """
        Take the values that the editor put aside because it could not place them at first.
        """
        listed = as_list(host.file.properties.get("proxyWidgetErrorQuarantine"))
        for index in range(len(listed) - 1, -1, -1):
            item = as_dict(listed[index])
            entry = as_list(item.get("originalEntry"))
            if len(entry) >= 2 and entry[0] == "-1" and "hostValue" in item:
                where = f"{host.pointer}/properties/proxyWidgetErrorQuarantine/{index}/hostValue"
                self._put(boundary, entry, Valued(item["hostValue"], where))

    def _put(self, boundary: Boundary, entry: list[Any], value: Valued) -> None:
        """
        Give a value to the widget that an entry of `proxyWidgets` names.
        """
        if node_key(entry[0]) == "-1":
            slot = boundary.slot_named(str(entry[1]))
            if slot is not None:
                self.shown[slot] = value
            return
        found = proxied(self.graph, entry)
        if found is None:
            return
        node, widget = found
        if node.type == PRIMITIVE and node.plan is None:
            for target, name in primitive_targets(self.graph, node):
                self.inner.setdefault(target.id, {})[name] = value
            return
        for slot_in in node.inputs:
            if slot_in.link is not None and widget in (slot_in.widget, slot_in.name):
                link = self.graph.links.get(slot_in.link)
                if link is not None and link.origin == BOUNDARY_IN:
                    self.shown[link.origin_slot] = value
                    return
        self.inner.setdefault(node.id, {})[widget] = value
