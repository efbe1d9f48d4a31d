"""
CG106 missing-class-type.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG106",
    name="missing-class-type",
    severity=Severity.ERROR,
    server_error="missing_node_type",
    signs=("no-class",),
)
def missing_class_type(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes without `class_type`.

    ## Why is this bad?
    The server refuses the whole prompt. The editor writes such nodes when a node pack is missing.

    ## Example
    ```json
    {"1": {"inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, node in ctx.prompt.items():
        if isinstance(node, dict) and node.get("class_type") is None:
            message = "the node has no `class_type`"
            help = "the editor leaves it out when the node's pack is not installed: export again with it"
            yield ctx.at_node(node_id, message, help=help)
