"""
CG605 paid-node.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG605",
    name="paid-node",
    severity=Severity.INFO,
    signs=("paid",),
)
def paid_node(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes that call a paid service.

    ## Why is this bad?
    Every run costs credits of the account whose key goes with the prompt, and sends its inputs to others.

    ## Example
    ```json
    {"1": {"class_type": "RecraftTextToVectorNode", "inputs": {"prompt": "a lighthouse", "substyle": "cosmics", "size": "1024x1024", "n": 1, "seed": 0}},
     "2": {"class_type": "SaveSVGNode", "inputs": {"svg": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, definition in ctx.definitions.items():
        if definition.api_node:
            message = f"`{definition.class_type}` calls a paid service: each run costs credits"
            yield ctx.at_node(node_id, message, help=None)
