"""
`--set NODE.INPUT=VALUE`: find the node and the input that a person means, and set it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from comfygraph.catalog import NodeCatalog
from comfygraph.core.edit import set_input
from comfygraph.core.values import Prompt
from comfygraph.errors import UsageError
from comfygraph.jobs.batch.places import Name, find_place, split_name
from comfygraph.jobs.batch.values import read_value

_FORM = "write it like --set 3.seed=5, --set positive.text=… or --set '\"my node\".text=a cat'"


class Assignment(NamedTuple):
    """
    One `--set`, before anything is looked up.

    Args:
        source: What the person wrote.
        name: The left side.
        value: The right side.
    """

    source: str
    name: Name
    value: str


def read_assignment(source: str) -> Assignment:
    """
    Take `NODE.INPUT=VALUE` apart; see `comfygraph.jobs.batch.places` for the left side.

    Raises:
        UsageError: It is not shaped like that.
    """
    try:
        name, rest = split_name(source, "=")
    except UsageError as exc:
        reason = exc.message if "quote" in exc.message else f"cannot read `--set {source}`"
        raise UsageError(reason, hint=_FORM) from exc
    if not rest:
        raise UsageError(f"cannot read `--set {source}`", hint=_FORM)
    return Assignment(source, name, rest[1:])


def apply_assignments(prompt: Prompt, sources: Iterable[str], catalog: NodeCatalog) -> Prompt:
    """
    Set inputs of a graph as a person asks.

    Args:
        prompt: The graph.
        sources: `NODE.INPUT=VALUE` each; NODE is an id, a title, a class that occurs once, or a
            role such as `positive`; `INPUT=VALUE` where only one node has such an input.
            VALUE is JSON, else text, as the input wants it.
        catalog: Knows inputs that a node has and does not use, and what they want.

    Raises:
        UsageError: There is no such node or input, or more than one node is meant.
        EditError: The value is a link that leads nowhere.
    """
    for source in sources:
        assignment = read_assignment(source)
        place = find_place(prompt, assignment.name, catalog, label=f"--set {source}")
        value = read_value(assignment.value, place.spec)
        prompt = set_input(prompt, place.node_id, place.input, value)
    return prompt


def assigned_places(
    prompt: Prompt, sources: Iterable[str], catalog: NodeCatalog
) -> frozenset[tuple[str, str]]:
    """
    Give the inputs, `(node id, input)`, that assignments set; raises as `apply_assignments` does.
    """
    places = (
        find_place(prompt, read_assignment(source).name, catalog, label=f"--set {source}")
        for source in sources
    )
    return frozenset((place.node_id, place.input) for place in places)
