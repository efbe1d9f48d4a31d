"""
CG210 dynamic-selector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comfygraph.catalog import InputSpec
from comfygraph.catalog.dynamic import combo_options
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Fix, Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import one_of, shown


@rule(
    id="CG210",
    name="dynamic-selector",
    severity=Severity.ERROR,
    signs=("unchosen",),
)
def dynamic_selector(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports selectors of dynamic inputs that are missing, linked, or have a value that is no choice.

    ## Why is this bad?
    The inputs of a choice exist only where the selector names it. Else the server checks neither the
    selector nor those inputs, accepts the prompt, and the node fails when it runs.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "3": {"class_type": "ResizeImageMaskNode", "inputs": {"input": ["1", 0], "resize_type": "scale by multiplyer", "resize_type.multiplier": 2.0, "scale_method": "area"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "3": {"class_type": "ResizeImageMaskNode", "inputs": {"input": ["1", 0], "resize_type": "scale by multiplier", "resize_type.multiplier": 2.0, "scale_method": "area"}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "out"}}}
    ```
    """
    for fault in ctx.faults.get("unchosen", ()):
        if fault.spec is not None:
            inputs = ctx.nodes[fault.node_id]["inputs"]
            yield _finding(ctx, fault.node_id, fault.spec, inputs)


def _finding(ctx: RuleContext, node_id: str, spec: InputSpec, inputs: Mapping[str, Any]) -> Finding:
    name = spec.name
    keys = [option.get("key") for option in combo_options(spec)]
    texts = [str(key) for key in keys]
    help = f"one of {one_of(texts)}" if texts else None
    fixes: tuple[Fix, ...] = ()
    if name not in inputs:
        message = f"the selector `{name}` is missing: the node fails when it runs"
    elif isinstance(inputs[name], list):
        message = f"the selector `{name}` is linked: what it chooses is not known in time"
    else:
        value = inputs[name]
        message = f"`{name}` is {shown(value)}, none of its {len(keys)} choices"
        near = ctx.nearest(value, texts) if isinstance(value, str) else None
        if near:
            help = f"did you mean `{near}`?"
            best = keys[texts.index(near)]
            fixes = (
                ctx.set_fix(node_id, name, best, f"set `{name}` to {shown(best)}", safe=False),
            )
    severity = ctx.if_run(node_id)
    if name not in inputs and spec.group is not None:
        # Inside of another choice the node gets a mapping without the key, and may well cope:
        # SaveVideo of ComfyUI 0.33.0 saves without `format.codec`.
        message = f"the selector `{name}` is missing: the node may fail when it runs"
        severity = Severity.WARNING if severity is None else severity
    return ctx.at_input(node_id, name, message, help=help, fixes=fixes, severity=severity)
