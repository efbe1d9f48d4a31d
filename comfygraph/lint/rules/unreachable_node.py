"""
CG105 unreachable-node.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG105",
    name="unreachable-node",
    severity=Severity.WARNING,
    signs=("unreachable",),
)
def unreachable_node(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes that no output needs.

    ## Why is this bad?
    The server neither checks nor runs them: they are left over, or a link is missing.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "5": {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 32, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    if not ctx.outputs:
        return
    reachable = ctx.reachable
    loose = [node_id for node_id in ctx.nodes if node_id not in reachable]
    if not loose:
        return
    feeds = {source for node_id in loose for source in ctx.adjacency[node_id]}
    for node_id in loose:
        if node_id in feeds:
            continue  # Its consumer is reported: one cause, one finding.
        yield ctx.at_node(
            node_id, "no output needs this node: it does not run", help="link it, or remove it"
        )
