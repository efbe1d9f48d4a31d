"""
CG721 stretched-picture.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along

TOLERANCE = 0.03
"""Share by which the ratio may change: rounding to whole cells is no mistake."""


@rule(
    id="CG721",
    name="stretched-picture",
    severity=Severity.WARNING,
    signs=("flow:scale",),
)
def stretched_picture(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports pictures and latents that are scaled to another aspect ratio without cropping.

    ## Why is this bad?
    Everything in the picture gets broader or longer; a second pass draws it so.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "LatentUpscale", "inputs": {"samples": ["5", 0], "upscale_method": "nearest-exact", "width": 1024, "height": 768, "crop": "disabled"}},
     "9": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 2, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["8", 0], "denoise": 0.5}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "LatentUpscale", "inputs": {"samples": ["5", 0], "upscale_method": "nearest-exact", "width": 1024, "height": 1024, "crop": "disabled"}},
     "9": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 2, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["8", 0], "denoise": 0.5}}}
    ```
    """
    flow = ctx.flow
    for node_id in ctx.nodes:
        if ctx.class_type(node_id) not in ("ImageScale", "LatentUpscale"):
            continue
        view = flow.view(node_id)
        old = view.size("image", "samples")
        width, height = view.number("width"), view.number("height")
        if old is None or not width or not height or view.text("crop") != "disabled":
            continue
        stretch = (width / height) / (old.width / old.height)
        if abs(stretch - 1) <= TOLERANCE:
            continue
        by = abs(stretch - 1) if stretch > 1 else 1 / stretch - 1
        source = view.inputs.get("image" if "image" in view.inputs else "samples")
        origin = source[0] if isinstance(source, list) and source else node_id
        yield ctx.at_input(
            node_id,
            "width",
            f"{old.width} × {old.height} becomes {width:g} × {height:g}: "
            f"{by:.0%} {'wider' if stretch > 1 else 'longer'} than it was",
            help="set `width` or `height` to 0 to keep the ratio, or `crop` to center",
            related=(along(ctx, f"{old.width} × {old.height}", [origin, node_id]),),
        )
