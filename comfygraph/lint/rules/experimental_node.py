"""
CG604 experimental-node.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG604",
    name="experimental-node",
    severity=Severity.INFO,
    signs=("experimental",),
)
def experimental_node(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes of classes that their authors call experimental.

    ## Why is this bad?
    Their inputs may change with any version of the server.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "4": {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 32, "batch_size": 1, "color": 0}},
     "3": {"class_type": "ComfySwitchNode", "inputs": {"switch": false, "on_false": ["1", 0], "on_true": ["4", 0]}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, definition in ctx.definitions.items():
        if definition.experimental:
            message = f"`{definition.class_type}` is experimental: it may change with any version"
            yield ctx.at_node(
                node_id, message, help="note the version of the server that it runs on"
            )
