"""
CG724 size-limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along, by_certainty, model_route

LIMITS = {
    "sd1": (1024, 1_048_576),
    "sd2": (1024, 1_048_576),
    "sdxl": (1536, 2_073_600),
}
"""Family → most pixels along a side and in all: `diffusion` of the TAMS documentation."""


@rule(
    id="CG724",
    name="size-limit",
    severity=Severity.WARNING,
    signs=("target:tams",),
)
def size_limit(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target tams`: reports samplers whose pictures are larger than TensorArt says that it makes: sides of
    1024 and 1,048,576 pixels for SD 1.x and 2.x, sides of 1536 and 2,073,600 pixels for SDXL. The examples
    have `664602165660323756 = "sdxl"` in `[analysis.families]`.

    ## Why is this bad?
    The limits are documented for jobs without a graph. With a graph the job may be refused, or cost more.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "664602165660323756"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "LatentUpscaleBy", "inputs": {"samples": ["5", 0], "upscale_method": "nearest-exact", "scale_by": 2.0}},
     "9": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 2, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["8", 0], "denoise": 0.5}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "664602165660323756"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "LatentUpscaleBy", "inputs": {"samples": ["5", 0], "upscale_method": "nearest-exact", "scale_by": 1.4}},
     "9": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 2, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["8", 0], "denoise": 0.5}}}
    ```
    """
    for run in ctx.flow.samplings():
        model, size = run.model, run.size
        if model is None or model.family is None or size is None:
            continue
        limit = LIMITS.get(model.family.key)
        if limit is None:
            continue
        side, area = limit
        if max(size.width, size.height) <= side and size.width * size.height <= area:
            continue
        severity, help = by_certainty(model.sure)
        yield ctx.at_input(
            run.node_id,
            "latent_image",
            f"{size.width} × {size.height}: TensorArt makes {model.family.label} up to "
            f"{side} pixels a side and {area:,} in all",
            severity=severity,
            help=help or "sample smaller, and upscale the decoded picture",
            related=(along(ctx, "model", model_route(model, run.node_id)),),
        )
