"""
CG603 deprecated-node.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG603",
    name="deprecated-node",
    severity=Severity.INFO,
    signs=("deprecated",),
)
def deprecated_node(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes of classes that their authors have deprecated.

    ## Why is this bad?
    They are gone from the menus, and will be gone from the server.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageBatch", "inputs": {"image1": ["1", 0], "image2": ["1", 0]}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "BatchImagesNode", "inputs": {"images.image0": ["1", 0], "images.image1": ["1", 0]}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, definition in ctx.definitions.items():
        if definition.deprecated:
            message = f"`{definition.class_type}` is deprecated"
            yield ctx.at_node(
                node_id, message, help="look for its successor in the menu of the editor"
            )
