"""
CG716 unfinished-latent.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along


@rule(
    id="CG716",
    name="unfinished-latent",
    severity=Severity.WARNING,
    signs=("flow:unfinished",),
)
def unfinished_latent(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports latents that are decoded before they are pictures: empty ones that no sampler has filled, as when the
    sampler is bypassed, and those that still have noise in them. Where another sampler takes such a latent on,
    decoding it is most likely a look at half of the steps, and an info.

    ## Why is this bad?
    An empty latent decodes to a flat brown, leftover noise to noise.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSamplerAdvanced", "inputs": {"model": ["1", 0], "add_noise": "enable", "noise_seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "start_at_step": 0, "end_at_step": 10, "return_with_leftover_noise": "enable"}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSamplerAdvanced", "inputs": {"model": ["1", 0], "add_noise": "enable", "noise_seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "start_at_step": 0, "end_at_step": 20, "return_with_leftover_noise": "disable"}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```
    """
    flow = ctx.flow
    taken_on = {run.latent.run.node_id for run in flow.samplings() if run.latent and run.latent.run}
    for node_id in ctx.definitions:
        if not (ctx.class_type(node_id) or "").startswith("VAEDecode"):
            continue
        content = flow.view(node_id).content("samples")
        if content is None:
            continue
        run, severity = content.run, None
        if content.kind == "empty":
            message = "decodes an empty latent: no sampler has drawn anything into it"
            help = "link a sampler between them; one that is bypassed hands its latent through"
        elif run is not None and run.leftover and (run.last or 0) < (run.total or 0) and run.steps:
            message = f"decodes a latent that has noise left from step {run.last} of {run.total}"
            help = (
                "let another sampler make the rest, or set `return_with_leftover_noise` to disable"
            )
            severity = Severity.INFO if run.node_id in taken_on else None
        else:
            continue
        yield ctx.at_input(
            node_id,
            "samples",
            message,
            severity=severity,
            help=help,
            related=(along(ctx, "latent", [content.node_id, node_id]),),
        )
