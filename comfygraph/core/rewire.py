"""
Pure edits of links: each takes a prompt and gives a new one; nodes that are not touched are
shared. Those of nodes are in `comfygraph.core.edit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from comfygraph.core.edit import check_link, new_node, no_input
from comfygraph.core.find import NodeRef, node_of
from comfygraph.core.links import fresh_ids, linked_ids, map_all, map_links
from comfygraph.core.nearest import shorten
from comfygraph.core.values import InputValue, Link, Node, Prompt
from comfygraph.errors import EditError


@dataclass(frozen=True, slots=True)
class Merged:
    """
    Two prompts made one.

    Args:
        prompt: All nodes of the first, then all of the second.
        ids: Id in the second prompt → id in the merged one, for every node of the second.
    """

    prompt: Prompt
    ids: Mapping[str, str]


def relink(
    prompt: Prompt, old: Link, new: Link | None, *, only: Iterable[str] | None = None
) -> Prompt:
    """
    Let everything that takes one output take another.

    Args:
        prompt: The prompt.
        old: The output that is taken now; its node may be missing.
        new: The output to take instead; `None` cuts the links.
        only: Ids of the nodes to look at; default is all.

    Raises:
        EditError: The new link or one of `only` names no node.
    """
    if new is not None:
        check_link(prompt, new)
    chosen = None if only is None else {node_of(prompt, node_id).id for node_id in only}
    return map_all(prompt, lambda link: new if link == old else link, chosen)


def splice(
    prompt: Prompt,
    node_id: NodeRef,
    name: str,
    class_type: str,
    into: str,
    *,
    slot: int = 0,
    inputs: Mapping[str, InputValue] | None = None,
    everywhere: bool = False,
    new_id: str | None = None,
    title: str | None = None,
) -> Prompt:
    """
    Put a new node into a link.

    The new node's input `into` takes what the link carried, and the link's end takes output
    `slot` of the new node, which stands right behind the node that the link came from.

    Args:
        prompt: The prompt.
        node_id: The node at the end of the link.
        name: Its input that holds the link.
        class_type: The class of the new node.
        into: The new node's input for what the link carried.
        slot: The new node's output slot.
        inputs: Its other inputs.
        everywhere: Let every other taker of the same output take the new node as well.
        new_id: The id of the new node; default is `fresh_id(prompt)`.
        title: The title of the new node.

    Raises:
        EditError: There is no such node, input or link, the id is taken, or one of the
            other inputs leads nowhere.
    """
    node = node_of(prompt, node_id)
    here = node.id
    if name not in node.inputs:
        raise no_input(node, name)
    carried = node.inputs[name]
    if not isinstance(carried, Link):
        raise EditError(
            f"input `{shorten(name)}` of node `{shorten(here)}` is a constant, not a link"
        )
    others = dict(inputs or {})
    others.pop(into, None)
    fresh = new_node(prompt, class_type, others, new_id, title)
    fresh = replace(fresh, inputs={into: carried, **fresh.inputs})
    end = Link(fresh.id, slot)
    nodes: dict[str, Node] = {}
    if carried.node_id not in prompt:
        nodes[fresh.id] = fresh
    for key, other in prompt.items():
        if everywhere:
            nodes[key] = map_links(other, lambda link: end if link == carried else link)
        elif key == here:
            nodes[key] = replace(other, inputs={**other.inputs, name: end})
        else:
            nodes[key] = other
        if key == carried.node_id:
            nodes[fresh.id] = fresh
    return Prompt(nodes)


def merge(first: Prompt, second: Prompt) -> Merged:
    """
    Put two prompts into one that has all nodes of both.

    The first keeps its ids. A node of the second keeps its id if nothing in the first has
    it or links to it; else it gets a fresh one, and links follow. A link that was broken
    before stays broken: it never leads into the other prompt.
    """
    taken = {*first, *linked_ids(first)}
    named = dict.fromkeys([*second, *sorted(linked_ids(second))])
    fresh = fresh_ids({*taken, *named})
    ids = {node_id: next(fresh) if node_id in taken else node_id for node_id in named}
    nodes = dict(first)
    for node_id, node in second.items():
        moved = map_links(node, lambda link: _moved(link, ids))
        if ids[node_id] != node_id:
            moved = replace(moved, id=ids[node_id])
        nodes[moved.id] = moved
    return Merged(Prompt(nodes), {node_id: ids[node_id] for node_id in second})


def _moved(link: Link, ids: Mapping[str, str]) -> Link:
    new_id = ids[link.node_id]
    return link if new_id == link.node_id else Link(new_id, link.slot)
