"""
CG205 negative-slot.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown


@rule(
    id="CG205",
    name="negative-slot",
    severity=Severity.WARNING,
    signs=("odd-slot",),
)
def negative_slot(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports output slots below 0, and booleans in their place.

    ## Why is this bad?
    The server counts them from the end, as Python does, and takes `true` for 1. Other services and the
    editor do not, and nobody who reads the graph expects it.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", -1], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for link in ctx.links:
        slot, spec = link.slot, link.spec
        if (slot >= 0 and slot is not True and slot is not False) or spec is None:
            continue
        definition = ctx.definitions.get(link.source)
        if definition is None or (link.node_id, link.input) in ctx.faulty:
            continue
        index = int(slot) if slot >= 0 else len(definition.outputs) + slot
        output = definition.outputs[index]
        where = f"slot {index} ({output.name}) of {ctx.label(link.source)}"
        message = f"`{link.input}` is linked to slot {shown(slot)}: the server takes {where}"
        title = f"write slot {index}"
        fix = ctx.set_fix(link.node_id, link.input, [link.source, index], title, safe=True)
        yield ctx.at_input(link.node_id, link.input, message, help=title, fixes=(fix,))
