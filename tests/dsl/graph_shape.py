"""
Whether two prompts are the same graph up to node ids, by structural hashes.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from comfygraph.core.values import Link, Prompt


def shape(prompt: Prompt) -> list[str]:
    """
    Give one hash a node, sorted: equal for prompts that differ in ids, order and titles only.

    A node's hash covers all that it is made of and all that is made of it. Numbers are
    compared as numbers, 8 and 8.0 being the same to the server. Linear in nodes and links.
    """
    users: dict[str, list[tuple[str, str, int]]] = {node_id: [] for node_id in prompt}
    waiting = {}
    for node in prompt.nodes():
        links = list(node.links())
        waiting[node.id] = len(links)
        for name, link in links:
            users[link.node_id].append((node.id, name, link.slot))
    ready = [node_id for node_id, count in waiting.items() if count == 0]
    up: dict[str, str] = {}
    for node_id in ready:
        node = prompt[node_id]
        inputs = {name: _plain(value, up) for name, value in sorted(node.inputs.items())}
        up[node_id] = _hash([node.class_type, inputs])
        for user, _, _ in users[node_id]:
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    assert len(prompt) == len(up), "a prompt with a cycle has no shape"
    down: dict[str, str] = {}
    for node_id in reversed(ready):
        uses = sorted([down[user], name, slot] for user, name, slot in users[node_id])
        down[node_id] = _hash([up[node_id], uses])
    return sorted(down.values())


def _plain(value: Any, up: dict[str, str]) -> Any:
    if isinstance(value, Link):
        return ["link", up[value.node_id], value.slot]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return ["number", float(value)]
        except OverflowError:
            return ["number", hex(int(value))]
    return ["value", value]


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
