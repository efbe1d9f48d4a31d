"""
CG201 malformed-link.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown


@rule(
    id="CG201",
    name="malformed-link",
    severity=Severity.ERROR,
    server_error="bad_linked_input",
    signs=("bad-link",),
)
def malformed_link(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports lists that are no link: a link has two members, `[node_id, slot]`.

    ## Why is this bad?
    The server takes every list for a link, whatever the input wants.

    ## Example
    ```json
    {"2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0, 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("bad-link", ()):
        name = fault.input or ""
        value = ctx.prompt[fault.node_id]["inputs"][name]
        message = f"`{name}` holds {shown(value)}: the server takes a list for a link"
        help = 'a link is `["node id", slot]`; a list as a value is `{"__value__": [...]}`'
        yield ctx.at_input(fault.node_id, name, message, help=help)
