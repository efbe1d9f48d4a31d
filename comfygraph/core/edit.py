"""
Pure edits: each takes a prompt and gives a new one; nodes that are not touched are shared.

Every edit is linear in the prompt. None asks a catalog whether the result makes sense,
that is lint's work; but no edit leaves a link to a node that it took away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from comfygraph.core.bypass import Classes, bypass
from comfygraph.core.find import NodeRef, node_of
from comfygraph.core.links import fresh_ids, linked_ids, map_all, map_links
from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.values import InputValue, Link, Node, Prompt, as_link
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


def fresh_id(prompt: Prompt) -> str:
    """
    Give the id that the next new node gets: one above the largest number in use.

    Ids that links only point at count as used, else a new node would mend a broken link.
    """
    return next(fresh_ids({*prompt, *linked_ids(prompt)}))


def add_node(
    prompt: Prompt,
    class_type: str,
    inputs: Mapping[str, InputValue],
    *,
    node_id: str | None = None,
    title: str | None = None,
) -> Prompt:
    """
    Add a node at the end.

    Args:
        prompt: The prompt.
        class_type: The class of the new node.
        inputs: Input name → constant or link; `[node_id, slot]` is taken for a link.
        node_id: The id of the new node; default is `fresh_id(prompt)`.
        title: The title of the new node.

    Raises:
        EditError: The id is taken, or a link leads nowhere.
    """
    node = _new_node(prompt, class_type, inputs, node_id, title)
    nodes = dict(prompt)
    nodes[node.id] = node
    return Prompt(nodes)


def set_input(
    prompt: Prompt, node_id: NodeRef, name: str, value: InputValue, *, must_exist: bool = False
) -> Prompt:
    """
    Set one input of a node.

    Args:
        prompt: The prompt.
        node_id: The node, or its id.
        name: The input; it is added at the end when the node has none of that name.
        value: A constant or a link; `[node_id, slot]` is taken for a link.
        must_exist: Refuse to add an input that the node does not have.

    Raises:
        EditError: There is no such node or input, or the link leads nowhere.
    """
    node = node_of(prompt, node_id)
    if must_exist and name not in node.inputs:
        raise _no_input(node, name)
    inputs = {**node.inputs, name: _checked(prompt, value)}
    return _with(prompt, replace(node, inputs=inputs))


def remove_input(prompt: Prompt, node_id: NodeRef, name: str) -> Prompt:
    """
    Take one input off a node.

    Raises:
        EditError: There is no such node or input.
    """
    node = node_of(prompt, node_id)
    if name not in node.inputs:
        raise _no_input(node, name)
    return _with(prompt, replace(node, inputs={k: v for k, v in node.inputs.items() if k != name}))


def set_title(prompt: Prompt, node_id: NodeRef, title: str | None) -> Prompt:
    """
    Set the title of a node (`_meta.title`), or take it away with `None`.

    Args:
        prompt: The prompt.
        node_id: The node, or its id.
        title: The new title.

    Raises:
        EditError: There is no such node.
    """
    node = node_of(prompt, node_id)
    meta = dict(node.meta or {})
    if title is not None:
        meta["title"] = title
    else:
        meta.pop("title", None)
    return _with(prompt, replace(node, meta=meta or None))


def rename_node(prompt: Prompt, node_id: NodeRef, new_id: str) -> Prompt:
    """
    Give a node another id; it keeps its place, and links follow.

    Args:
        prompt: The prompt.
        node_id: The node, or its id.
        new_id: Its new id.

    Raises:
        EditError: There is no such node, or the new id is taken.
    """
    node = node_of(prompt, node_id)
    here = node.id
    if new_id == here:
        return prompt
    _check_free(prompt, new_id)
    nodes: dict[str, Node] = {}
    for key, other in prompt.items():
        moved = map_links(
            other, lambda link: Link(new_id, link.slot) if link.node_id == here else link
        )
        if key == here:
            moved = replace(moved, id=new_id)
        nodes[moved.id] = moved
    return Prompt(nodes)


def replace_node(
    prompt: Prompt,
    node_id: NodeRef,
    class_type: str,
    *,
    inputs: Mapping[str, InputValue] | None = None,
    slots: Mapping[int, int | None] | None = None,
) -> Prompt:
    """
    Put a node of another class in a node's place: same id, same title.

    Args:
        prompt: The prompt.
        node_id: The node to replace.
        class_type: The new class.
        inputs: The new inputs; default is those of the old node.
        slots: Old output slot → new one, or `None` to cut the links that take it. Slots
            that are not named stay.

    Raises:
        EditError: There is no such node, or a link leads nowhere.
    """
    node = node_of(prompt, node_id)
    here = node.id
    given = node.inputs if inputs is None else _checked_inputs(prompt, inputs)
    changed = _with(prompt, replace(node, class_type=class_type, inputs=given))
    if not slots:
        return changed

    def turn(link: Link) -> Link | None:
        if link.node_id != here or link.slot not in slots:
            return link
        slot = slots[link.slot]
        return None if slot is None else Link(here, slot)

    return map_all(changed, turn)


def remove_node(
    prompt: Prompt,
    node_id: NodeRef,
    *,
    classes: Classes | None = None,
    links: Mapping[int, Link | None] | None = None,
) -> Prompt:
    """
    Take a node away and re-link what took its outputs.

    An output slot that `links` names is replaced as told. For the others a catalog allows to
    bypass the node, as the editor does: they are replaced by the first link among the node's
    inputs that carries the same socket type. Links that find no replacement are cut.

    Args:
        prompt: The prompt.
        node_id: The node to remove.
        classes: A catalog, or a function from class name to facts.
        links: Output slot → the link that takes its place, or `None` to cut.

    Raises:
        EditError: There is no such node, or a replacement leads nowhere.
    """
    node = node_of(prompt, node_id)
    here = node.id
    given = dict(links or {})
    for link in given.values():
        if link is not None:
            _check_link(prompt, link)
            if link.node_id == here:
                raise EditError(f"node `{shorten(here)}` cannot take its own place")
    found: dict[int, Link | None] = {}

    def turn(link: Link) -> Link | None:
        if link.node_id != here:
            return link
        if link.slot in given:
            return given[link.slot]
        if link.slot not in found:
            found[link.slot] = bypass(prompt, node, link.slot, classes)
        return found[link.slot]

    rest = Prompt({key: other for key, other in prompt.items() if key != here})
    return map_all(rest, turn)


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
        _check_link(prompt, new)
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
        raise _no_input(node, name)
    carried = node.inputs[name]
    if not isinstance(carried, Link):
        raise EditError(
            f"input `{shorten(name)}` of node `{shorten(here)}` is a constant, not a link"
        )
    others = dict(inputs or {})
    others.pop(into, None)
    fresh = _new_node(prompt, class_type, others, new_id, title)
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


def _with(prompt: Prompt, node: Node) -> Prompt:
    nodes = dict(prompt)
    nodes[node.id] = node
    return Prompt(nodes)


def _new_node(
    prompt: Prompt,
    class_type: str,
    inputs: Mapping[str, InputValue],
    node_id: str | None,
    title: str | None,
) -> Node:
    if node_id is not None:
        _check_free(prompt, node_id)
    return Node(
        id=node_id if node_id is not None else fresh_id(prompt),
        class_type=class_type,
        inputs=_checked_inputs(prompt, inputs),
        meta={"title": title} if title is not None else None,
    )


def _checked_inputs(prompt: Prompt, inputs: Mapping[str, InputValue]) -> dict[str, InputValue]:
    return {name: _checked(prompt, value) for name, value in inputs.items()}


def _checked(prompt: Prompt, value: InputValue) -> InputValue:
    link = value if isinstance(value, Link) else as_link(value)
    if link is None:
        return value
    _check_link(prompt, link)
    return link


def _check_link(prompt: Prompt, link: Link) -> None:
    node_of(prompt, link.node_id)


def _check_free(prompt: Prompt, node_id: str) -> None:
    if not node_id:
        raise EditError("a node id cannot be empty")
    if node_id in prompt:
        raise EditError(
            f"node id `{shorten(node_id)}` is taken by `{shorten(prompt[node_id].title)}`",
            hint=f"`{fresh_id(prompt)}` is free",
        )


def _no_input(node: Node, name: str) -> EditError:
    return EditError(
        f"node `{shorten(node.id)}` ({shorten(node.class_type)}) has no input `{shorten(name)}`",
        hint=did_you_mean(name, node.inputs),
    )
