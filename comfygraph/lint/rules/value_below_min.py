"""
CG302 value-below-min.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._ranges import out_of_range


@rule(
    id="CG302",
    name="value-below-min",
    severity=Severity.ERROR,
    server_error="value_smaller_than_min",
    signs=("below-min",),
)
def value_below_min(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports numbers below the least value of their input.

    ## Why is this bad?
    The server refuses the node.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 0, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("below-min", ()):
        yield out_of_range(ctx, fault, "below the minimum", "min")
