"""
CG004 wrapped-prompt.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Edit, Fix, Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import one_of


@rule(
    id="CG004",
    name="wrapped-prompt",
    severity=Severity.INFO,
    signs=("kind:wrapped",),
)
def wrapped_prompt(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports a prompt that is wrapped in `{"prompt": …}`.

    ## Why is this bad?
    That is the body of `POST /prompt`, not a prompt: tools that want a prompt take `prompt` for a node.
    comfygraph reads both.

    ## Example
    ```json
    {"prompt": {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
                "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    if not ctx.prompt:
        return  # What is wrapped is no prompt, and another finding.
    others = [key for key in ctx.document.value if key != "prompt"]
    edits = (Edit(ctx.document.base, "unwrap"),)
    fixes = (Fix("unwrap it", edits, safe=set(others) <= {"client_id"}),)
    message = 'the prompt is wrapped in `{"prompt": …}`, as the body of a request is'
    help = f"{one_of(others)} would be lost without the wrapping" if others else "unwrap it"
    yield Finding(message, ctx.document.base, help=help, fixes=fixes)
