"""
CG308 unsafe-integer.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.signs import SAFE_INTEGER


@rule(
    id="CG308",
    name="unsafe-integer",
    severity=Severity.WARNING,
    signs=("unsafe-integer",),
)
def unsafe_integer(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports whole numbers past 2^53 that a JavaScript program cannot hold. For seeds it is an information only.

    ## Why is this bad?
    The editor, and every tool in JavaScript, reads 9007199254740993 as 9007199254740992: who opens the graph
    and runs it again gets another picture.

    ## Example
    ```json
    {"1": {"class_type": "PrimitiveInt", "inputs": {"value": 9007199254740993}},
     "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "PrimitiveInt", "inputs": {"value": 9007199254740992}},
     "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}}}
    ```
    """
    for node_id, name, value, spec in ctx.numbers:
        if isinstance(value, float) or spec is None or -SAFE_INTEGER <= value <= SAFE_INTEGER:
            continue
        if value.bit_length() > 1000 or int(float(value)) == value or (node_id, name) in ctx.faulty:
            continue  # It survives, or the server refuses it anyway.
        near = int(float(value))
        message = f"`{name}` is {value}, which the editor reads as {near}"
        seed = "control_after_generate" in spec.opts or "seed" in name.casefold()
        yield ctx.at_input(
            node_id,
            name,
            message,
            help="keep it below 2^53 if the graph may be opened in the editor",
            severity=Severity.INFO if seed else None,
        )
