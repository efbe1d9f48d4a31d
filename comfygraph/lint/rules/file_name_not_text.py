"""
CG211 file-name-not-text.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown


@rule(
    id="CG211",
    name="file-name-not-text",
    severity=Severity.ERROR,
    server_error="exception_during_inner_validation",
    signs=("bad-file-name",),
)
def file_name_not_text(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports inputs for the name of a file, such as `image` of `LoadImage`, that are linked or no text.

    ## Why is this bad?
    The class looks for the file before anything runs, and stumbles: the server answers with the text of
    an exception.

    ## Example
    ```json
    {"1": {"class_type": "LoadImage", "inputs": {"image": 5}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("bad-file-name", ()):
        name = fault.input or ""
        if ctx.kinds_at(fault.node_id, name) - {"bad-file-name"}:
            continue
        value = ctx.prompt[fault.node_id]["inputs"][name]
        if isinstance(value, list):
            message = f"`{name}` is linked, this class wants the name of a file itself"
        else:
            message = f"`{name}` is {shown(value)}, the name of a file is text"
        yield ctx.at_input(
            fault.node_id,
            name,
            message,
            help="give the name of a file in the server's input folder",
            accepted=fault.server_error == "execution",
        )
