"""
Changing links, and finding ids that nothing uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from comfygraph.core.values import InputValue, Link, Node, Prompt

_LONGEST_NUMBER = 15


def map_all(
    prompt: Prompt, turn: Callable[[Link], Link | None], chosen: set[str] | None = None
) -> Prompt:
    """
    Change the links of all nodes, or of those that are chosen; nodes without a change are shared.
    """
    return Prompt(
        {
            node_id: map_links(node, turn) if chosen is None or node_id in chosen else node
            for node_id, node in prompt.items()
        }
    )


def map_links(node: Node, turn: Callable[[Link], Link | None]) -> Node:
    """
    Change the links of a node; `None` takes the input away. Gives the same node if none did.
    """
    changed: dict[str, Link | None] = {}
    for name, link in node.links():
        turned = turn(link)
        if turned is not link:
            changed[name] = turned
    if not changed:
        return node
    inputs: dict[str, InputValue] = {}
    for name, value in node.inputs.items():
        if name not in changed:
            inputs[name] = value
        elif changed[name] is not None:
            inputs[name] = changed[name]
    return replace(node, inputs=inputs)


def linked_ids(prompt: Prompt) -> set[str]:
    """
    Give the ids that links lead to, those of missing nodes included.
    """
    return {link.node_id for node in prompt.nodes() for _, link in node.links()}


def fresh_ids(taken: set[str]) -> Iterator[str]:
    """
    Yield numbers above all those that are taken.
    """
    # Longer ids are no counters, and int() of megabytes of digits is slow.
    numbers = (int(i) for i in taken if len(i) <= _LONGEST_NUMBER and i.isascii() and i.isdecimal())
    number = max(numbers, default=0)
    while True:
        number += 1
        if str(number) not in taken:
            yield str(number)
