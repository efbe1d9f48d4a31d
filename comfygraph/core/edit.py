"""
Pure edits of nodes: each takes a prompt and gives a new one; nodes that are not touched are
shared. Those of links are in `comfygraph.core.rewire`.

Every edit is linear in the prompt. None asks a catalog whether the result makes sense,
that is lint's work; but no edit leaves a link to a node that it took away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from comfygraph.core.bypass import Classes, bypass
from comfygraph.core.find import NodeRef, node_of
from comfygraph.core.links import fresh_ids, linked_ids, map_all, map_links
from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.values import InputValue, Link, Node, Prompt, as_link
from comfygraph.errors import EditError


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
    node = new_node(prompt, class_type, inputs, node_id, title)
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
        raise no_input(node, name)
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
        raise no_input(node, name)
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
            check_link(prompt, link)
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


def _with(prompt: Prompt, node: Node) -> Prompt:
    nodes = dict(prompt)
    nodes[node.id] = node
    return Prompt(nodes)


def new_node(
    prompt: Prompt,
    class_type: str,
    inputs: Mapping[str, InputValue],
    node_id: str | None,
    title: str | None,
) -> Node:
    """
    Make the node that `add_node` adds.
    """
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
    check_link(prompt, link)
    return link


def check_link(prompt: Prompt, link: Link) -> None:
    """
    Raise an `EditError` unless the link leads to a node.
    """
    node_of(prompt, link.node_id)


def _check_free(prompt: Prompt, node_id: str) -> None:
    if not node_id:
        raise EditError("a node id cannot be empty")
    if node_id in prompt:
        raise EditError(
            f"node id `{shorten(node_id)}` is taken by `{shorten(prompt[node_id].title)}`",
            hint=f"`{fresh_id(prompt)}` is free",
        )


def no_input(node: Node, name: str) -> EditError:
    """
    Say that a node has no such input, and which was perhaps meant.
    """
    return EditError(
        f"node `{shorten(node.id)}` ({shorten(node.class_type)}) has no input `{shorten(name)}`",
        hint=did_you_mean(name, node.inputs),
    )
