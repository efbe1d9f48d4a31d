"""
CG307 off-step.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.catalog import InputSpec
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown

LARGEST = 2**53
"""Past this, numbers are too coarse to say which grid they are on."""

TOLERANCE = 1e-6
"""Of a step: what a decimal loses when it is stored in binary is far less."""


COMMON = {0.01: 0.01, 0.1: 0.1, 0.05: 0.01, 0.5: 0.1, 0.001: 0.001, 1.0: 1.0}
"""Step → what the editor rounds to, without the logarithms."""


def _grid(spec: InputSpec) -> tuple[float, float] | None:
    """
    Give step and offset of the values that the editor's widget can hold, or `None` for any.

    Models `useIntWidget` and `useFloatWidget` of the ComfyUI frontend: whole numbers lie on
    multiples of `step` from `min`, fractions are rounded to `round`, or to the decimals of `step`.
    """
    step = spec.step
    if isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step < LARGEST:
        return None
    if spec.type == "INT":
        least = spec.min
        exact = isinstance(least, int) and abs(least) < LARGEST
        return (float(step), float(least % step if exact else 0)) if step > 1 else None
    if spec.type != "FLOAT":
        return None
    unit = spec.opts.get("round")
    if unit is False:
        return None
    if isinstance(unit, bool) or not isinstance(unit, int | float) or not 0 < unit < LARGEST:
        from math import floor, log10

        unit = COMMON.get(step) or 10.0 ** min(0, floor(log10(step)))
    return float(unit), 0.0


def _text(size: float) -> str:
    return str(int(size)) if size.is_integer() else f"{size:.9f}".rstrip("0")


@rule(
    id="CG307",
    name="off-step",
    severity=Severity.INFO,
)
def off_step(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports numbers that the editor's widget cannot hold: whole numbers off the `step` grid of their input, and
    fractions finer than it rounds to.

    ## Why is this bad?
    The server takes them. The editor changes them as soon as somebody touches the widget, and most classes
    round them on their own: latent images come in steps of 8 or 16 pixels.

    ## Example
    ```json
    {"1": {"class_type": "EmptyLatentImage", "inputs": {"width": 513, "height": 512, "batch_size": 1}},
     "2": {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "2": {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    grids: dict[int, tuple[float, float] | None] = {}
    for node_id, name, value, spec in ctx.numbers:
        if spec is None:
            continue
        opts = spec.opts  # Most numbers fit at once: it is worth to see that without a call.
        if spec.type == "INT":
            if opts.get("step", 1) == 1:
                continue
        elif type(value) is float and value.is_integer() and "round" not in opts:
            continue
        key = id(spec)
        if key not in grids:
            grids[key] = _grid(spec)
        grid = grids[key]
        if grid is None or value != value or abs(value) > LARGEST:
            continue
        size, shift = grid
        steps = (value - shift) / size
        off = abs(steps - round(steps))
        if off < TOLERANCE or (node_id, name) in ctx.faulty:
            continue
        if (ctx.class_type(node_id) or "").startswith("Primitive"):
            continue  # It stands for the widget that it feeds, which has a grid of its own.
        near = round(steps) * size + shift
        near = round(near) if spec.type == "INT" else round(near, 9)
        title = f"set `{name}` to {near}"
        fix = ctx.set_fix(node_id, name, near, title, safe=False)
        message = f"`{name}` is {shown(value)}, off the grid of {_text(size)}"
        help = f"the editor would make it {near}"
        yield ctx.at_input(node_id, name, message, help=help, fixes=(fix,))
