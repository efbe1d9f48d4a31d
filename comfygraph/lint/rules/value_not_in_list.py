"""
CG303 value-not-in-list.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Fix, Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._slips import slip_of, texts_of
from comfygraph.lint.show import one_of, shown


@rule(
    id="CG303",
    name="value-not-in-list",
    severity=Severity.ERROR,
    server_error="value_not_in_list",
    signs=("not-in-list",),
)
def value_not_in_list(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports values that are not in the closed list of their input.

    ## Why is this bad?
    The server refuses the node. It compares exactly: case and folder separators count.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "lanzcos", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("not-in-list", ()):
        name, spec = fault.input or "", fault.spec
        value = fault.extra.get("received_value")
        if spec is None or slip_of(value, spec) is not None:
            continue  # Only the spelling of a known value is off: another finding.
        options = texts_of(spec)
        text = str(value) if isinstance(value, str | int | float) else ""
        if spec.files and not isinstance(value, str):
            message = f"`{name}` is {shown(value)}, a file name is wanted"
        elif not options:
            message = f"`{name}` is {shown(value)}, and the server has nothing to choose from"
        elif len(options) == 1:
            only = shown(options[0])
            message = f"`{name}` is {shown(value)}, and the only value of its list is {only}"
        else:
            message = (
                f"`{name}` is {shown(value)}, not one of the {len(options)} values of its list"
            )
        near = ctx.nearest(text, options)
        fixes: tuple[Fix, ...] = ()
        if near:
            best = next(option for option in spec.options or () if str(option) == near)
            title = f"set `{name}` to {shown(best)}"
            fixes = (ctx.set_fix(fault.node_id, name, best, title, safe=False),)
        help = f"one of {one_of(list(options))}" if len(options) > 1 else None
        if near:
            help = f"did you mean `{near}`?"
        yield ctx.at_input(fault.node_id, name, message, help=help, fixes=fixes)
