"""
CG413 image-not-https.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._targets import input_names, is_air
from comfygraph.lint.show import shown


@rule(
    id="CG413",
    name="image-not-https",
    severity=Severity.ERROR,
    signs=("target:civitai", "target:civitai-custom", "target:civitai-app"),
)
def image_not_https(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target civitai`: reports input images that are named by a file, or by a URL without `https`.

    ## Why is this bad?
    The workers load images from https URLs, or from blobs that were uploaded before.

    ## Example
    ```json
    {"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "LoadImage", "inputs": {"image": "https://example.com/cat.png"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, name, value in input_names(ctx):
        if value.startswith("https://") or is_air(value):
            continue
        message = f"`{name}` is {shown(value)}: Civitai wants an https URL or the AIR of a blob"
        help = "`comfygraph submit` uploads local files; else give the address of the image"
        yield ctx.at_input(node_id, name, message, help=help)
