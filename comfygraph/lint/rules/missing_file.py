"""
CG314 missing-file.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._slips import slip_of, texts_of
from comfygraph.lint.show import shown


@rule(
    id="CG314",
    name="missing-file",
    severity=Severity.ERROR,
    server_error="custom_validation_failed",
    signs=("file-missing",),
)
def missing_file(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports names of input files that the server does not have. It needs a catalog of that server, and names of
    files to be checked strictly.

    ## Why is this bad?
    The class looks for its file before anything runs, and the server refuses the node.

    ## Example
    ```json
    {"1": {"class_type": "LoadImage", "inputs": {"image": "holiday.png"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("file-missing", ()):
        name, spec = fault.input or "", fault.spec
        value = fault.extra["received_value"]
        if spec is not None and slip_of(value, spec) is not None:
            continue  # Only the spelling is off: another finding.
        near = ctx.did_you_mean(value, texts_of(spec) if spec is not None else ())
        message = f"`{name}` is {shown(value)}, a file that {ctx.catalog.label} does not have"
        yield ctx.at_input(
            fault.node_id, name, message, help=near or "upload it to the server first"
        )
