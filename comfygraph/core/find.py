"""
Finding nodes of a prompt by what a person knows of them: class, title, place in the graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from comfygraph.core.adjacency import cone, reverse
from comfygraph.core.graph import adjacency_of
from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.errors import EditError

NodeRef: TypeAlias = str | Node
"""A node, or its id."""

_SHOWN = 8


def node_of(prompt: Prompt, ref: NodeRef) -> Node:
    """
    Give the node of this prompt that a reference means.

    Raises:
        EditError: There is no such node.
    """
    node_id = ref.id if isinstance(ref, Node) else ref
    node = prompt.get(node_id)
    if node is None:
        raise EditError(
            f"no node `{shorten(node_id)}` in the prompt", hint=did_you_mean(node_id, prompt)
        )
    return node


def find_all(
    prompt: Prompt,
    class_type: str | None = None,
    *,
    title: str | None = None,
    upstream_of: NodeRef | None = None,
    downstream_of: NodeRef | None = None,
) -> list[Node]:
    """
    Find nodes, in the order of the prompt; each condition that is given narrows them.

    Args:
        prompt: The prompt.
        class_type: Their class.
        title: Their title; a node without one of its own has its class for a title.
        upstream_of: A node that needs them, at whatever distance.
        downstream_of: A node that they need, at whatever distance.

    Raises:
        EditError: There is no node to be up- or downstream of.
    """
    found: Iterable[Node] = prompt.nodes()
    if class_type is not None:
        found = [node for node in found if node.class_type == class_type]
    if title is not None:
        found = [node for node in found if node.title == title]
    if upstream_of is not None:
        end = node_of(prompt, upstream_of).id
        near = cone(adjacency_of(prompt), [end])
        found = [node for node in found if node.id in near and node.id != end]
    if downstream_of is not None:
        start = node_of(prompt, downstream_of).id
        near = cone(reverse(adjacency_of(prompt)), [start])
        found = [node for node in found if node.id in near and node.id != start]
    return list(found)


def find(
    prompt: Prompt,
    class_type: str | None = None,
    *,
    title: str | None = None,
    upstream_of: NodeRef | None = None,
    downstream_of: NodeRef | None = None,
) -> Node:
    """
    Find the one node for which all conditions hold; see `find_all`.

    Raises:
        EditError: There is none, or more than one; the hint names candidates.
    """
    found = find_all(
        prompt,
        class_type,
        title=title,
        upstream_of=upstream_of,
        downstream_of=downstream_of,
    )
    if len(found) == 1:
        return found[0]
    wanted = [f"of class `{shorten(class_type)}`"] if class_type is not None else []
    wanted += [f'titled "{shorten(title)}"'] if title is not None else []
    for where, ref in (("upstream", upstream_of), ("downstream", downstream_of)):
        if ref is not None:
            wanted.append(f"{where} of {shown(node_of(prompt, ref))}")
    text = " and ".join(wanted) or "in the prompt"
    if found:
        raise EditError(f"{len(found)} nodes are {text}", hint=f"say which: {_list(found)}")
    hint = None
    if title is not None:
        hint = did_you_mean(title, dict.fromkeys(node.title for node in prompt.nodes()))
    if hint is None and class_type is not None:
        hint = did_you_mean(class_type, dict.fromkeys(node.class_type for node in prompt.nodes()))
    raise EditError(f"no node is {text}", hint=hint or f"there are {_list(prompt.nodes())}")


def follow(prompt: Prompt, start: NodeRef, *inputs: str) -> Node:
    """
    Follow links upstream by the names of inputs, and give the node at the end.

        follow(prompt, sampler, "positive", "clip")  # what the positive text takes its CLIP from

    Args:
        prompt: The prompt.
        start: The node to start at.
        inputs: An input of that node, then one of the node that it is linked to, and so on.

    Raises:
        EditError: There is no such node or input, or the input is not linked.
    """
    node = node_of(prompt, start)
    for name in inputs:
        value = node.inputs.get(name)
        linked = [key for key, _ in node.links()]
        if not isinstance(value, Link):
            what = "is not linked" if name in node.inputs else "does not exist"
            raise EditError(
                f"input `{shorten(name)}` of {shown(node)} {what}",
                hint=did_you_mean(name, linked)
                or f"linked are {', '.join(f'`{shorten(key)}`' for key in linked) or 'none'}",
            )
        node = node_of(prompt, value.node_id)
    return node


def shown(node: Node) -> str:
    """
    Name a node for a person: `KSampler "second pass" (17)`.
    """
    title = f' "{shorten(node.title)}"' if node.title != node.class_type else ""
    return f"{shorten(node.class_type)}{title} ({shorten(node.id)})"


def _list(nodes: list[Node]) -> str:
    more = f", … {len(nodes) - _SHOWN} more" if len(nodes) > _SHOWN else ""
    return ", ".join(shown(node) for node in nodes[:_SHOWN]) + more
