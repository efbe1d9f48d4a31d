"""
CG212 beyond-autogrow.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._dynamic import group_of, members_text
from comfygraph.lint.rules._links import HANG, dead_end, is_executor_link


@rule(
    id="CG212",
    name="beyond-autogrow",
    severity=Severity.ERROR,
    signs=("undeclared-list",),
)
def beyond_autogrow(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports links in members that a growing group of inputs does not have, such as the 51st of 50 images.

    ## Why is this bad?
    The server's validation passes over them, and the node fails when it runs.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "3": {"class_type": "BatchImagesNode", "inputs": {"images.image0": ["1", 0], "images.image1": ["1", 0], "images.image99": ["1", 0]}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "3": {"class_type": "BatchImagesNode", "inputs": {"images.image0": ["1", 0], "images.image1": ["1", 0], "images.image2": ["1", 0]}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "out"}}}
    ```
    """
    for constant in ctx.undeclared:
        node_id, name, link = constant.node_id, constant.input, constant.value
        group = group_of(ctx, node_id, name) if is_executor_link(link) else None
        if group is None:
            continue
        message = f"`{name[:100]}` is no member of `{group.name}`, which has {members_text(group)}"
        reason = dead_end(ctx, link)
        help = "the node fails when it runs" if reason is None else f"{reason}: {HANG}"
        yield ctx.at_input(node_id, name, message, help=help, severity=ctx.if_run(node_id))
