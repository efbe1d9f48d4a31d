"""
CG601 duplicate-node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


def twins_of(ctx: RuleContext) -> dict[str, str]:
    """
    Give each node that repeats another one, and the first of its kind.

    A node is known by its class, its constants and the *first of the kind* of each of its
    sources, so that whole branches are compared at the cost of their nodes.
    """
    repeated = _repeated_classes(ctx)
    if not repeated:
        return {}
    firsts: dict[Any, str] = {}
    twins: dict[str, str] = {}
    nodes = ctx.nodes
    for node_id in ctx.order:
        node = nodes.get(node_id)
        if node is None or node["class_type"] not in repeated:
            continue
        inputs = node["inputs"]
        if twins:
            inputs = {name: _canonical(value, twins) for name, value in inputs.items()}
        try:
            key = (node["class_type"], repr(inputs))
        except (RecursionError, ValueError):
            continue  # Too deep, or a number too long to print: it is like no other.
        first = firsts.setdefault(key, node_id)
        if first is not node_id:
            twins[node_id] = first
    return twins


def _canonical(value: Any, twins: Mapping[str, str]) -> Any:
    if type(value) is list and len(value) == 2 and type(value[0]) is str:
        return [twins.get(value[0], value[0]), value[1]]
    return value


def _repeated_classes(ctx: RuleContext) -> set[str]:
    seen: set[str] = set()
    repeated: set[str] = set()
    for definition in ctx.definitions.values():
        name = definition.class_type
        (repeated if name in seen else seen).add(name)
    return repeated


@rule(
    id="CG601",
    name="duplicate-node",
    severity=Severity.INFO,
)
def duplicate_node(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes that do what another node does already: same class, same values, same sources. Nodes without
    links and files cost next to nothing and are left out.

    ## Why is this bad?
    It is left over from copying, or a value was meant to differ. ComfyUI reuses the result of the first;
    other services may do and charge the work twice.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "4": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}},
     "5": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 256, "height": 96, "crop": "disabled"}},
     "4": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}},
     "5": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "out"}}}
    ```
    """
    twins = twins_of(ctx)
    if not twins:
        return
    feeds: dict[str, list[str]] = {}
    for link in ctx.links:
        feeds.setdefault(link.source, []).append(link.node_id)
    for node_id, first in twins.items():
        consumers = feeds.get(node_id)
        if consumers and all(consumer in twins for consumer in consumers):
            continue  # They are told, and this one goes with them.
        definition = ctx.definitions[node_id]
        linked = any(type(value) is list for value in ctx.nodes[node_id]["inputs"].values())
        if not linked and not definition.files:
            continue
        message = f"does what {ctx.label(first)} does already"
        related = (ctx.related(first, f"{ctx.label(first)} is the first"),)
        help = f"link what needs it to {ctx.label(first)}"
        yield ctx.at_node(node_id, message, help=help, related=related)
