"""
CG717 same-sampling.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comfygraph.analysis.facts import (
    Conditioning,
    Content,
    Model,
    Sampling,
    complete,
    parts_of,
)
from comfygraph.analysis.flow import Flow
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along
from comfygraph.lint.rules.duplicate_node import twins_of


def _key(flow: Flow, run: Sampling, keys: dict[str, Any]) -> Any:
    """Give all that decides the result of a sampler, or `None` where something is unknown."""
    parts = (
        _model(run.model),
        _prompt(run.positive),
        _prompt(run.negative) if run.inputs[1] else "none",
        _latent(flow, run.latent, keys),
        run.size,
        run.sampler,
    )
    numbers = (run.total, run.first, run.last, run.denoise, run.cfg, run.adds_noise, run.leftover)
    if None in parts or None in numbers or (run.seed is None and run.adds_noise):
        return None
    return (*parts, *numbers, run.seed)


def _model(model: Model | None) -> Any:
    if model is None or model.name is None or not complete(model):
        return None
    if any(part.kind == "patch" or part.strength is None for part in parts_of(model.parts)):
        return model.node_id, model.parts.node_id if model.parts is not None else ""
    loras = tuple((part.name, part.strength) for part in parts_of(model.parts) if part.strength)
    return model.name, loras


def _prompt(prompt: Conditioning | None) -> Any:
    if prompt is None or prompt.open or prompt.zero or prompt.controls is not None:
        return None
    if len(prompt.texts) != 1:
        return prompt.node_id or None
    text = prompt.texts[0]
    clip = _model(text.clip)
    return (text.text, clip) if text.text is not None and clip is not None else None


def _latent(flow: Flow, latent: Content | None, keys: dict[str, Any]) -> Any:
    if latent is None or latent.masked:
        return None
    match latent.kind:
        case "empty":
            return "empty"
        case "image":
            return latent.node_id
        case "sampled":
            return keys.get(latent.node_id)


@rule(
    id="CG717",
    name="same-sampling",
    severity=Severity.INFO,
    signs=("flow:same-seed",),
)
def same_sampling(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports samplers that cannot but make what another one makes: same model with the same LoRAs, same prompts,
    same seed, same steps, though their nodes differ.

    ## Why is this bad?
    The second costs what the first did and gives the same picture. `duplicate-node` tells of nodes that are the
    same letter by letter.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "KSamplerAdvanced", "inputs": {"model": ["1", 0], "add_noise": "enable", "noise_seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "start_at_step": 0, "end_at_step": 20, "return_with_leftover_noise": "disable"}},
     "9": {"class_type": "VAEDecode", "inputs": {"samples": ["8", 0], "vae": ["1", 2]}},
     "10": {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "second"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "KSamplerAdvanced", "inputs": {"model": ["1", 0], "add_noise": "enable", "noise_seed": 2, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "start_at_step": 0, "end_at_step": 20, "return_with_leftover_noise": "disable"}},
     "9": {"class_type": "VAEDecode", "inputs": {"samples": ["8", 0], "vae": ["1", 2]}},
     "10": {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "second"}}}
    ```
    """
    keys: dict[str, Any] = {}
    firsts: dict[Any, Sampling] = {}
    found: list[tuple[Sampling, Sampling]] = []
    for run in ctx.flow.samplings():
        key = _key(ctx.flow, run, keys)
        if key is None:
            continue
        # A chain of samplers is told apart by a number, or the keys would grow with it.
        first = firsts.setdefault(key, run)
        keys[run.node_id] = first.node_id
        if first is not run:
            found.append((run, first))
    if not found:
        return
    twins = twins_of(ctx)
    repeated = {run.node_id for run, _ in found}
    for run, first in found:
        before = run.latent.node_id if run.latent is not None else None
        if run.node_id in twins or before in repeated:
            continue
        yield ctx.at_node(
            run.node_id,
            f"makes the same picture as {ctx.label(first.node_id)}: same seed, model and prompts",
            help="give it another seed, or take the result of the first",
            related=(along(ctx, "the same", [first.node_id]),),
        )
