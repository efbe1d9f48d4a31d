"""
CG109 missing-inputs.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG109",
    name="missing-inputs",
    severity=Severity.ERROR,
    server_error="exception_during_validation",
    signs=("no-inputs",),
)
def missing_inputs(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes without `inputs`.

    ## Why is this bad?
    The server stumbles over them; where nothing needs the node, it accepts the prompt and its worker
    dies: every later job waits for ever.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "5": {"class_type": "EmptyImage"},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("no-inputs", ()):
        if fault.server_error == "crash":
            help = 'write `"inputs": {}` if the class takes none'
            yield ctx.at_node(fault.node_id, "the node has no `inputs`", help=help)
