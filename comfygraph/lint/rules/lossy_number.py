"""
CG312 lossy-number.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown


@rule(
    id="CG312",
    name="lossy-number",
    severity=Severity.WARNING,
    signs=("rewritten",),
)
def lossy_number(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports numbers that the server changes: fractions where a whole number is meant, booleans for numbers.

    ## Why is this bad?
    It cuts 128.7 to 128 and makes 1 of `true`, without a word.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64.7, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, name, before, after, _ in ctx.rewrites:
        if not isinstance(before, bool | float) or (
            before == after and not isinstance(before, bool)
        ):
            continue
        if isinstance(after, bool | str) or (node_id, name) in ctx.faulty:
            continue
        message = f"`{name}` is {shown(before)}, which the server turns into {shown(after)}"
        title = f"write {shown(after)}"
        fix = ctx.set_fix(node_id, name, after, title, safe=True)
        yield ctx.at_input(node_id, name, message, help=title, fixes=(fix,))
