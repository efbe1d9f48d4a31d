"""
CG712 discarded-image.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along, prompts_of


def _used_once(ctx: RuleContext, node_id: str) -> bool:
    """Tell whether the picture that a node encodes goes nowhere else."""
    pixels = ctx.nodes[node_id]["inputs"].get("pixels") if node_id in ctx.nodes else None
    source = pixels[0] if isinstance(pixels, list) and pixels else None
    return sum(link.source == source and link.slot == 0 for link in ctx.links) == 1


@rule(
    id="CG712",
    name="discarded-image",
    severity=Severity.INFO,
    signs=("flow:image",),
)
def discarded_image(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports samplers that start from an encoded picture with `denoise` 1, where no mask and no reference keeps
    anything of it.

    ## Why is this bad?
    The picture is replaced by noise; only its size counts. Either less `denoise` was meant, or an empty latent
    does the same without a picture.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["9", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "LoadImage", "inputs": {"image": "photo.png"}},
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
     "8": {"class_type": "LoadImage", "inputs": {"image": "photo.png"}},
     "9": {"class_type": "VAEEncode", "inputs": {"pixels": ["8", 0], "vae": ["1", 2]}}}
    ```
    """
    for run in ctx.flow.samplings():
        latent = run.latent
        if latent is None or latent.kind != "image" or latent.masked or run.first != 0:
            continue
        if run.denoise != 1.0 or run.adds_noise is not True or not run.steps:
            continue
        # References and ControlNets take the size of a picture from its latent on purpose.
        if any(prompt.open or prompt.controls is not None for _, prompt in prompts_of(run)):
            continue
        if len(list(prompts_of(run))) < 2 or not _used_once(ctx, latent.node_id):
            continue
        yield ctx.at_input(
            run.node_id,
            "denoise" if "denoise" in ctx.nodes[run.node_id]["inputs"] else "latent_image",
            "denoise 1 leaves nothing of the encoded picture but its size",
            help="lower `denoise`, or link an empty latent",
            related=(along(ctx, "latent", [latent.node_id, run.node_id]),),
        )
