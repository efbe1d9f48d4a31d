"""
CG707 lora-tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along, loras_of, spoken, texts_of

MOST = 50
_TAG = re.compile(r"<lora:([^:<>]{0,200})(?::[^<>]{0,50})?>", re.I)


@rule(
    id="CG707",
    name="lora-tag",
    severity=Severity.WARNING,
    signs=("lora-tag",),
)
def lora_tag(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports `<lora:name:weight>` in the text of a prompt. Where a node puts a LoRA of that name on the model, it is
    an info.

    ## Why is this bad?
    Other programs load a LoRA for it. ComfyUI does not: the tag is encoded as words, and the LoRA is missing.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse <lora:ink:0.8>", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["10", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["10", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "10": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "ink.safetensors", "strength_model": 0.8, "strength_clip": 0.8}}}
    ```
    """
    for run, text in texts_of(ctx.flow.samplings()):
        if not text.text or "<lora:" not in text.text:
            continue
        parts = [*loras_of(run.model), *loras_of(text.clip)]
        names = [part.name.casefold() for part in parts]
        for match in list(_TAG.finditer(text.text[:200_000]))[:MOST]:
            name = match[1].strip()
            served = bool(name) and any(name.casefold() in known for known in names)
            there = "the LoRA is on the model already, and" if served else "no LoRA is loaded, and"
            yield ctx.at_input(
                text.node_id,
                text.input,
                f"{spoken(match[0])}: {there} ComfyUI encodes the tag as words",
                severity=Severity.INFO if served else None,
                help="take the tag out" if served else "load the LoRA with a LoraLoader",
                related=(along(ctx, "prompt", [text.node_id, run.node_id]),),
            )
