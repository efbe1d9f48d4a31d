"""
CG206 undeclared-link.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._dynamic import group_of, in_dynamic_group
from comfygraph.lint.rules._links import HANG, dead_end, is_executor_link


@rule(
    id="CG206",
    name="undeclared-link",
    severity=Severity.ERROR,
    signs=("undeclared-list",),
)
def undeclared_link(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports links in inputs that the node's class does not declare.

    ## Why is this bad?
    The server's validation passes over them, its executor follows them. If the other node or its slot does
    not exist, the worker dies and every later job waits for ever; else the node fails when it runs.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out", "bogus": ["77", 0]}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for constant in ctx.undeclared:
        node_id, name, link = constant.node_id, constant.input, constant.value
        if not is_executor_link(link) or _told_elsewhere(ctx, node_id, name, link[0]):
            continue
        class_type = ctx.class_type(node_id)
        specs = ctx.checked[node_id].specs
        missing = [key for key in specs if key not in ctx.nodes[node_id]["inputs"]]
        near = ctx.did_you_mean(name, missing, specs)
        reason = dead_end(ctx, link)
        if reason is not None:
            message = f"`{class_type}` has no input `{name[:100]}`, and {reason}: {HANG}"
            severity = ctx.if_run(node_id)
        elif ctx.definitions[node_id].python_module.startswith("custom_nodes"):
            # Packs take more than they declare, and the catalog does not tell which do.
            message = f"`{class_type}` declares no input `{name[:100]}`, the link is not checked"
            severity = Severity.WARNING
        else:
            message = f"`{class_type}` has no input `{name[:100]}`: the node fails when it runs"
            severity = ctx.if_run(node_id)
        title = f"remove `{name[:100]}`"
        fix = ctx.remove_fix(node_id, name, title, safe=reason is not None)
        yield ctx.at_input(
            node_id, name, message, help=near or "remove it", fixes=(fix,), severity=severity
        )


def _told_elsewhere(ctx: RuleContext, node_id: str, name: str, source: str) -> bool:
    knot = ctx.knots.get(node_id)
    if knot is not None and ctx.knots.get(source) == knot:
        return True  # It closes a cycle.
    return in_dynamic_group(ctx, node_id, name) or group_of(ctx, node_id, name) is not None
