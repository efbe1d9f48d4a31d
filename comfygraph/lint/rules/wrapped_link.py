"""
CG208 wrapped-link.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._links import HANG, dead_end, is_executor_link
from comfygraph.lint.show import shown

_CONVERTED = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN"})
"""Types whose constants the server converts: a list never stays one."""


@rule(
    id="CG208",
    name="wrapped-link",
    severity=Severity.ERROR,
    signs=("object",),
)
def wrapped_link(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports `{"__value__": ["node", 0]}`: a wrapped list that looks like a link.

    ## Why is this bad?
    The server unwraps it after its checks, and then takes it for a link that nobody has checked. If the
    node or the slot does not exist, its worker dies and every later job waits for ever.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "3": {"class_type": "PreviewAny", "inputs": {"source": {"__value__": ["hello", 0]}}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "3": {"class_type": "PreviewAny", "inputs": {"source": "hello"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for constant in ctx.others:
        node_id, name, value, spec = constant
        if spec is None or not isinstance(value, dict) or spec.type in _CONVERTED:
            continue
        link: Any = value.get("__value__")
        if not is_executor_link(link) or ctx.kinds_at(node_id, name) - {"constant-for-link"}:
            continue
        reason = dead_end(ctx, link)
        if reason is not None:
            message = f"`{name}` becomes a link when it is unwrapped, and {reason}: {HANG}"
            help = "a list of a text and a number cannot be given as a value"
            severity = ctx.if_run(node_id)
        else:
            message = (
                f"`{name}` becomes a link to {ctx.label(link[0])} that the server does not check"
            )
            help = f"write {shown(link)}"
            severity = Severity.WARNING
        fix = ctx.set_fix(node_id, name, link, f"write {shown(link)}", safe=False)
        yield ctx.at_input(node_id, name, message, help=help, fixes=(fix,), severity=severity)
