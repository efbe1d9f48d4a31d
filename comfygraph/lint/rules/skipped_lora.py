"""
CG701 skipped-lora.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from comfygraph.analysis.facts import Model, Part, Sampling, Text, complete
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along, loras_of, model_route, prompts_of, spoken

_FEW_STEPS = re.compile(r"lcm|lightning|lightx2v|turbo|hyper[-_ ]?(sd|flux)|dmd2|[0-9][-_]?steps?")


def _skipped(
    run: Sampling, served: dict[str, list[Sampling]]
) -> tuple[Text, Model, Model, list[Part]] | None:
    """
    Give a text of a sampler, its CLIP, the model, and the LoRAs that only the CLIP has.

    A LoRA counts only if another sampler has it on a model of the same file. Those that make do
    with few steps belong to one sampler and its steps, and leave the CLIP alone.
    """
    model = run.model
    if model is None or not complete(model):
        return None
    there = {part.node_id for part in loras_of(model)} | {part.name for part in loras_of(model)}
    for _, prompt in prompts_of(run):
        for text in prompt.texts:
            clip = text.clip
            if clip is None or not complete(clip):
                continue
            skipped = [
                part
                for part in loras_of(clip)
                if part.strength is not None
                and part.node_id not in there
                and part.name not in there
                and not _FEW_STEPS.search(part.name.casefold())
                and any(
                    other.model is not None and other.model.node_id == model.node_id
                    for other in served.get(part.node_id, ())
                )
            ]
            if skipped:
                return text, clip, model, skipped
    return None


@rule(
    id="CG701",
    name="skipped-lora",
    severity=Severity.WARNING,
    signs=("flow:skipped-lora",),
)
def skipped_lora(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports samplers whose prompt is encoded with LoRAs that their model lacks, though another sampler's model
    has them: a second pass that takes its `model` from the checkpoint, past the LoRAs.

    ## Why is this bad?
    The second pass undoes what the LoRAs have drawn, at full price, and nothing says so.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["10", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["10", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "10": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "style.safetensors", "strength_model": 1.0, "strength_clip": 1.0}},
     "8": {"class_type": "LatentUpscaleBy", "inputs": {"samples": ["5", 0], "upscale_method": "nearest-exact", "scale_by": 1.5}},
     "9": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 2, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["8", 0], "denoise": 0.4}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["10", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["10", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "10": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "style.safetensors", "strength_model": 1.0, "strength_clip": 1.0}},
     "8": {"class_type": "LatentUpscaleBy", "inputs": {"samples": ["5", 0], "upscale_method": "nearest-exact", "scale_by": 1.5}},
     "9": {"class_type": "KSampler", "inputs": {"model": ["10", 0], "seed": 2, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["8", 0], "denoise": 0.4}}}
    ```
    """
    runs = ctx.flow.samplings()
    served: dict[str, list[Sampling]] = {}
    for run in runs:
        for part in loras_of(run.model):
            served.setdefault(part.node_id, []).append(run)
    for run in runs:
        found = _skipped(run, served)
        if found is None:
            continue
        text, clip, model, skipped = found
        last = skipped[0]
        other = served[last.node_id][0]
        names = " and ".join(spoken(part.name) for part in reversed(skipped[:3]))
        more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        message = f"its model lacks {names}{more}, which its prompt is encoded with"
        source = f"{ctx.label(last.node_id)}"
        yield ctx.at_input(
            run.holder,
            "model",
            message,
            help=f"link `model` to {source}, as in {ctx.label(other.node_id)}, "
            "or encode the prompt without the LoRAs",
            related=(
                along(ctx, "prompt", model_route(clip, text.node_id, run.node_id)),
                along(ctx, "model", model_route(model, run.node_id)),
            ),
            fixes=(
                ctx.set_fix(
                    run.holder, "model", [last.node_id, 0], f"link `model` to {source}", safe=False
                ),
            )
            if ctx.class_type(last.node_id) in ("LoraLoader", "LoraLoaderBypass")
            and model.parts is None
            else (),
        )
