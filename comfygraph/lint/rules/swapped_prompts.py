"""
CG714 swapped-prompts.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.analysis.facts import Conditioning
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along

ENOUGH = 3
"""Complaints in a positive prompt that make it look like a negative one."""

_COMPLAINTS = (
    "worst quality", "low quality", "bad quality", "normal quality", "bad anatomy", "bad hands",
    "extra fingers", "missing fingers", "fewer digits", "extra limbs", "mutated", "disfigured",
    "deformed", "watermark", "jpeg artifacts", "lowres", "blurry", "cropped", "ugly",
)  # fmt: skip


def _complaints(prompt: Conditioning) -> int:
    text = " ".join(text.text or "" for text in prompt.texts)[:20_000].casefold()
    return sum(word in text for word in _COMPLAINTS)


def _title(ctx: RuleContext, prompt: Conditioning) -> str | None:
    """Give what the titles of the encoders call the prompt, or `None`."""
    titles = {(ctx.title(text.node_id) or "").casefold() for text in prompt.texts}
    kinds = {
        "negative" if "negative" in title else "positive"
        for title in titles
        if ("negative" in title) != ("positive" in title)
    }
    return kinds.pop() if len(kinds) == 1 else None


@rule(
    id="CG714",
    name="swapped-prompts",
    severity=Severity.WARNING,
    signs=("flow:prompts",),
)
def swapped_prompts(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports samplers whose positive prompt says what negative prompts say (worst quality, bad anatomy,
    watermark), or has it in its title, while the negative one does not.

    ## Why is this bad?
    The sampler draws what was to be kept out of the picture.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "worst quality, low quality, bad anatomy, watermark", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse at dusk", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse at dusk", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "worst quality, low quality, bad anatomy, watermark", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```
    """
    for run in ctx.flow.samplings():
        one, two = run.positive, run.negative
        if (
            one is None
            or two is None
            or one is two
            or run.cfg == 1
            or not (one.texts and two.texts)
        ):
            continue
        titles = _title(ctx, one), _title(ctx, two)
        if titles == ("negative", "positive"):
            message = (
                "its positive prompt comes from a node called negative, and the other way round"
            )
        elif "positive" not in titles[:1] and _complaints(one) >= ENOUGH and not _complaints(two):
            message = (
                "its positive prompt lists what negative prompts list, the negative one does not"
            )
        else:
            continue
        positive, negative = run.inputs
        yield ctx.at_input(
            run.holder,
            positive,
            message,
            help=f"swap the links of `{positive}` and `{negative}`",
            related=(
                along(ctx, positive, [one.texts[0].node_id, run.node_id]),
                along(ctx, negative, [two.texts[0].node_id, run.node_id]),
            ),
        )
