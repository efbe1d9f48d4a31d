"""
CG204 integer-link-id.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._links import shown_id
from comfygraph.lint.show import shown


@rule(
    id="CG204",
    name="integer-link-id",
    severity=Severity.ERROR,
    server_error="exception_during_inner_validation",
    signs=("dangling-link",),
)
def integer_link_id(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports links whose node id is a number: `[4, 0]`.

    ## Why is this bad?
    Keys of JSON objects are text, so the server looks for node `"4"` under the number 4 and finds none.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": [1, 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("dangling-link", ()):
        name = fault.input or ""
        source, slot = ctx.prompt[fault.node_id]["inputs"][name]
        if isinstance(source, str) or shown_id(source) not in ctx.prompt:
            continue  # No such node under any spelling: that is a dangling link.
        link = [shown_id(source), slot]
        message = f"`{name}` names its node by {shown(source)}, not by text"
        title = f"write {shown(link)}"
        fix = ctx.set_fix(fault.node_id, name, link, title, safe=True)
        yield ctx.at_input(fault.node_id, name, message, help=title, fixes=(fix,))
