"""
CG723 untrained-size.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.analysis.facts import Size
from comfygraph.analysis.families import Family
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along, by_certainty, model_route

LEAST, MOST = 0.3, 2.6
"""Shares of the trained area that still do."""


def _contradicted(family: Family, size: Size) -> bool:
    """Tell whether the latent is of another kind than the family's: then its name misleads."""
    return family.space is not None and size.scale not in (None, family.space.scale, 8)


@rule(
    id="CG723",
    name="untrained-size",
    severity=Severity.WARNING,
    signs=("flow:area",),
)
def untrained_size(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports pictures that start from nothing in a size far from what the model is trained on: 1024 × 1536 with
    SD 1.5, 512 × 512 with SDXL. Where it is smaller, or the family is only read off the name of the file, it is
    an info.

    ## Why is this bad?
    Much larger, and things appear twice; much smaller, and they fall apart.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1536, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```
    """
    for run in ctx.flow.samplings():
        model, size, latent = run.model, run.size, run.latent
        if model is None or model.family is None or size is None or size.frames != 1:
            continue
        if latent is None or latent.kind != "empty" or not model.family.side:
            continue
        side = model.family.side
        ratio = size.width * size.height / side**2
        if LEAST <= ratio <= MOST or _contradicted(model.family, size):
            continue
        severity, help = by_certainty(model.sure)
        if ratio < LEAST:
            severity = Severity.INFO  # Some models of a family are made for small pictures.
        yield ctx.at_input(
            run.node_id,
            "latent_image",
            f"{size.width} × {size.height} is {ratio:.2g} times the area that "
            f"{model.family.label} is trained on, {side} × {side}",
            severity=severity,
            help=help or "start nearer to that, and upscale in a second pass",
            related=(
                along(ctx, "size", [latent.node_id, run.node_id]),
                along(ctx, "model", model_route(model, run.node_id)),
            ),
        )
