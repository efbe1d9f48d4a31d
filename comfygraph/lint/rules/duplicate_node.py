"""
CG601 duplicate-node.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


def _twins(ctx: RuleContext) -> dict[str, str]:
    """
    Give each node that repeats another one, and the first of its kind.

    A node is known by its class, its constants and the *first of the kind* of each of its
    sources, so that whole branches are compared at the cost of their nodes.
    """
    repeated = _repeated_classes(ctx)
    if not repeated:
        return {}
    firsts: dict[Any, str] = {}
    canon: dict[str, str] = {}
    twins: dict[str, str] = {}
    nodes = ctx.nodes
    for node_id in ctx.order:
        node = nodes.get(node_id)
        if node is None or node["class_type"] not in repeated:
            continue
        parts = []
        for name, value in node["inputs"].items():
            kind: Any = type(value)
            if kind is list and len(value) == 2 and type(value[1]) is int:
                source = value[0]
                value = (
                    (canon.get(source, source), value[1]) if type(source) is str else _text(value)
                )
            elif kind is list or kind is dict:
                value = _text(value)
            parts.append((name, kind, value))
        key = (node["class_type"], frozenset(parts))
        first = firsts.setdefault(key, node_id)
        if first is not node_id:
            canon[node_id] = first
            twins[node_id] = first
    return twins


def _repeated_classes(ctx: RuleContext) -> set[str]:
    seen: set[str] = set()
    repeated: set[str] = set()
    for definition in ctx.definitions.values():
        name = definition.class_type
        (repeated if name in seen else seen).add(name)
    return repeated


def _text(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except RecursionError:
        return f"{id(value)}"  # Too deep to compare: it is like no other.


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
    twins = _twins(ctx)
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
