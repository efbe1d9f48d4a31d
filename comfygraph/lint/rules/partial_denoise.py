"""
CG711 partial-denoise.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along

FULL = 0.995
"""Denoise from which nothing is left of what was there."""


@rule(
    id="CG711",
    name="partial-denoise",
    severity=Severity.WARNING,
    signs=("flow:partial",),
)
def partial_denoise(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports samplers that start from an empty latent with `denoise` below 1, or from a later step than the first.

    ## Why is this bad?
    A part of the noise is taken away from a latent that has nothing in it: the picture comes out grey or
    washed-out.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 0.6}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```
    """
    for run in ctx.flow.samplings():
        latent = run.latent
        if latent is None or latent.kind != "empty" or run.adds_noise is False or not run.steps:
            continue
        if run.denoise is not None and 0 < run.denoise < FULL:
            message = f"an empty latent with denoise {run.denoise:g}, as if a picture were in it"
            name, help = "denoise", "set `denoise` to 1, or start from an encoded picture"
        elif run.first and run.total and run.denoise == 1.0:
            message = f"an empty latent from step {run.first} of {run.total} on, as if a picture were in it"
            name, help = "start_at_step", "start at step 0, or from the latent of another sampler"
        else:
            continue
        yield ctx.at_input(
            run.node_id,
            name,
            message,
            help=help,
            related=(along(ctx, "latent", [latent.node_id, run.node_id]),),
        )
