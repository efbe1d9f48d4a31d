"""
CG108 unknown-input.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._dynamic import in_dynamic_group
from comfygraph.lint.rules._links import is_executor_link
from comfygraph.lint.validators import NO_VALIDATOR, VALIDATORS

WIDGETS = {"SaveGLB": ("image",), "Preview3D": ("image",), "Preview3DAdvanced": ("image",)}
"""Widgets that the editor adds to a class of its own accord, and writes into the prompt."""


def _editor_writes(ctx: RuleContext, node_id: str, name: str) -> bool:
    class_type = ctx.definitions[node_id].class_type
    # A validator that takes `**kwargs` means to see what the class does not declare.
    takes_all = VALIDATORS.get(class_type, NO_VALIDATOR).takes_all
    return takes_all or name in WIDGETS.get(class_type, ())


@rule(
    id="CG108",
    name="unknown-input",
    severity=Severity.WARNING,
    signs=("undeclared", "undeclared-list"),
)
def unknown_input(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports constants in inputs that the node's class does not declare.

    ## Why is this bad?
    The server drops them without a word: a misspelt name, or one of another version of the class.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0, "colour": 3}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for constant in ctx.undeclared:
        if is_executor_link(constant.value):
            continue  # A link here is worse, and another finding.
        node_id, name = constant.node_id, constant.input
        if in_dynamic_group(ctx, node_id, name) or _editor_writes(ctx, node_id, name):
            continue
        specs = ctx.checked[node_id].specs
        missing = [key for key in specs if key not in ctx.nodes[node_id]["inputs"]]
        help = ctx.did_you_mean(name, missing, specs)
        message = f"`{ctx.class_type(node_id)}` has no input `{name[:100]}`: the value is ignored"
        fix = ctx.remove_fix(node_id, name, f"remove `{name[:100]}`", safe=True)
        yield ctx.at_input(node_id, name, message, help=help or "remove it", fixes=(fix,))
