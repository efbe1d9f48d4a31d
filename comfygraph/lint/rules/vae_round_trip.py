"""
CG719 vae-round-trip.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import route

_DECODERS = ("VAEDecode", "VAEDecodeTiled")


@rule(
    id="CG719",
    name="vae-round-trip",
    severity=Severity.INFO,
    signs=("flow:round-trip",),
)
def vae_round_trip(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports pictures that are decoded and encoded again by the same VAE with nothing in between.

    ## Why is this bad?
    Both ways take time, and each loses some detail. The latent itself is still there.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": "out"}},
     "8": {"class_type": "VAEEncode", "inputs": {"pixels": ["6", 0], "vae": ["1", 2]}},
     "9": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 2, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["8", 0], "denoise": 0.4}},
     "10": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0], "vae": ["1", 2]}}}
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
     "9": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 2, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["5", 0], "denoise": 0.4}}}
    ```
    """
    flow = ctx.flow
    for node_id in ctx.nodes:
        if ctx.class_type(node_id) not in ("VAEEncode", "VAEEncodeTiled"):
            continue
        source, _ = flow.origin(node_id, "pixels") or ("", 0)
        if ctx.class_type(source) not in _DECODERS:
            continue
        mine, other = flow.view(node_id).model("vae"), flow.view(source).model("vae")
        if mine is None or other is None or mine.node_id != other.node_id or mine.name is None:
            continue
        content = flow.view(source).content("samples")
        if content is None or (content.space is not None and content.space.time > 1):
            continue  # Films are cut and joined by the way over pictures.
        yield ctx.at_input(
            node_id,
            "pixels",
            "encodes what the same VAE has just decoded",
            help=f"link the latent that {ctx.label(source)} decodes",
            related=(ctx.related(source, f"{route(ctx, [content.node_id, source, node_id])}"),),
        )
