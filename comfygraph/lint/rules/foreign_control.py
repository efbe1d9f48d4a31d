"""
CG703 foreign-control.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.analysis.facts import parts_of
from comfygraph.analysis.families import fits
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along, by_certainty, model_route, prompts_of, spoken


@rule(
    id="CG703",
    name="foreign-control",
    severity=Severity.WARNING,
    signs=("flow:control",),
)
def foreign_control(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports ControlNets that are made for another family of models than the one that samples. The families come
    from AIRs or `[analysis.families]`; where they are only read off the names of the files, it is an info.

    ## Why is this bad?
    The sampler stops with an error about shapes, after all models were loaded, or the ControlNet does nothing.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sdxl:checkpoint:civitai:101055@128078"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["12", 0], "negative": ["12", 1], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "10": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "urn:air:sd1:controlnet:civitai:38784@44811"}},
     "11": {"class_type": "EmptyImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1, "color": 0}},
     "12": {"class_type": "ControlNetApplyAdvanced", "inputs": {"positive": ["2", 0], "negative": ["3", 0], "control_net": ["10", 0], "image": ["11", 0], "strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sdxl:checkpoint:civitai:101055@128078"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["12", 0], "negative": ["12", 1], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "10": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "urn:air:sdxl:controlnet:civitai:136070@149925"}},
     "11": {"class_type": "EmptyImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1, "color": 0}},
     "12": {"class_type": "ControlNetApplyAdvanced", "inputs": {"positive": ["2", 0], "negative": ["3", 0], "control_net": ["10", 0], "image": ["11", 0], "strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}}}
    ```
    """
    seen: set[str] = set()
    for run in ctx.flow.samplings():
        model = run.model
        if model is None or model.family is None:
            continue
        for name, prompt in prompts_of(run):
            for part in parts_of(prompt.controls):
                if part.family is None or part.strength == 0 or part.node_id in seen:
                    continue
                if fits(part.family, model.family) is not False:
                    continue
                seen.add(part.node_id)
                severity, help = by_certainty(part.sure and model.sure)
                yield ctx.at_input(
                    part.node_id,
                    "control_net",
                    f"{spoken(part.name)} is a ControlNet for {part.family.label}, "
                    f"the model is of {model.family.label}",
                    severity=severity,
                    help=help or f"take a ControlNet for {model.family.label}",
                    related=(
                        along(ctx, f"{name} prompt", [part.node_id, run.node_id]),
                        along(ctx, "model", model_route(model, run.node_id)),
                    ),
                )
