"""
Which node of one prompt is which of another: by what it computes, by id, by what it resembles.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sized
from typing import Any

from comfygraph.core.adjacency import reverse, topological_order
from comfygraph.core.values import Link, Node, Prompt

MOST_PAIRS = 40_000
"""Pairs of nodes of one class that are scored; a larger group is paired in order."""

MOST_LOOKS = 2_000_000
"""So many inputs and users of theirs are looked at; a group with more is paired in order."""


def match_nodes(
    old: Prompt, new: Prompt, old_digests: Mapping[str, str], new_digests: Mapping[str, str]
) -> dict[str, str]:
    """
    Pair the nodes of two prompts.

    In this order: nodes that compute the same from the same; nodes of the same id and class;
    nodes of the same class, the most alike first (title, constants, paired neighbours).

    Args:
        old: The prompt before.
        new: The prompt after.
        old_digests: What `digests` gives of the one.
        new_digests: What it gives of the other.

    Returns:
        Old id → new id, for the nodes that are in both.
    """
    pairs: dict[str, str] = {}
    taken: set[str] = set()

    def pair(old_id: str, new_id: str) -> None:
        pairs[old_id] = new_id
        taken.add(new_id)

    # Where several nodes compute the same, those that kept their id belong together.
    for node_id, digest in old_digests.items():
        if new_digests.get(node_id) == digest:
            pair(node_id, node_id)
    twins: dict[str, list[str]] = {}
    for node_id, digest in reversed([*new_digests.items()]):
        if node_id not in taken:
            twins.setdefault(digest, []).append(node_id)
    for node_id, digest in old_digests.items():
        if node_id not in pairs and twins.get(digest):
            pair(node_id, twins[digest].pop())
    for node_id, node in old.items():
        twin = new.get(node_id)
        if node_id in pairs or node_id in taken or twin is None:
            continue
        if twin.class_type == node.class_type:
            pair(node_id, node_id)
    _pair_alike(old, new, pairs, taken)
    return pairs


def digests(prompt: Prompt) -> dict[str, str]:
    """
    Give node id → a hash of what the node computes: its class, its constants, and the same of
    all that it takes inputs from. Ids, titles and the order of inputs do not count.
    """
    sources = {
        node_id: [link.node_id for _, link in node.links() if link.node_id in prompt]
        for node_id, node in prompt.items()
    }
    out: dict[str, str] = {}
    order = topological_order(sources)
    # Nodes on a cycle have no order; they are hashed without what feeds them.
    ordered = set(order)
    for node_id in [*order, *(key for key in prompt if key not in ordered)]:
        node = prompt[node_id]
        inputs = {
            name: ["link", out.get(value.node_id, "?"), value.slot]
            if isinstance(value, Link)
            else ["value", int(value) if _is_whole(value) else value]
            for name, value in node.inputs.items()
        }
        text = json.dumps([node.class_type, inputs], sort_keys=True)
        out[node_id] = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return out


def _is_whole(value: Any) -> bool:
    """Tell `8.0` from `8.5`: to the server, 8 and 8.0 are the same."""
    return isinstance(value, float) and value.is_integer()


def _pair_alike(old: Prompt, new: Prompt, pairs: dict[str, str], taken: set[str]) -> None:
    rest: dict[str, tuple[list[str], list[str]]] = {}
    for node_id, node in old.items():
        if node_id not in pairs:
            rest.setdefault(node.class_type, ([], []))[0].append(node_id)
    for node_id, node in new.items():
        if node_id not in taken and node.class_type in rest:
            rest[node.class_type][1].append(node_id)
    old_users, new_users = _users(old), _users(new)
    for left, right in rest.values():
        looks = len(right) * sum(_looks(old[a], old_users[a]) for a in left)
        looks += len(left) * sum(len(new_users[b]) for b in right)
        if len(left) * len(right) > MOST_PAIRS or looks > MOST_LOOKS:
            pairs.update(zip(left, right, strict=False))
            continue
        scored = [
            (-_likeness(old[a], new[b], pairs, old_users[a], new_users[b]), i, j)
            for i, a in enumerate(left)
            for j, b in enumerate(right)
        ]
        used_left: set[int] = set()
        used_right: set[int] = set()
        for _, i, j in sorted(scored):
            if i not in used_left and j not in used_right:
                used_left.add(i)
                used_right.add(j)
                pairs[left[i]] = right[j]


def _users(prompt: Prompt) -> dict[str, list[str]]:
    return reverse(
        {
            node_id: [link.node_id for _, link in node.links() if link.node_id in prompt]
            for node_id, node in prompt.items()
        }
    )


def _looks(node: Node, users: Sized) -> int:
    held = (len(value) for value in node.inputs.values() if isinstance(value, list | dict))
    return len(node.inputs) + len(users) + sum(held)


def _likeness(
    old: Node,
    new: Node,
    pairs: Mapping[str, str],
    old_users: Iterable[str],
    new_users: Iterable[str],
) -> float:
    score = 2.0 if old.title == new.title and old.title != old.class_type else 0.0
    for name, value in old.inputs.items():
        other: Any = new.inputs.get(name)
        if isinstance(value, Link):
            same = isinstance(other, Link) and pairs.get(value.node_id) == other.node_id
            score += 1.0 if same and other.slot == value.slot else 0.0
        elif value == other and type(value) is type(other):
            score += 0.5
    mapped = {pairs[user] for user in old_users if user in pairs}
    return score + sum(user in mapped for user in new_users)
