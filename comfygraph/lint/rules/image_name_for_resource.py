"""
CG402 image-name-for-resource.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._targets import RESOURCE_ID, input_names
from comfygraph.lint.show import shown


@rule(
    id="CG402",
    name="image-name-for-resource",
    severity=Severity.WARNING,
    signs=("target:tams",),
)
def image_name_for_resource(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target tams`: reports input images that are named by a file or a URL.

    ## Why is this bad?
    TensorArt takes images by the resource id that its upload gives.

    ## Example
    ```json
    {"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "LoadImage", "inputs": {"image": "9f0c1d2e-3b4a-4c5d-8e6f-7a8b9c0d1e2f"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, name, value in input_names(ctx):
        if RESOURCE_ID.fullmatch(value):
            continue
        message = f"`{name}` is {shown(value)}: TensorArt wants the id of an uploaded resource"
        help = "`comfygraph submit` uploads local files; else give the id of an upload"
        yield ctx.at_input(node_id, name, message, help=help)
