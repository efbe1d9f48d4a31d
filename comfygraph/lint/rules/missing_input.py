"""
CG107 missing-input.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Edit, Fix, Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import one_of, shown


@rule(
    id="CG107",
    name="missing-input",
    severity=Severity.ERROR,
    server_error="required_input_missing",
    signs=("missing-input", "no-file-name"),
)
def missing_input(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports required inputs that are absent.

    ## Why is this bad?
    The server refuses the node. It applies no defaults: those belong to the editor.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("missing-input", ()):
        spec = fault.spec
        name = fault.input or ""
        fixes: tuple[Fix, ...] = ()
        help = None
        if spec is not None and spec.default is not None:
            help = f"the editor would put {shown(spec.default)} there"
            edit = Edit(ctx.input_pointer(fault.node_id, name), "set", spec.default)
            fixes = (Fix(f"add `{name}` with the editor's default", (edit,)),)
        elif spec is not None and spec.is_link_only:
            help = f"link it to an output of type {spec.type}"
        elif spec is not None and spec.options:
            help = f"one of {one_of([str(option) for option in spec.options])}"
        kind = f" ({spec.type})" if spec is not None else ""
        yield ctx.at_input(
            fault.node_id,
            name,
            f"the required input `{name}`{kind} is missing",
            help=help,
            fixes=fixes,
        )
    for fault in ctx.faults.get("no-file-name", ()):
        if fault.spec is not None and not fault.spec.required:
            yield ctx.at_input(fault.node_id, fault.input or "", f"`{fault.input}` is missing")
