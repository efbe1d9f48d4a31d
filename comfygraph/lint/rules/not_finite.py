"""
CG309 not-finite.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG309",
    name="not-finite",
    severity=Severity.WARNING,
    signs=("not-finite", "rewritten"),
)
def not_finite(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports NaN and infinities.

    ## Why is this bad?
    The server takes them, even past the bounds of the input, and the picture comes out black or empty.
    They are no JSON: the editor and most services cannot read the file at all.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScaleBy", "inputs": {"image": ["1", 0], "upscale_method": "area", "scale_by": NaN}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScaleBy", "inputs": {"image": ["1", 0], "upscale_method": "area", "scale_by": 2.0}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```
    """
    found = [
        (node_id, name, value) for node_id, name, value, spec in ctx.numbers if spec is not None
    ]
    found += [(rewrite.node_id, rewrite.input, rewrite.after) for rewrite in ctx.rewrites]
    for node_id, name, value in found:
        if not isinstance(value, float) or value - value == 0.0 or (node_id, name) in ctx.faulty:
            continue
        kind = "not a number" if value != value else "infinite"
        yield ctx.at_input(node_id, name, f"`{name}` is {kind}", help="give a number")
