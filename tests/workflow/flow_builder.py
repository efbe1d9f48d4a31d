"""
A small way to write workflows by hand in tests.
"""

from __future__ import annotations

from typing import Any


class Flow:
    """
    A graph in the making: nodes by id, links by `(origin, slot) → (target, input)`.
    """

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.links: list[list[Any]] = []

    def node(self, node_id: int | str, kind: str, *values: Any, **more: Any) -> Flow:
        """
        Add a node with these widget values; further keys go into its JSON.
        """
        self.nodes.append(
            {
                "id": node_id,
                "type": kind,
                "mode": 0,
                "inputs": [],
                "outputs": [],
                "properties": {},
                "widgets_values": list(values),
                **more,
            }
        )
        return self

    def link(
        self,
        origin: int | str,
        slot: int,
        target: int | str,
        name: str,
        kind: str = "IMAGE",
        *,
        widget: bool = False,
    ) -> Flow:
        """
        Connect an output to an input, which is added to the target.
        """
        link_id = len(self.links) + 1
        entry: dict[str, Any] = {"name": name, "type": kind, "link": link_id}
        if widget:
            entry["widget"] = {"name": name}
        inputs = self.find(target)["inputs"] if target != -20 else []
        inputs.append(entry)
        if origin != -10:
            outputs = self.find(origin)["outputs"]
            while len(outputs) <= slot:
                outputs.append({"name": kind, "type": kind, "links": []})
            outputs[slot]["links"].append(link_id)
        at = len(inputs) - 1 if target != -20 else 0
        self.links.append([link_id, origin, slot, target, at, kind])
        return self

    def find(self, node_id: int | str) -> dict[str, Any]:
        """
        Give a node.
        """
        return next(node for node in self.nodes if node["id"] == node_id)

    def json(self, **more: Any) -> dict[str, Any]:
        """
        Give the workflow in format 0.4.
        """
        return {
            "last_node_id": 0,
            "last_link_id": len(self.links),
            "nodes": self.nodes,
            "links": self.links,
            "groups": [],
            "config": {},
            "extra": {},
            "version": 0.4,
            **more,
        }

    def subgraph(
        self,
        graph_id: str,
        inputs: list[tuple[str, str]] | None = None,
        outputs: list[tuple[str, str]] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """
        Give the graph as a subgraph definition; links to it come from -10 and go to -20.
        """
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        links = [dict(zip(keys, link, strict=True)) for link in self.links]
        return {
            "id": graph_id,
            "name": graph_id,
            "version": 1,
            "nodes": self.nodes,
            "links": links,
            "inputs": [
                {
                    "name": name,
                    "type": kind,
                    "linkIds": [
                        link["id"]
                        for link in links
                        if link["origin_id"] == -10 and link["origin_slot"] == slot
                    ],
                }
                for slot, (name, kind) in enumerate(inputs or [])
            ],
            "outputs": [
                {
                    "name": name,
                    "type": kind,
                    "linkIds": [link["id"] for link in links if link["target_id"] == -20],
                }
                for name, kind in outputs or []
            ],
            **more,
        }
