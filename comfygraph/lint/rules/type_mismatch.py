"""
CG203 type-mismatch.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.catalog import InputSpec
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Fix, Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.sockets import accepts, type_text

LOOKED_AT = 500
"""A suggestion is worth looking at so many nodes, not at a whole large graph."""


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _nearest_fitting(
    ctx: RuleContext, node_id: str, spec: InputSpec
) -> tuple[tuple[str, int], str] | None:
    """Look for an output that fits: first upstream, nearest first, then anywhere safe."""
    seen = {node_id}
    ring = [node_id]
    while ring and len(seen) < LOOKED_AT:
        ring = [source for item in ring for source in ctx.adjacency.get(item, ())]
        ring = [source for source in dict.fromkeys(ring) if source not in seen]
        seen.update(ring)
        for source in ring:
            slot = _fitting_slot(ctx, source, spec)
            if slot is not None:
                return (source, slot), "upstream"
    return None


def _fitting_slot(ctx: RuleContext, node_id: str, spec: InputSpec) -> int | None:
    definition = ctx.definitions.get(node_id)
    for output in definition.outputs if definition is not None else ():
        if output.type != "*" and accepts(spec, output):
            return output.slot
    return None


@rule(
    id="CG203",
    name="type-mismatch",
    severity=Severity.ERROR,
    server_error="return_type_mismatch",
    signs=("type-mismatch",),
)
def type_mismatch(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports links whose output type does not fit the input's.

    ## Why is this bad?
    The server refuses the node.

    ## Example
    ```json
    {"1": {"class_type": "PrimitiveInt", "inputs": {"value": 5}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("type-mismatch", ()):
        name, spec = fault.input or "", fault.spec
        if spec is None:
            continue
        source, slot = ctx.prompt[fault.node_id]["inputs"][name]
        output = ctx.definitions[source].outputs[int(slot)]
        wanted, given = _short(type_text(spec)), _short(type_text(output))
        message = f"`{name}` wants {wanted}, {ctx.label(source)} slot {int(slot)} gives {given}"
        near = _nearest_fitting(ctx, fault.node_id, spec)
        help: str | None = None
        fixes: tuple[Fix, ...] = ()
        if near is not None:
            link, relation = near
            help = (
                f"link it to {ctx.label(link[0])} slot {link[1]}, the nearest {wanted} {relation}"
            )
            fixes = (ctx.set_fix(fault.node_id, name, list(link), help, safe=False),)
        related = (ctx.related(source, f"{given} comes from here"),)
        yield ctx.at_input(fault.node_id, name, message, help=help, related=related, fixes=fixes)
