"""
CG310 text-for-number.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown


@rule(
    id="CG310",
    name="text-for-number",
    severity=Severity.WARNING,
    signs=("rewritten",),
)
def text_for_number(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports numbers that are written as text: `"64"`.

    ## Why is this bad?
    The server converts them; other services, schemas and tools that read the graph do not.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": "64", "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, name, before, after, _ in ctx.rewrites:
        if not isinstance(before, str) or not isinstance(after, int | float):
            continue
        if isinstance(after, bool) or after - after != 0 or (node_id, name) in ctx.faulty:
            continue
        title = f"write {shown(after)}"
        fix = ctx.set_fix(node_id, name, after, title, safe=True)
        message = f"`{name}` is the text {shown(before)}, not a number"
        yield ctx.at_input(node_id, name, message, help=title, fixes=(fix,))
