"""
CG713 same-prompts.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.analysis.facts import Conditioning
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along


def _same(one: Conditioning, two: Conditioning) -> bool:
    if one is two:
        return True
    if any(
        prompt.open or prompt.controls is not None or not _plain(prompt) for prompt in (one, two)
    ):
        return False
    return len(one.texts) == len(two.texts) and all(
        mine.text is not None
        and mine.text == other.text
        and mine.clip is not None
        and other.clip is not None
        and mine.clip.node_id == other.clip.node_id
        and mine.clip.parts is other.clip.parts
        for mine, other in zip(one.texts, two.texts, strict=True)
    )


def _plain(prompt: Conditioning) -> bool:
    """Tell whether a prompt comes as its texts were encoded."""
    return any(text.node_id == prompt.node_id for text in prompt.texts)


@rule(
    id="CG713",
    name="same-prompts",
    severity=Severity.WARNING,
    signs=("flow:same-prompts",),
)
def same_prompts(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports samplers whose positive and negative prompt are the same, with `cfg` other than 1.

    ## Why is this bad?
    What is pushed towards is pushed away from as well: `cfg` has no effect, and each step is paid for twice.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["2", 0], "latent_image": ["4", 0], "denoise": 1.0}},
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
        one, two = run.positive, run.negative
        if one is None or two is None or run.cfg is None or run.cfg == 1 or not _same(one, two):
            continue
        positive, negative = run.inputs
        yield ctx.at_input(
            run.holder,
            negative,
            f"positive and negative prompt are the same, with cfg {run.cfg:g}",
            help="link a prompt of its own to `negative`, or set `cfg` to 1",
            related=tuple(
                along(ctx, name, [prompt.node_id or run.node_id, run.node_id])
                for name, prompt in ((positive, one), (negative, two))
            ),
        )
