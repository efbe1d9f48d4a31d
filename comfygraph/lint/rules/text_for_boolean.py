"""
CG311 text-for-boolean.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown

NO = frozenset({"", "0", "f", "false", "n", "no", "none", "null", "off"})
"""What people write for false."""


@rule(
    id="CG311",
    name="text-for-boolean",
    severity=Severity.WARNING,
    signs=("rewritten",),
)
def text_for_boolean(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports text where `true` or `false` is meant.

    ## Why is this bad?
    Every text but the empty one is true: the server turns `"false"` into `true`.

    ## Example
    ```json
    {"1": {"class_type": "PrimitiveBoolean", "inputs": {"value": "false"}},
     "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "PrimitiveBoolean", "inputs": {"value": false}},
     "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}}}
    ```
    """
    for node_id, name, before, after, _ in ctx.rewrites:
        if not isinstance(before, str) or not isinstance(after, bool):
            continue
        meant = before.strip().casefold() not in NO
        message = f"`{name}` is the text {shown(before)}, which the server takes for {shown(after)}"
        title = f"write {shown(meant)}"
        fix = ctx.set_fix(node_id, name, meant, title, safe=meant is after)
        yield ctx.at_input(node_id, name, message, help=title, fixes=(fix,))
