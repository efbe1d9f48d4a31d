"""
Where a graph uses what changed in a class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from comfygraph.catalog.diff import Change, fits
from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.catalog.specs import AUTOGROW, MATCH_TYPE, InputSpec
from comfygraph.core.graph import GraphView
from comfygraph.core.values import Link, Node, Prompt


@dataclass(frozen=True, slots=True)
class Use:
    """
    A place in a graph that a change breaks.

    Args:
        prompt: The name of the graph.
        node_id: The node.
        input: The input, or `None` for the node as a whole.
    """

    prompt: str
    node_id: str
    input: str | None

    def to_json(self) -> dict[str, Any]:
        """
        Give the place as JSON.
        """
        return {"prompt": self.prompt, "node_id": self.node_id, "input": self.input}


def uses_of(
    change: Change,
    label: str,
    prompt: Prompt,
    view: GraphView,
    node_id: str,
    catalog: NodeCatalog,
) -> Iterator[Use]:
    """
    Yield the places where the change of a class breaks one node of that class.

    Args:
        change: The change.
        label: The name of the graph.
        prompt: The graph.
        view: The graph seen as one.
        node_id: A node of the class.
        catalog: The catalog as it is now.
    """
    if not change.breaking and change.kind != "input-retyped":
        return
    node = prompt[node_id]
    if change.slot is not None:
        yield from _takers(change, label, prompt, view, node_id, catalog)
    elif change.old is None and change.new is None:
        yield Use(label, node_id, None)
    else:
        for name in _inputs(change, prompt, node, catalog):
            yield Use(label, node_id, name)


def _takers(
    change: Change,
    label: str,
    prompt: Prompt,
    view: GraphView,
    node_id: str,
    catalog: NodeCatalog,
) -> Iterator[Use]:
    for edge in view.consumers(node_id):
        if edge.slot != change.slot:
            continue
        if change.kind == "output-retyped":
            taker = prompt[edge.node_id]
            facts = catalog.get(taker.class_type)
            spec = facts.expand(taker.inputs).get(edge.input) if facts is not None else None
            if spec is None or _flows(change.after, spec.type):
                continue
        yield Use(label, edge.node_id, edge.input)


def _inputs(change: Change, prompt: Prompt, node: Node, catalog: NodeCatalog) -> Iterator[str]:
    values = node.inputs
    new = change.new
    if new is None:
        if change.old is not None:
            yield from change.old.names_in(values)
        return
    spec = new.spec
    if change.kind in ("required-input-added", "input-now-required"):
        if new.exists_for(values) and "*" not in new.name and new.name not in values:
            yield new.name
        return
    if spec.type == AUTOGROW:
        yield from _members(change, new.name, spec, values)
        return
    for name in new.names_in(values):
        value = values[name]
        if change.kind == "input-retyped":
            broken = not _takes(spec, value, prompt, catalog)
        elif isinstance(value, Link):
            broken = False
        elif change.kind == "options-removed":
            gone = change.before
            broken = value in gone or (
                isinstance(value, list) and any(member in gone for member in value)
            )
        else:
            broken = _out_of_range(change, value)
        if broken:
            yield name


def _members(change: Change, group: str, spec: InputSpec, values: Any) -> Iterator[str]:
    if change.kind == "options-removed":
        for member in change.before:
            if f"{group}.{member}" in values:
                yield f"{group}.{member}"
    elif change.kind == "range-narrowed" and isinstance(spec.min, int):
        for member in (spec.options or ())[: spec.min]:
            if f"{group}.{member}" not in values:
                yield f"{group}.{member}"


def _out_of_range(change: Change, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or change.new is None:
        return False
    spec = change.new.spec
    low, high = spec.min, spec.max
    return (isinstance(low, int | float) and value < low) or (
        isinstance(high, int | float) and value > high
    )


def _takes(spec: InputSpec, value: Any, prompt: Prompt, catalog: NodeCatalog) -> bool:
    """
    Tell whether an input of a new type still takes what the graph gives it.
    """
    if isinstance(value, Link):
        source = prompt.get(value.node_id)
        facts = catalog.get(source.class_type) if source is not None else None
        if facts is None or not -len(facts.outputs) <= value.slot < len(facts.outputs):
            return False
        return _flows(facts.outputs[value.slot].type, spec.type)
    kinds = {part.strip() for part in spec.type.split(",")}
    if spec.options is not None:
        return value in spec.options
    if kinds & {"STRING", "BOOLEAN", "*"}:
        return True
    if kinds & {"INT", "FLOAT"}:
        return isinstance(value, int | float)
    return False


def _flows(received: str, wanted: str) -> bool:
    return MATCH_TYPE in (received, wanted) or fits(received, wanted)
