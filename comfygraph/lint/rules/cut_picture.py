"""
CG722 cut-picture.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along


@rule(
    id="CG722",
    name="cut-picture",
    severity=Severity.INFO,
    signs=("flow:cut",),
)
def cut_picture(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports pictures that lose pixels when they are encoded, as their sides are no multiples of the VAE's cells.

    ## Why is this bad?
    `VAEEncode` cuts the rest off, half on each side: what comes back is smaller, and no longer lies on the
    picture that it was made from.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["9", 0], "denoise": 0.6}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "EmptyImage", "inputs": {"width": 516, "height": 512, "batch_size": 1, "color": 0}},
     "9": {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": ["1", 2]}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["9", 0], "denoise": 0.6}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "EmptyImage", "inputs": {"width": 512, "height": 512, "batch_size": 1, "color": 0}},
     "9": {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": ["1", 2]}}}
    ```
    """
    flow = ctx.flow
    for node_id in ctx.nodes:
        if not (ctx.class_type(node_id) or "").startswith("VAEEncode"):
            continue
        view = flow.view(node_id)
        old, vae = view.size("pixels"), view.model("vae")
        if old is None or (vae is not None and vae.name == "pixel_space"):
            continue  # `VAELoader` gives by this name a VAE that has no cells.
        # All VAEs of pictures have cells of 8 pixels or a multiple of that.
        cell = vae.space.scale if vae is not None and vae.space is not None else 8
        wide, high = old.width // cell * cell, old.height // cell * cell
        if (wide, high) == (old.width, old.height):
            continue
        pixels = view.inputs.get("pixels")
        origin = pixels[0] if isinstance(pixels, list) and pixels else node_id
        yield ctx.at_input(
            node_id,
            "pixels",
            f"{old.width} × {old.height} is cut down to {wide} × {high}",
            help=f"scale or crop it to multiples of {cell} first",
            related=(along(ctx, f"{old.width} × {old.height}", [origin, node_id]),),
        )
