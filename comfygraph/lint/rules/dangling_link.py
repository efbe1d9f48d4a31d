"""
CG102 dangling-link.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._links import shown_id
from comfygraph.lint.show import shown


@rule(
    id="CG102",
    name="dangling-link",
    severity=Severity.ERROR,
    server_error="exception_during_inner_validation",
    signs=("dangling-link",),
)
def dangling_link(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports links to a node that the prompt does not have.

    ## Why is this bad?
    The server answers with the bare text of a `KeyError`, or, where the class does not declare the
    input, accepts the prompt and then hangs.

    ## Example
    ```json
    {"2": {"class_type": "ImageScale", "inputs": {"image": ["7", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("dangling-link", ()):
        name = fault.input or ""
        value = ctx.prompt[fault.node_id]["inputs"][name]
        source = value[0]
        if not isinstance(source, str) and shown_id(source) in ctx.prompt:
            continue  # An id of the wrong JSON type is another finding.
        spec = fault.spec
        wanted = f" for {spec.type}" if spec is not None else ""
        message = f"`{name}` is linked to node {shown(source)}, which does not exist"
        help = ctx.did_you_mean(source, ctx.prompt) if isinstance(source, str) else None
        yield ctx.at_input(
            fault.node_id, name, message, help=help or f"link it to a node that stands{wanted}"
        )
