"""
CG104 no-output.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG104",
    name="no-output",
    severity=Severity.ERROR,
    server_error="prompt_no_outputs",
    signs=("no-output",),
)
def no_output(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports a prompt without any output node (`SaveImage`, `PreviewImage`, ...).

    ## Why is this bad?
    The server starts from output nodes and refuses a prompt that has none.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    if ctx.workflow_inside:
        return
    if ctx.outputs:
        pointer = ctx.document.base.removesuffix("/prompt") + "/partial_execution_targets"
        message = "`partial_execution_targets` names no output node: nothing would run"
        yield Finding(message, pointer, help="leave it out to run every output")
        return
    if not ctx.signs.isdisjoint(("unknown-class", "no-class", "malformed")):
        return  # A node whose class is not known may well be an output.
    if isinstance(ctx.document.prompt, dict):
        what = "has no output node" if ctx.prompt else "is empty"
        help = "add a node that keeps a result, such as SaveImage"
        yield Finding(f"the prompt {what}: nothing would run", ctx.document.base, help=help)
