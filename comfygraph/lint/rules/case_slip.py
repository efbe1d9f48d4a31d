"""
CG305 case-slip.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._slips import slips, tell


@rule(
    id="CG305",
    name="case-slip",
    severity=Severity.ERROR,
    server_error="value_not_in_list",
    signs=("not-in-list", "file-missing", "unlisted"),
)
def case_slip(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports values that are in the list of their input but for upper and lower case.

    ## Why is this bad?
    The server compares exactly, and refuses the node.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "Area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```
    """
    for found in slips(ctx, "case"):
        yield tell(ctx, found, "which the server spells", safe=True)
