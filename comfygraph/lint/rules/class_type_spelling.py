"""
CG403 class-type-spelling.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG403",
    name="class-type-spelling",
    severity=Severity.INFO,
    signs=("target:tams",),
)
def class_type_spelling(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target tams`: reports bodies of TensorArt jobs that spell `classType` as ComfyUI does.

    ## Why is this bad?
    Only `classType` is documented. `comfygraph submit` writes it on its own.

    ## Example
    ```json
    {"requestId": "5f0e", "params": {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
                                      "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}}
    ```

    ## Use instead
    ```json
    {"requestId": "5f0e", "params": {"1": {"classType": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
                                      "2": {"classType": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}}
    ```
    """
    if ctx.document.kind == "tams" and ctx.document.class_key == "class_type" and ctx.nodes:
        first = next(iter(ctx.nodes))
        pointer = f"{ctx.node_pointer(first)}/class_type"
        message = "the job spells `class_type`, TensorArt documents `classType`"
        yield Finding(message, pointer, first, help="write `classType` in every node")
