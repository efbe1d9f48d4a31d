"""
CG005 workflow-as-prompt.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG005",
    name="workflow-as-prompt",
    severity=Severity.ERROR,
    signs=("workflow-inside",),
)
def workflow_as_prompt(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports a workflow of the editor in the place of a prompt.

    ## Why is this bad?
    A workflow has `nodes` and `links` and no inputs by name: the server answers with HTTP 500.

    ## Example
    ```json
    {"prompt": {"nodes": [{"id": 1, "type": "EmptyImage"}], "links": [], "version": 0.4}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    message = "this is a workflow of the editor, where a prompt is wanted"
    help = "convert it with `comfygraph convert`, or export it with the editor's `Export (API)`"
    yield Finding(message, ctx.document.base, help=help)
