"""
CG715 step-gap.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.analysis.facts import Sampling
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import along


def _mistake(before: Sampling, run: Sampling) -> tuple[str, str, str, Severity | None] | None:
    """Give the input, the message, the help and the severity, or `None`."""
    numbers = (before.total, before.last, run.total, run.first)
    if None in numbers or before.leftover is None or run.adds_noise is None:
        return None
    total, last, mine, first = (number or 0 for number in numbers)
    if not total or not mine or first >= mine or before.steps == 0:
        return None
    rest = before.leftover and last < total
    if rest and run.adds_noise:
        message = f"adds noise to a latent that has noise left from step {last}"
        return "add_noise", message, "set `add_noise` to disable", None
    if run.adds_noise:
        return None
    if not rest and first > 0:
        message = f"starts at step {first} without noise: the latent has none left"
        help = "let the sampler before it return its leftover noise, or add noise here"
        return "start_at_step", message, help, None
    if not rest:
        return None
    if last * mine == first * total:
        return None
    gap = last * mine < first * total
    what = "leaves out" if gap else "makes again"
    steps = f"{min(last, first)} to {max(last, first)}"
    severity = None
    if total != mine:
        severity = Severity.INFO
        steps = (
            f"{last / total:.0%} to {first / mine:.0%}"
            if gap
            else f"{first / mine:.0%} to {last / total:.0%}"
        )
    message = f"{what} {'steps' if total == mine else 'the schedule from'} {steps}"
    message += f": the sampler before it ends at {last} of {total}, this one starts at {first}"
    return "start_at_step", message, f"start at step {last * mine / total:g}", severity


@rule(
    id="CG715",
    name="step-gap",
    severity=Severity.WARNING,
    signs=("flow:chain",),
)
def step_gap(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports chained samplers whose steps do not join: the second starts later than the first ends, or earlier; the
    first hands no noise on, but the second adds none; both add noise.

    ## Why is this bad?
    Steps that nobody makes leave noise in the picture, steps that are made twice blur it.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSamplerAdvanced", "inputs": {"model": ["1", 0], "add_noise": "enable", "noise_seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "start_at_step": 0, "end_at_step": 10, "return_with_leftover_noise": "enable"}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "9": {"class_type": "KSamplerAdvanced", "inputs": {"model": ["1", 0], "add_noise": "disable", "noise_seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["5", 0], "start_at_step": 12, "end_at_step": 20, "return_with_leftover_noise": "disable"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSamplerAdvanced", "inputs": {"model": ["1", 0], "add_noise": "enable", "noise_seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "start_at_step": 0, "end_at_step": 10, "return_with_leftover_noise": "enable"}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["9", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "9": {"class_type": "KSamplerAdvanced", "inputs": {"model": ["1", 0], "add_noise": "disable", "noise_seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["5", 0], "start_at_step": 10, "end_at_step": 20, "return_with_leftover_noise": "disable"}}}
    ```
    """
    for run in ctx.flow.samplings():
        before = run.latent.run if run.latent is not None else None
        if before is None:
            continue
        told = _mistake(before, run)
        if told is None:
            continue
        name, message, help, severity = told
        if name == "add_noise" and name not in ctx.nodes[run.node_id]["inputs"]:
            help = "let the sampler before it make all of its steps, or take a KSamplerAdvanced"
        yield ctx.at_input(
            run.node_id,
            name,
            message,
            severity=severity,
            help=help,
            related=(
                ctx.related(
                    before.node_id,
                    f"steps {before.first} to {before.last} of {before.total}, then "
                    f"{run.first} to {run.last} of {run.total}",
                ),
                along(ctx, "latent", [before.node_id, run.node_id]),
            ),
        )
