"""
CG718 idle-node.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule

_NAMES = {
    "LoraLoader": ("strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("strength_model",),
    "ControlNetApply": ("strength",),
    "ControlNetApplyAdvanced": ("strength",),
    "ImageScaleBy": ("scale_by",),
    "LatentUpscaleBy": ("scale_by",),
}
"""Class → the inputs that make it do nothing."""


@rule(
    id="CG718",
    name="idle-node",
    severity=Severity.INFO,
    signs=("flow:idle",),
)
def idle_node(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes that change nothing: LoRAs and ControlNets of strength 0, scaling by 1 or to the same size,
    samplers without a step to make.

    ## Why is this bad?
    The node loads files and takes time, and its result is what went in. It is left over from trying, or a value
    is wrong.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["10", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["10", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "10": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "style.safetensors", "strength_model": 0.0, "strength_clip": 0.0}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["10", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["10", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "10": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "style.safetensors", "strength_model": 0.8, "strength_clip": 0.8}}}
    ```
    """
    flow = ctx.flow
    for node_id, definition in ctx.definitions.items():
        names = _NAMES.get(definition.class_type)
        if names is None or node_id not in ctx.nodes:
            continue
        view = flow.view(node_id)
        nothing = 1.0 if names[0] == "scale_by" else 0.0
        if any(view.number(name) != nothing for name in names):
            continue
        yield ctx.at_input(
            node_id,
            names[0],
            f"changes nothing: `{names[0]}` is {nothing:g}",
            help="bypass it, or give it another value",
        )
    for node_id in ctx.nodes:
        if ctx.class_type(node_id) not in ("ImageScale", "LatentUpscale"):
            continue
        view = flow.view(node_id)
        old = view.size("image", "samples")
        if old is not None and flow.size(node_id) == old:
            yield ctx.at_input(
                node_id,
                "width",
                f"changes nothing: it scales {old.width} × {old.height} to the same size",
                help="bypass it, or give it another size",
            )
    for run in flow.samplings():
        if run.denoise == 0 or (run.steps == 0 and run.total):
            why = "`denoise` is 0" if run.denoise == 0 else f"it starts at step {run.first}"
            yield ctx.at_node(
                run.node_id,
                f"makes no step: {why}",
                help="bypass it, or let it make steps",
            )
