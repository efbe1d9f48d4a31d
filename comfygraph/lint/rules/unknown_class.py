"""
CG101 unknown-class.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.core.nearest import did_you_mean, nearest
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Edit, Fix, Severity
from comfygraph.lint.rule import rule

_HELP = "if a node pack brings it, check against its server: `--catalog` takes a saved /object_info"


@rule(
    id="CG101",
    name="unknown-class",
    severity=Severity.ERROR,
    server_error="missing_node_type",
    signs=("unknown-class",),
)
def unknown_class(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes whose `class_type` is not in the node catalog, reachable or not.

    ## Why is this bad?
    The server refuses the whole prompt at the first such node, even if nothing uses it.

    ## Example
    ```json
    {"1": {"class_type": "EmtpyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    names: list[str] | None = None
    for node_id in ctx.unknown:
        class_type = ctx.class_type(node_id) or ""
        names = names if names is not None else ctx.catalog.names()
        message = f"`{class_type[:100]}` is not a node class of {ctx.catalog.label}"
        near = nearest(class_type, names)
        fixes: tuple[Fix, ...] = ()
        pointer = f"{ctx.node_pointer(node_id)}/{ctx.document.class_key}"
        if near:
            title = f"rename the class to `{near[0]}`"
            fixes = (Fix(title, (Edit(pointer, "set", near[0]),)),)
        help = did_you_mean(class_type, names) or _HELP
        yield Finding(message, pointer, node_id, help=help, fixes=fixes)
