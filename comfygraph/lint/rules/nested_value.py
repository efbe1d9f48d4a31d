"""
CG417 nested-value.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.core.kinds import kind_of
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._links import is_executor_link


@rule(
    id="CG417",
    name="nested-value",
    severity=Severity.WARNING,
    signs=("target:civitai",),
)
def nested_value(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target civitai`: reports values that are objects, or lists that are no link.

    ## Why is this bad?
    Its `comfy` step takes text, numbers, booleans and links; what it does with others is not documented.

    ## Example
    ```json
    {"1": {"class_type": "PreviewAny", "inputs": {"source": {"__value__": [1, 2, 3]}}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "PreviewAny", "inputs": {"source": "1, 2, 3"}}}
    ```
    """
    for node_id, name, value, _ in (*ctx.others, *ctx.undeclared):
        if isinstance(value, dict) or (isinstance(value, list) and not is_executor_link(value)):
            message = f"`{name[:100]}` is {kind_of(value)}: Civitai's `comfy` step may not take it"
            yield ctx.at_input(node_id, name, message, help="use a `customComfy` step")
