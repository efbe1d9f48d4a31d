"""
CG202 slot-out-of-range.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Fix, Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import one_of, shown
from comfygraph.lint.sockets import accepts


@rule(
    id="CG202",
    name="slot-out-of-range",
    severity=Severity.ERROR,
    server_error="exception_during_inner_validation",
    signs=("bad-slot",),
)
def slot_out_of_range(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports links to an output slot that the other node's class does not have.

    ## Why is this bad?
    The server answers with the bare text of an exception.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 5], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("bad-slot", ()):
        name = fault.input or ""
        source, slot = ctx.prompt[fault.node_id]["inputs"][name]
        outputs = ctx.definitions[source].outputs
        have = one_of([f"{output.slot} {output.name}" for output in outputs]) or "none"
        message = (
            f"`{name}` is linked to slot {shown(slot)} of {ctx.label(source)}, which has {have}"
        )
        fitting = [o for o in outputs if fault.spec is not None and accepts(fault.spec, o)]
        help: str | None = None
        fixes: tuple[Fix, ...] = ()
        if len(fitting) == 1:
            best = fitting[0]
            help = f"slot {best.slot} ({best.name}) fits"
            fixes = (ctx.set_fix(fault.node_id, name, [source, best.slot], help, safe=False),)
        related = (ctx.related(source, f"{ctx.label(source)} stands here"),)
        yield ctx.at_input(fault.node_id, name, message, help=help, related=related, fixes=fixes)
