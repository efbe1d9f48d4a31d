"""
CG209 match-type-mismatch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comfygraph.catalog import OutputSpec
from comfygraph.catalog.specs import MATCH_TYPE, InputSpec
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.sockets import accepts

_HELP = "the server does not check this: the node fails when it runs"


@rule(
    id="CG209",
    name="match-type-mismatch",
    severity=Severity.ERROR,
    signs=("match-type",),
)
def match_type_mismatch(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports links around nodes that pass a type through, such as `ComfySwitchNode`, whose types do not fit:
    an input that does not allow the type, inputs that disagree, or a consumer of what comes out.

    ## Why is this bad?
    The server takes such inputs and outputs for anything; the node that gets the wrong thing fails when it
    runs.

    ## Example
    ```json
    {"1": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
     "3": {"class_type": "ResizeImageMaskNode", "inputs": {"input": ["1", 0], "resize_type": "scale by multiplier", "resize_type.multiplier": 2.0, "scale_method": "area"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "3": {"class_type": "ResizeImageMaskNode", "inputs": {"input": ["1", 0], "resize_type": "scale by multiplier", "resize_type.multiplier": 2.0, "scale_method": "area"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "out"}}}
    ```
    """
    given: dict[tuple[str, int], str] = {}
    for node_id in ctx.order:
        definition = ctx.definitions.get(node_id)
        if definition is not None and definition.raw.get("output_matchtypes"):
            yield from _bind(ctx, node_id, given)
    for link in ctx.links:
        kind = given.get((link.source, link.slot))
        spec = link.spec
        if kind is None or spec is None or spec.type == MATCH_TYPE:
            continue
        if accepts(spec, OutputSpec(link.slot, "", kind)):
            continue
        message = f"`{link.input}` wants {spec.type}, {ctx.label(link.source)} passes on {kind}"
        related = (ctx.related(link.source, f"{kind} comes through here"),)
        severity = ctx.if_run(link.node_id)
        yield ctx.at_input(
            link.node_id, link.input, message, help=_HELP, related=related, severity=severity
        )


def _bind(ctx: RuleContext, node_id: str, given: dict[tuple[str, int], str]) -> Iterator[Finding]:
    """Bind the templates of one node to the types that arrive, and pass them to its outputs."""
    definition = ctx.definitions[node_id]
    bound: dict[str, tuple[str, str]] = {}
    unsure: set[str] = set()
    for name, spec in ctx.checked[node_id].specs.items():
        kind = _arriving(ctx, node_id, name, spec, given)
        template = _template(spec)
        if kind is None or template is None:
            continue
        key, allowed = template
        if not _shares(kind, allowed):
            message = f"`{name}` takes {allowed}, and gets {kind}"
            yield ctx.at_input(node_id, name, message, help=_HELP, severity=ctx.if_run(node_id))
            unsure.add(key)
        elif key not in bound:
            bound[key] = (name, kind)
        elif not _shares(kind, bound[key][1]):
            first, other = bound[key]
            message = f"`{name}` gets {kind}, `{first}` gets {other}: one type is passed on"
            yield ctx.at_input(node_id, name, message, severity=Severity.WARNING)
            unsure.add(key)
    for slot, key in enumerate(definition.raw["output_matchtypes"]):
        if isinstance(key, str) and key in bound and key not in unsure:
            given[node_id, slot] = bound[key][1]


def _arriving(
    ctx: RuleContext, node_id: str, name: str, spec: InputSpec, given: dict[tuple[str, int], str]
) -> str | None:
    """Give the type that a link brings, or `None` where that is not known."""
    value: Any = ctx.nodes[node_id]["inputs"].get(name) if node_id in ctx.nodes else None
    if spec.type != MATCH_TYPE or not isinstance(value, list) or (node_id, name) in ctx.faulty:
        return None
    source, slot = value
    definition = ctx.definitions.get(source)
    if definition is None:
        return None
    slot = int(slot) if slot >= 0 else len(definition.outputs) + slot
    output = definition.outputs[slot]
    kind = given.get((source, slot)) if output.type == MATCH_TYPE else output.type
    return None if kind is None or "*" in kind else kind


def _template(spec: InputSpec) -> tuple[str, str] | None:
    template = spec.opts.get("template")
    if not isinstance(template, dict):
        return None
    key, allowed = template.get("template_id"), template.get("allowed_types")
    if not isinstance(key, str):
        return None
    return key, allowed if isinstance(allowed, str) else "*"


def _shares(left: str, right: str) -> bool:
    mine = {part.strip() for part in left.split(",")}
    theirs = {part.strip() for part in right.split(",")}
    return "*" in mine or "*" in theirs or bool(mine & theirs)
