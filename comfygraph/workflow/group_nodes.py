"""
Legacy group nodes, from before there were subgraphs: several nodes shown as one.

The node's type is `workflow>Name` (once `workflow/Name`), the nodes within stand under
`extra.groupNodes.Name`. A group node is rewritten here as the instance of a subgraph of
its own, so that nothing downstream knows of them. The editor does the same when it loads
a file, and numbers the nodes the same way; unlike it, we keep the values of combos whose
choices the class lists in the old form (the editor drops them and shifts the rest).

Facts: `extensions/core/groupNode.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

from typing import Any

from comfygraph.catalog import NodeCatalog
from comfygraph.core.pointer import escape_pointer
from comfygraph.workflow.issues import UNPROVEN_VIRTUAL
from comfygraph.workflow.live import LiveGraph
from comfygraph.workflow.model import FileGraph, FileNode, as_dict, as_list
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.plan import ABSENT, ClassPlan, plan_of
from comfygraph.workflow.virtual import PRIMITIVE, REROUTES, is_virtual

PREFIXES = ("workflow>", "workflow/")


class GroupInstance:
    """
    A group node of the root, rewritten.

    Attributes:
        host: The node in the root's list.
        body: The graph that stands for the group.
    """

    __slots__ = ("body", "host")

    def __init__(self, host: FileNode, body: FileGraph) -> None:
        self.host = host
        self.body = body


def expand_groups(root: FileGraph, catalog: NodeCatalog, notes: Notes) -> list[GroupInstance]:
    """
    Rewrite the group nodes of a workflow's root as instances of subgraphs.

    A group with a node whose class the catalog does not have stays as it is: the editor
    cannot open it either.
    """
    groups = as_dict(as_dict(root.raw.get("extra")).get("groupNodes"))
    found: list[GroupInstance] = []
    if not groups:
        return found
    for index, node in enumerate(root.nodes):
        name = next((node.type[len(p) :] for p in PREFIXES if node.type.startswith(p)), None)
        data = as_dict(groups.get(name)) if name is not None else {}
        members = as_list(data.get("nodes"))
        if name is None or not members or not _all_known(members, catalog):
            continue
        builder = _Builder(node, members, data, catalog)
        raw_host, raw_body = builder.build(f"group node {node.id}")
        where = f"/extra/groupNodes/{escape_pointer(name)}"
        host = FileNode(raw_host, node.index, node.id)
        root.nodes[index] = host
        found.append(GroupInstance(host, FileGraph(raw_body, where, notes)))
        notes.add(
            UNPROVEN_VIRTUAL,
            f"the group node `{name}` is read as a subgraph",
            f"{root.pointer}/nodes/{node.index}",
            node.id,
        )
    # The editor puts the new instances after all other nodes.
    hosts = {id(item.host) for item in found}
    root.nodes.sort(key=lambda node: id(node) in hosts)
    return found


def number_groups(root: LiveGraph, groups: list[GroupInstance]) -> None:
    """
    Give the nodes of group nodes the ids that the editor gives them: after all others.
    """
    if not groups:
        return
    last = root.file.raw.get("last_node_id")
    counter = last if type(last) is int else 0
    counter = max([counter, *(int(node.id) for node in root.nodes if node.id.isdecimal())])
    for group in groups:
        host = root.by_id[group.host.id]
        if host.body is None:
            continue
        for node in host.body.nodes:
            counter += 1
            node.emit_id = str(counter)
        counter += 1
        host.emit_id = str(counter)


def _all_known(members: list[Any], catalog: NodeCatalog) -> bool:
    for member in members:
        kind = as_dict(member).get("type")
        if not isinstance(kind, str):
            return False
        if plan_of(catalog, kind) is None and not is_virtual(kind):
            return False
    return True


class _Member:
    """
    One node of a group in the making.

    Attributes:
        raw: The node as a JSON object of a subgraph definition.
        plan: Its class, `None` for nodes of the editor.
        slots: Its inputs by name.
        feeds: Its outputs that feed other members.
        fed: Whether another member feeds it.
    """

    __slots__ = ("fed", "feeds", "plan", "raw", "slots")

    def __init__(self, source: dict[str, Any], index: int, plan: ClassPlan | None) -> None:
        self.raw = {**source, "id": index}
        self.plan = plan
        inputs = [{**as_dict(slot), "link": None} for slot in as_list(source.get("inputs"))]
        self.slots: dict[str, dict[str, Any]] = {str(slot.get("name")): slot for slot in inputs}
        self.raw["inputs"] = inputs
        self.raw["outputs"] = [
            {**as_dict(slot), "links": []} for slot in as_list(source.get("outputs"))
        ]
        self.feeds: set[int] = set()
        self.fed = False

    @property
    def type(self) -> str:
        """The class, or the name of a node of the editor."""
        return str(self.raw.get("type"))

    def slot(self, name: str) -> dict[str, Any]:
        """
        Give the input of that name, added if the file does not store it.
        """
        found = self.slots.get(name)
        if found is None:
            found = self.slots[name] = {"name": name, "link": None}
            self.raw["inputs"].append(found)
        return found

    def slot_at(self, index: int) -> dict[str, Any] | None:
        """
        Give the input at a position of the stored list, else of the class's sockets.
        """
        inputs = self.raw["inputs"]
        if index < len(inputs):
            found: dict[str, Any] = inputs[index]
            return found
        plain = [slot.name for slot in self.plan.section.sockets] if self.plan else []
        return self.slot(plain[index]) if index < len(plain) else None


class _Builder:
    """
    Writes one group node as a subgraph definition and its instance.
    """

    def __init__(
        self, node: FileNode, members: list[Any], data: dict[str, Any], catalog: NodeCatalog
    ) -> None:
        self.node = node
        self.members = [
            _Member(as_dict(item), index, plan_of(catalog, str(as_dict(item).get("type"))))
            for index, item in enumerate(members)
        ]
        self.config = as_dict(data.get("config"))
        self.external = {
            (ext[0], ext[1])
            for ext in as_list(data.get("external"))
            if isinstance(ext, list) and len(ext) > 1 and type(ext[0]) is type(ext[1]) is int
        }
        self.links: list[dict[str, Any]] = []
        self.seen: dict[str, int] = {}
        self.inputs: list[dict[str, Any]] = []
        self.outputs: list[dict[str, Any]] = []
        for item in as_list(data.get("links")):
            self._connect(item)

    def build(self, body_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """
        Give the instance and the definition as JSON objects.
        """
        values = as_list(self.node.raw.get("widgets_values"))
        position = 0
        for index, member in enumerate(self.members):
            position = self._take_values(member, values, position)
            self._expose_inputs(index, member)
            self._expose_outputs(index, member)
        host = {**self.node.raw, "type": body_id, "widgets_values": []}
        body = {
            "id": body_id,
            "name": self.node.type,
            "nodes": [member.raw for member in self.members],
            "links": self.links,
            "inputs": self.inputs,
            "outputs": self.outputs,
        }
        return host, body

    def _connect(self, item: Any) -> None:
        """
        Take over a link between two members; links to the outside have null at one end.
        """
        if not isinstance(item, list) or len(item) < 4:
            return
        source, source_slot, target, target_slot = item[:4]
        if not all(type(end) is int and end >= 0 for end in item[:4]):
            return
        if source >= len(self.members) or target >= len(self.members):
            return
        slot = self.members[target].slot_at(target_slot)
        if slot is None:
            return
        slot["link"] = self._link(source, source_slot, target)
        self.members[source].feeds.add(source_slot)
        self.members[target].fed = True
        outputs = self.members[source].raw["outputs"]
        if source_slot < len(outputs):
            outputs[source_slot]["links"].append(slot["link"])

    def _link(self, source: int, source_slot: int, target: int, target_slot: int = 0) -> int:
        link_id = len(self.links) + 1
        self.links.append(
            {
                "id": link_id,
                "origin_id": source,
                "origin_slot": source_slot,
                "target_id": target,
                "target_slot": target_slot,
            }
        )
        return link_id

    def _take_values(self, member: _Member, values: list[Any], position: int) -> int:
        """
        Give a member its values out of those of the group node.
        """
        own = as_list(member.raw.get("widgets_values"))
        if member.plan is None:
            if member.type != PRIMITIVE or not own:
                return position
            taken = values[position : position + len(own)]
            member.raw["widgets_values"] = taken + own[len(taken) :]
            return position + len(taken)
        converted = {as_dict(slot.get("widget")).get("name") for slot in member.slots.values()} - {
            None
        }
        taken = []
        skipping = False
        for at, widget in enumerate(member.plan.section.widgets):
            if widget.kind != "CONTROL":
                skipping = widget.name in converted
            if skipping or position >= len(values):
                taken.append(own[at] if at < len(own) else widget.default)
            else:
                taken.append(values[position])
                position += 1
        member.raw["widgets_values"] = [None if value is ABSENT else value for value in taken]
        return position

    def _settings(self, index: int, side: str, key: str) -> dict[str, Any]:
        return as_dict(as_dict(as_dict(self.config.get(str(index))).get(side)).get(key))

    def _outer_name(self, index: int, member: _Member, name: str) -> str:
        """
        Give the name under which a member's input stands on the group node.
        """
        custom = self._settings(index, "input", name).get("name")
        label = member.slots.get(name, {}).get("label")
        outer = key = str(custom or label or name)
        title = member.raw.get("title")
        if (member.type == PRIMITIVE and title) or outer in self.seen:
            start = title or member.type
            outer = key = f"{start} {name}"
            if outer in self.seen:
                outer = f"{start} {self.seen[outer]} {name}"
        self.seen[key] = self.seen.get(key, 1) + 1
        return outer

    def _expose_inputs(self, index: int, member: _Member) -> None:
        for name, kind, widget in self._sockets(index, member):
            # A reroute's input has no name; the group node names it after its type.
            bare = "" if member.plan is None and "" in member.slots else name
            stored = member.slots.get(bare)
            if stored is not None and stored["link"] is not None:
                continue
            outer = self._outer_name(index, member, name)
            if widget and stored is None:
                # A widget that was never made a socket; its name is taken all the same.
                continue
            if self._settings(index, "input", name).get("visible") is False:
                continue
            link_id = self._link(-10, len(self.inputs), index)
            member.slot(bare)["link"] = link_id
            self.inputs.append({"name": outer, "type": kind, "linkIds": [link_id]})

    def _sockets(self, index: int, member: _Member) -> list[tuple[str, str, bool]]:
        if member.plan is not None:
            return [(slot.name, slot.type, slot.widget) for slot in member.plan.section.sockets]
        if self._is_inner(index, member):
            return []
        if member.type in REROUTES:
            kind = self._reroute_type(index)
            return [(kind, kind, False)]
        return [
            (str(slot.get("name", "")), str(slot.get("type", "*")), False)
            for slot in member.slots.values()
        ]

    def _reroute_type(self, index: int) -> str:
        for link in self.links:
            if link["origin_id"] == index:
                target = self.members[link["target_id"]]
                for slot in target.slots.values():
                    if slot["link"] == link["id"] and isinstance(slot.get("type"), str):
                        return str(slot["type"])
        return "*"

    def _is_inner(self, index: int, member: _Member) -> bool:
        """
        Whether a reroute serves members only, so that the group node does not show it.
        """
        return member.fed and bool(member.feeds) and (index, 0) not in self.external

    def _expose_outputs(self, index: int, member: _Member) -> None:
        kinds = member.plan.output_types if member.plan is not None else []
        if member.plan is None and not self._is_inner(index, member):
            kinds = [str(slot.get("type", "*")) for slot in member.raw["outputs"]]
        for slot, kind in enumerate(kinds):
            visible = self._settings(index, "output", str(slot)).get("visible")
            if visible is None:
                visible = slot not in member.feeds or (index, slot) in self.external
            if visible:
                link_id = self._link(index, slot, -20, len(self.outputs))
                self.outputs.append({"name": kind, "type": kind, "linkIds": [link_id]})
