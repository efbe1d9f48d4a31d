"""
CG702 foreign-lora.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.analysis.families import fits
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along, by_certainty, loras_of, model_route, spoken


@rule(
    id="CG702",
    name="foreign-lora",
    severity=Severity.WARNING,
    signs=("flow:lora",),
)
def foreign_lora(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports LoRAs that are made for another family of models than the one that they are put on: a LoRA of SD 1.x
    on an SDXL model. The families come from AIRs or `[analysis.families]`; where they are only read off the
    names of the files, it is an info.

    ## Why is this bad?
    Nothing of such a LoRA fits the model. ComfyUI says so in its log, goes on without it, and the picture is
    paid for.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sdxl:checkpoint:civitai:101055@128078"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["10", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["10", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "10": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "urn:air:sd1:lora:civitai:13941@16576", "strength_model": 1.0, "strength_clip": 1.0}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sdxl:checkpoint:civitai:101055@128078"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["10", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["10", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "10": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "urn:air:sdxl:lora:civitai:118427@128461", "strength_model": 1.0, "strength_clip": 1.0}}}
    ```
    """
    seen: set[str] = set()
    for run in ctx.flow.samplings():
        model = run.model
        if model is None or model.family is None:
            continue
        for part in loras_of(model):
            if (
                part.family is None
                or part.node_id in seen
                or fits(part.family, model.family) is not False
            ):
                continue
            seen.add(part.node_id)
            severity, help = by_certainty(part.sure and model.sure)
            yield ctx.at_input(
                part.node_id,
                part.input or "lora_name",
                f"a LoRA for {part.family.label} on a model of {model.family.label}",
                severity=severity,
                help=help or f"take a LoRA for {model.family.label}, or none",
                related=(
                    along(
                        ctx, f"model {spoken(model.name or '')}", model_route(model, run.node_id)
                    ),
                ),
            )
