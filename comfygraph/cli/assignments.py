"""
`--set NODE.INPUT=VALUE`: find the node and the input that a person means, and set it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from comfygraph.catalog import InputSpec, NodeCatalog
from comfygraph.core.edit import set_input
from comfygraph.core.nearest import did_you_mean
from comfygraph.core.values import JsonValue, Node, Prompt
from comfygraph.errors import UsageError

_FORM = "write it like --set 3.seed=5, --set KSampler.steps=20 or --set '\"my node\".text=a cat'"


@dataclass(frozen=True, slots=True)
class Assignment:
    """
    One `--set`, before anything is looked up.

    Args:
        source: What the person wrote.
        places: The ways to read the left side, `(node, input)`, the likeliest first.
        value: The right side.
    """

    source: str
    places: tuple[tuple[str, str], ...]
    value: str


def read_assignment(source: str) -> Assignment:
    """
    Take `NODE.INPUT=VALUE` apart.

    NODE may stand in quotes, single or double; a backslash keeps the next character as it is
    inside them. Without quotes each dot may be the one between node and input, for titles and
    inputs have dots too.

    Raises:
        UsageError: It is not shaped like that.
    """
    quote = source[:1]
    if quote in ("'", '"'):
        node, rest = _quoted(source, quote)
        name, equals, value = rest[1:].partition("=")
        if rest[:1] != "." or not equals or not name.strip():
            raise UsageError(f"cannot read `--set {source}`", hint=_FORM)
        return Assignment(source, ((node, name.strip()),), value)
    left, equals, value = source.partition("=")
    places = tuple(_splits(left.strip()))
    if not equals or not places:
        raise UsageError(f"cannot read `--set {source}`", hint=_FORM)
    return Assignment(source, places, value)


def apply_assignments(prompt: Prompt, sources: Iterable[str], catalog: NodeCatalog) -> Prompt:
    """
    Set inputs of a graph as a person asks.

    Args:
        prompt: The graph.
        sources: `NODE.INPUT=VALUE` each; NODE is an id, a title, or a class that occurs once.
            VALUE is JSON, else text, as the input wants it.
        catalog: Knows inputs that a node has and does not use, and what they want.

    Raises:
        UsageError: There is no such node or input, or more than one node is meant.
        EditError: The value is a link that leads nowhere.
    """
    for source in sources:
        assignment = read_assignment(source)
        node, name = _find(prompt, assignment, catalog)
        spec = _inputs_of(node, catalog).get(name)
        prompt = set_input(prompt, node.id, name, read_value(assignment.value, spec))
    return prompt


def read_value(text: str, spec: InputSpec | None) -> JsonValue:
    """
    Read a value: as JSON where it is JSON, else as text.

    Text stays text where the input wants text (`text=5`) or has it among its options.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, str) or spec is None:
        return value
    listed = spec.options is not None and text in spec.options and value not in spec.options
    wants_text = spec.type == "STRING" and not isinstance(value, list)
    return text if listed or wants_text else value


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
    raise UsageError(f"the quote in `--set {source}` is not closed", hint=_FORM)


def _splits(left: str) -> Iterator[tuple[str, str]]:
    for index, char in enumerate(left):
        if char == "." and 0 < index < len(left) - 1:
            yield left[:index].strip(), left[index + 1 :].strip()


def _find(prompt: Prompt, assignment: Assignment, catalog: NodeCatalog) -> tuple[Node, str]:
    found: list[tuple[list[Node], str, str]] = []
    for wanted, name in assignment.places:
        nodes = find_nodes(prompt, wanted)
        having = [node for node in nodes if name in _inputs_of(node, catalog)]
        if len(having) == 1 and len(nodes) == 1:
            return having[0], name
        if nodes:
            found.append((nodes, wanted, name))
    if not found:
        raise _no_node(prompt, assignment)
    nodes, wanted, name = found[0]
    if len(nodes) > 1:
        ids = ", ".join(node.id for node in nodes[:8]) + (", …" if len(nodes) > 8 else "")
        raise UsageError(
            f"`--set {assignment.source}`: {len(nodes)} nodes are called `{wanted}`",
            hint=f"say which by its id: {ids}",
        )
    known = _inputs_of(nodes[0], catalog)
    label = f"{nodes[0].class_type} ({nodes[0].id})"
    hint = did_you_mean(name, known) or f"it has {', '.join(known) or 'no inputs'}"
    raise UsageError(f"`--set {assignment.source}`: {label} has no input `{name}`", hint=hint)


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


def _no_node(prompt: Prompt, assignment: Assignment) -> UsageError:
    wanted = assignment.places[-1][0] if len(assignment.places) == 1 else assignment.places[0][0]
    names = list(
        dict.fromkeys(
            name for node in prompt.nodes() for name in (node.id, node.title, node.class_type)
        )
    )
    hint = (
        did_you_mean(wanted, names) or "name it by its id, its title, or a class that occurs once"
    )
    return UsageError(f"`--set {assignment.source}`: no node is called `{wanted}`", hint=hint)


def _inputs_of(node: Node, catalog: NodeCatalog) -> dict[str, InputSpec | None]:
    """
    Give the inputs that may be set: those that the node has, and those that its class knows.
    """
    known: dict[str, InputSpec | None] = dict.fromkeys(node.inputs)
    definition = catalog.get(node.class_type)
    if definition is not None:
        known.update(definition.expand(node.to_json().get("inputs", {})))
    return known
