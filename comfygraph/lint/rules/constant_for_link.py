"""
CG207 constant-for-link.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.catalog import InputSpec
from comfygraph.catalog.specs import MATCH_TYPE
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._links import is_executor_link
from comfygraph.lint.show import shown

SOCKETS = frozenset(
    {
        "AUDIO", "AUDIO_ENCODER", "AUDIO_ENCODER_OUTPUT", "CLIP", "CLIP_VISION",
        "CLIP_VISION_OUTPUT", "CONDITIONING", "CONTROL_NET", "GLIGEN", "GUIDER", "HOOKS",
        "HOOK_KEYFRAMES", "IMAGE", "LATENT", "LATENT_OPERATION", "MASK", "MESH", "MODEL",
        "MODEL_PATCH", "NOISE", "PHOTOMAKER", "SAMPLER", "SIGMAS", "STYLE_MODEL",
        "UPSCALE_MODEL", "VAE", "VIDEO", "VOXEL",
    }
)  # fmt: skip
"""The core's socket types that no constant stands for. Others may have a widget of their own."""


def _is_socket(spec: InputSpec, given: set[str]) -> bool:
    kinds = {part.strip() for part in spec.type.split(",")}
    return bool(kinds) and "*" not in kinds and all(k in SOCKETS or k in given for k in kinds)


@rule(
    id="CG207",
    name="constant-for-link",
    severity=Severity.ERROR,
    signs=("constant-for-link",),
)
def constant_for_link(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports constants in inputs that only a link can fill, such as MODEL or IMAGE.

    ## Why is this bad?
    The server accepts them, and the node fails when it runs.

    ## Example
    ```json
    {"2": {"class_type": "SaveImage", "inputs": {"images": "cat.png", "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    given = {output.type for found in ctx.definitions.values() for output in found.outputs}
    given.discard(MATCH_TYPE)
    for fault in ctx.faults.get("constant-for-link", ()):
        name, spec = fault.input or "", fault.spec
        value = fault.extra["received_value"]
        if spec is None or not _is_socket(spec, given) or (value is None and not spec.required):
            continue
        if is_executor_link(value):
            continue  # A wrapped link is another finding.
        message = f"`{name}` is {shown(value)}, only a link can give {spec.type}"
        help = f"link it to an output of type {spec.type}"
        if isinstance(value, str) and value in ctx.prompt:
            help = f'a link to node {shown(value)} is `["{value}", slot]`'
        severity = ctx.if_run(fault.node_id)
        yield ctx.at_input(fault.node_id, name, message, help=help, severity=severity)
