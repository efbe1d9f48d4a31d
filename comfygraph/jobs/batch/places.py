"""
The input that a person means by `3.seed`, `"second pass".denoise`, `positive.text` or `seed`.

A node goes by its id, its title, its class where that occurs once, or its role: `positive` is the
node that is linked to the input `positive` of the samplers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from comfygraph.catalog import InputSpec, NodeCatalog
from comfygraph.core.nearest import did_you_mean, nearest, shorten
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.errors import UsageError

_MOST_NAMED = 8
_MOST_HOPS = 16


class Place(NamedTuple):
    """
    One input of one node.

    Args:
        node_id: The node.
        input: The input's name.
        spec: What the class of the node says of it, or `None` where nobody knows.
    """

    node_id: str
    input: str
    spec: InputSpec | None


class Name(NamedTuple):
    """
    What a person wrote for an input, before anything is looked up.

    Args:
        text: As written.
        readings: The ways to read it, `(node, input)`, the likeliest first; none for the bare
            name of an input.
    """

    text: str
    readings: tuple[tuple[str, str], ...]


def read_name(text: str) -> Name:
    """
    Take `NODE.INPUT` apart, or `INPUT` alone.

    NODE may stand in quotes, single or double; a backslash keeps the next character as it is
    inside them. Without quotes each dot may be the one between node and input, for titles and
    inputs have dots too.

    Raises:
        UsageError: A quote is not closed, or one of the two is empty.
    """
    name, rest = split_name(text)
    if rest.strip():
        raise UsageError(f"cannot read `{shorten(text)}` as the name of an input", hint=FORM)
    return name


FORM = "write it like 3.seed, KSampler.steps, positive.text or '\"my node\".text'"


def split_name(text: str, end: str = "") -> tuple[Name, str]:
    """
    Take the name of an input off the front of a text.

    Args:
        text: The text.
        end: What ends the name, such as `"="`; the name is the whole text where it is empty.

    Returns:
        The name, and the rest from `end` on.

    Raises:
        UsageError: There is no name, or a quote is not closed.
    """
    quote = text.lstrip()[:1]
    if quote and quote in "'\"":
        node, rest = _quoted(text.lstrip(), quote)
        if rest[:1] == ".":
            left, found, right = rest[1:].partition(end) if end else (rest[1:], "", "")
            if left.strip():
                source = text[: len(text) - len(found) - len(right)]
                return Name(source, ((node, left.strip()),)), found + right
        raise UsageError(f"cannot read `{shorten(text)}` as the name of an input", hint=FORM)
    left, found, right = text.partition(end) if end else (text, "", "")
    plain = left.strip()
    if not plain or plain.startswith(".") or plain.endswith("."):
        raise UsageError(f"cannot read `{shorten(text)}` as the name of an input", hint=FORM)
    return Name(plain, tuple(_splits(plain))), found + right


def find_place(prompt: Prompt, name: Name, catalog: NodeCatalog, *, label: str = "") -> Place:
    """
    Look an input up in a graph.

    Args:
        prompt: The graph.
        name: What the person wrote.
        catalog: Knows inputs that a node has and does not use.
        label: What messages call the place where the name was written, such as `--set 3.seed=5`.

    Raises:
        UsageError: There is no such node or input, or more than one is meant; the hint names the
            candidates.
    """
    where = f"`{label or name.text}`"
    if not name.readings:
        return _find_bare(prompt, name.text, catalog, where)
    found: list[tuple[list[Node], str, str]] = []
    for wanted, input_name in name.readings:
        nodes = find_nodes(prompt, wanted) or [
            node for node in in_role(prompt, wanted) if input_name in inputs_of(node, catalog)
        ]
        known = [inputs_of(node, catalog) for node in nodes]
        if len(nodes) == 1 and input_name in known[0]:
            return Place(nodes[0].id, input_name, known[0][input_name])
        if nodes:
            found.append((nodes, wanted, input_name))
    if not found:
        raise _no_node(prompt, name, where)
    nodes, wanted, input_name = found[0]
    if len(nodes) > 1:
        raise UsageError(
            f"{where}: {len(nodes)} nodes are called `{shorten(wanted)}`",
            hint=f"say which by its id: {_listed(nodes)}",
        )
    known_inputs = inputs_of(nodes[0], catalog)
    hint = (
        did_you_mean(input_name, known_inputs) or f"it has {', '.join(known_inputs) or 'no inputs'}"
    )
    raise UsageError(
        f"{where}: {nodes[0].class_type} ({nodes[0].id}) has no input `{shorten(input_name)}`",
        hint=hint,
    )


def find_nodes(prompt: Prompt, wanted: str) -> list[Node]:
    """
    Give the nodes that a name stands for: the id, else all with that title, else all of that class.
    """
    if wanted in prompt:
        return [prompt[wanted]]
    nodes = prompt.nodes()
    return [node for node in nodes if node.title == wanted] or [
        node for node in nodes if node.class_type == wanted
    ]


def in_role(prompt: Prompt, role: str) -> Iterator[Node]:
    """
    Yield the nodes that are linked to an input of this name, then what stands behind them.

    Conditionings pass through nodes such as `ControlNetApply` or `FluxGuidance`; what is linked to
    their `conditioning` has the role too. Each node is given once.
    """
    seen: set[str] = set()
    todo = [
        link.node_id
        for node in prompt.nodes()
        for name, link in node.links()
        if name == role
    ]  # fmt: skip
    for _ in range(_MOST_HOPS):
        behind: list[str] = []
        for node_id in todo:
            node = prompt.get(node_id)
            if node is None or node_id in seen:
                continue
            seen.add(node_id)
            yield node
            behind += [
                link.node_id for name, link in node.links() if name.startswith("conditioning")
            ]
        todo = behind


def inputs_of(node: Node, catalog: NodeCatalog) -> dict[str, InputSpec | None]:
    """
    Give the inputs that may be set: those that the node has, and those that its class knows.
    """
    known: dict[str, InputSpec | None] = dict.fromkeys(node.inputs)
    definition = catalog.get(node.class_type)
    if definition is not None:
        known.update(definition.expand(node.to_json().get("inputs", {})))
    return known


def _find_bare(prompt: Prompt, wanted: str, catalog: NodeCatalog, where: str) -> Place:
    """
    Find the only node that has a constant in this input.
    """
    holders = [
        node
        for node in prompt.nodes()
        if wanted in node.inputs and not isinstance(node.inputs[wanted], Link)
    ]
    if len(holders) == 1:
        return Place(holders[0].id, wanted, inputs_of(holders[0], catalog)[wanted])
    if holders:
        raise UsageError(
            f"{where}: {len(holders)} nodes have an input `{shorten(wanted)}`",
            hint=f"say which, like `{holders[0].id}.{wanted}`: {_listed(holders)}",
        )
    if wanted in prompt:
        first = next(iter(_bare_names({wanted: prompt[wanted]})), "input")
        raise UsageError(
            f"{where}: `{shorten(wanted)}` is a node, not an input",
            hint=f"say which input, like `{wanted}.{first}`",
        )
    names = _bare_names(prompt)
    near = nearest(wanted, names)
    raise UsageError(
        f"{where}: no node has an input `{shorten(wanted)}` that holds a value",
        hint=f"did you mean `{near[0]}`?" if near else FORM,
    )


def _bare_names(prompt: Mapping[str, Node]) -> list[str]:
    return list(
        dict.fromkeys(
            name
            for node in prompt.values()
            for name, value in node.inputs.items()
            if not isinstance(value, Link)
        )
    )


def _no_node(prompt: Prompt, name: Name, where: str) -> UsageError:
    wanted = name.readings[0][0]
    names = dict.fromkeys(
        text
        for node in prompt.nodes()
        for text in (node.id, node.title, node.class_type, *(role for role, _ in node.links()))
    )
    hint = (
        did_you_mean(wanted, names)
        or "name it by its id, its title, a class that occurs once, or its role, such as `positive`"
    )
    return UsageError(f"{where}: no node is called `{shorten(wanted)}`", hint=hint)


def _listed(nodes: Iterable[Node]) -> str:
    several = list(nodes)
    shown = [
        node.id if node.title == node.class_type else f"{node.id} ({shorten(node.title)})"
        for node in several[:_MOST_NAMED]
    ]
    return ", ".join(shown) + (", …" if len(several) > _MOST_NAMED else "")


def _quoted(source: str, quote: str) -> tuple[str, str]:
    out: list[str] = []
    index = 1
    while index < len(source):
        char = source[index]
        if char == "\\" and index + 1 < len(source):
            index += 1
            char = source[index]
        elif char == quote:
            return "".join(out), source[index + 1 :]
        out.append(char)
        index += 1
    raise UsageError(f"the quote in `{shorten(source)}` is not closed", hint=FORM)


def _splits(left: str) -> Iterator[tuple[str, str]]:
    for index, char in enumerate(left):
        if char == "." and 0 < index < len(left) - 1:
            yield left[:index].strip(), left[index + 1 :].strip()
