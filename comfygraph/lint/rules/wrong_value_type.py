"""
CG304 wrong-value-type.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.catalog import InputSpec
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Fix, Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown


def _help(spec: InputSpec | None) -> str | None:
    if spec is None or spec.min is None or spec.max is None:
        return None
    kind = "a whole number" if spec.type == "INT" else "a number"
    return f"give {kind} from {spec.min} to {spec.max}"


@rule(
    id="CG304",
    name="wrong-value-type",
    severity=Severity.ERROR,
    server_error="invalid_input_type",
    signs=("not-convertible", "not-comparable"),
)
def wrong_value_type(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports constants that the server cannot turn into the type of their input.

    ## Why is this bad?
    The server refuses the node.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": "wide", "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for kind in ("not-convertible", "not-comparable"):
        for fault in ctx.faults.get(kind, ()):
            name, spec = fault.input or "", fault.spec
            value = ctx.prompt[fault.node_id]["inputs"][name]
            wanted = spec.type if spec is not None else "another type"
            message = f"`{name}` is {shown(value)}, which is no {wanted}"
            help = _help(spec)
            fixes: tuple[Fix, ...] = ()
            if spec is not None and spec.default is not None:
                title = f"set `{name}` to its default {shown(spec.default)}"
                fixes = (ctx.set_fix(fault.node_id, name, spec.default, title, safe=False),)
            yield ctx.at_input(fault.node_id, name, message, help=help, fixes=fixes)
