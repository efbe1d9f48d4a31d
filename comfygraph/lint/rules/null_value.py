"""
CG313 null-value.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown


@rule(
    id="CG313",
    name="null-value",
    severity=Severity.WARNING,
    signs=("rewritten",),
)
def null_value(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports `null` where text or a boolean is meant.

    ## Why is this bad?
    The server writes the word `None` into the text, and takes `null` for false.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": null}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, name, before, after, _ in ctx.rewrites:
        if before is not None:
            continue
        message = f"`{name}` is null, which the server turns into {shown(after)}"
        meant = "" if isinstance(after, str) else after
        title = f"write {shown(meant)}"
        fix = ctx.set_fix(node_id, name, meant, title, safe=meant == after)
        yield ctx.at_input(node_id, name, message, help=title, fixes=(fix,))
