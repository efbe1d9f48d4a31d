"""
Noise and sampling: what a latent holds, how far a schedule goes, what a sampler is told.

Facts of `common_ksampler` in `nodes.py`, `KSampler.set_steps` in `comfy/samplers.py` and
`comfy_extras/nodes_custom_sampler.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comfygraph.analysis.facts import (
    Content,
    Domain,
    Guide,
    Model,
    Noise,
    Sampling,
    Sigmas,
    Size,
)
from comfygraph.analysis.sizes import Maker, Transfer
from comfygraph.analysis.view import View

MOST_STEPS = 10_000
LATENTS = ("latent_image", "samples", "latent")


def of(inputs: Sequence[str]) -> Transfer:
    """`of samples`: what comes in there: a latent, a schedule, a noise."""

    def transfer(view: View) -> Any:
        for name in inputs:
            if name in view.inputs:
                return view.fact(Domain.NOISE, name)
        return None

    return transfer


def empty(args: Sequence[str]) -> Transfer:
    """`empty`: a latent of nothing, to be filled from noise."""
    return lambda view: Content("empty", view.node_id)


def image(args: Sequence[str]) -> Transfer:
    """`image vae`: an encoded picture. `image vae masked`: with a mask for what is sampled."""
    masked = args[1:] == ["masked"]

    def transfer(view: View) -> Content:
        vae = view.model(args[0])
        space = vae.space if vae is not None else None
        sure = vae is not None and vae.sure
        return Content("image", view.node_id, space, sure, masked, vae=vae)

    return transfer


def mask(args: Sequence[str]) -> Transfer:
    """`mask samples`: only a part of it is sampled."""

    def transfer(view: View) -> Content | None:
        old = view.content(args[0])
        return old._replace(masked=True) if old is not None else None

    return transfer


def batch(args: Sequence[str]) -> Transfer:
    """`batch samples1 samples2`: what all of them hold, or nothing known."""

    def transfer(view: View) -> Content | None:
        first = view.content(args[0])
        others = [view.content(name) for name in args[1:] if name in view.inputs]
        if first is None or any(one is None or one.kind != first.kind for one in others):
            return None
        return first

    return transfer


def random(args: Sequence[str]) -> Transfer:
    """`random noise_seed`: noise of that seed; `random -`: none."""
    if args[0] == "-":
        return lambda view: Noise(None, off=True)
    return lambda view: Noise(view.integer(args[0]))


def schedule(args: Sequence[str]) -> Transfer:
    """
    `schedule`: `steps` steps; with `denoise` below 1 the last ones of a longer schedule.
    `schedule cut`: with `denoise` below 1 the last of these steps.
    """
    cut = args[:1] == ["cut"]

    def transfer(view: View) -> Sigmas | None:
        steps = _steps(view, "steps")
        denoise = view.number("denoise") if "denoise" in view.inputs else 1.0
        if steps is None or denoise is None:
            return None
        if denoise <= 0:
            return Sigmas(steps, 0, 0, 0.0, view.node_id)
        if cut:
            made = min(round(steps * denoise), steps)
            return Sigmas(steps, steps - made, steps, denoise, view.node_id)
        total = min(int(steps / min(max(denoise, 1e-6), 1.0)), MOST_STEPS * 100)
        return Sigmas(total, total - steps, total, denoise, view.node_id)

    return transfer


def manual(args: Sequence[str]) -> Transfer:
    """`ManualSigmas`: as many steps as there are numbers, less one."""

    def transfer(view: View) -> Sigmas | None:
        text = view.text("sigmas")
        if text is None or len(text) > 100_000:
            return None
        steps = max(len([part for part in text.split(",") if part.strip()]) - 1, 0)
        return Sigmas(steps, 0, steps, None, view.node_id)

    return transfer


def split(args: Sequence[str]) -> Transfer:
    """`SplitSigmas`: up to step `step`, and from there."""

    def transfer(view: View) -> tuple[Any, ...]:
        old, step = view.fact(Domain.NOISE, "sigmas"), view.integer("step")
        if not isinstance(old, Sigmas) or step is None:
            return ()
        at = min(old.first + max(step, 0), old.last)
        return (
            old._replace(last=at),
            old._replace(first=at, denoise=None if at else old.denoise),
        )

    return transfer


def some(args: Sequence[str]) -> Transfer:
    """`some sigmas`: the same number of steps, with other sigmas."""

    def transfer(view: View) -> Sigmas | None:
        old = view.fact(Domain.NOISE, args[0])
        return old._replace(denoise=None) if isinstance(old, Sigmas) else None

    return transfer


def _steps(view: View, name: str) -> int | None:
    found = view.integer(name)
    return min(max(found, 0), MOST_STEPS) if found is not None else None


def sampler(args: Sequence[str]) -> Transfer:
    """`sampler`: `KSampler` and what has its inputs."""

    def transfer(view: View) -> Sampling:
        steps = _steps(view, "steps")
        node_id = view.node_id
        return Sampling(
            node_id, view.model("model"), view.conditioning("positive"),
            view.conditioning("negative"), _latent(view), view.size(*LATENTS), steps, 0, steps,
            view.number("denoise") if "denoise" in view.inputs else 1.0, view.number("cfg"),
            view.integer("seed" if "seed" in view.inputs else "noise_seed"), True, False,
            _method(view), node_id,
        )  # fmt: skip

    return transfer


def advanced_sampler(args: Sequence[str]) -> Transfer:
    """`advanced_sampler`: `KSamplerAdvanced`, which makes some of the steps."""

    def transfer(view: View) -> Sampling:
        steps = _steps(view, "steps")
        first, last = view.integer("start_at_step"), view.integer("end_at_step")
        if last is not None and steps is not None:
            last = min(last, steps)
        node_id = view.node_id
        return Sampling(
            node_id, view.model("model"), view.conditioning("positive"),
            view.conditioning("negative"), _latent(view), view.size(*LATENTS), steps,
            min(first, steps) if first is not None and steps is not None else first, last, 1.0,
            view.number("cfg"), view.integer("noise_seed"),
            _switch(view.value("add_noise"), "enable"),
            _switch(view.value("return_with_leftover_noise"), "enable"), _method(view), node_id,
        )  # fmt: skip

    return transfer


def custom_sampler(args: Sequence[str]) -> Transfer:
    """`custom_sampler`: `SamplerCustom`, steps by its `sigmas`."""

    def transfer(view: View) -> Sampling:
        return _scheduled(view, _told(view))._replace(
            cfg=view.number("cfg"),
            seed=view.integer("noise_seed"),
            adds_noise=_switch(view.value("add_noise"), True),
        )

    return transfer


def guided_sampler(args: Sequence[str]) -> Transfer:
    """`guided_sampler`: `SamplerCustomAdvanced`, told by `guider`, `noise` and `sigmas`."""

    def transfer(view: View) -> Sampling:
        guide = view.fact(Domain.PROMPT, "guider")
        noise = view.fact(Domain.NOISE, "noise")
        run = _scheduled(view, _told(view))
        if isinstance(guide, Guide):
            run = run._replace(
                model=guide.model,
                positive=guide.positive,
                negative=guide.negative,
                cfg=guide.cfg,
                holder=guide.node_id,
                inputs=guide.inputs,
            )
        known = isinstance(noise, Noise)
        return run._replace(
            seed=noise.seed if known else None, adds_noise=not noise.off if known else None
        )

    return transfer


def _told(view: View) -> Sampling:
    return Sampling(
        view.node_id,
        view.model("model"),
        view.conditioning("positive"),
        view.conditioning("negative"),
        _latent(view),
        view.size(*LATENTS),
        holder=view.node_id,
    )


def _latent(view: View) -> Content | None:
    for name in LATENTS:
        if name in view.inputs:
            return view.content(name)
    return None


def _scheduled(view: View, run: Sampling) -> Sampling:
    sigmas = view.fact(Domain.NOISE, "sigmas")
    if not isinstance(sigmas, Sigmas):
        return run._replace(first=None, leftover=None)
    ends = sigmas.last >= sigmas.total
    return run._replace(
        total=sigmas.total,
        first=sigmas.first,
        last=sigmas.last,
        denoise=sigmas.denoise,
        leftover=False if ends else None,
    )


def _switch(value: Any, on: Any) -> bool | None:
    return None if value is None else value == on


def _method(view: View) -> str | None:
    sampler_name, scheduler = view.text("sampler_name"), view.text("scheduler")
    return f"{sampler_name} {scheduler}" if sampler_name and scheduler else None


def sampled(run: Sampling, model: Model | None) -> Content:
    """
    Give what the latent of a sampler holds.
    """
    family = model.family if model is not None else None
    known = run.latent
    space = family.space if family is not None else None
    sure = model is not None and model.sure
    if space is None and known is not None and known.kind != "empty":
        space, sure = known.space, known.sure
    masked = known is not None and known.masked
    return Content("sampled", run.node_id, space, sure, masked, run)


def unknown_sampler(view: View) -> Sampling | None:
    """
    Tell how many steps a sampler of an unknown class may make: for progress, not for findings.
    """
    if "sampler" not in view.class_type.lower():
        return None
    size: Size | None = view.size(*LATENTS)
    linked = any(isinstance(view.inputs.get(name), list) for name in LATENTS)
    steps = _steps(view, "steps")
    if not linked or (steps is None and "sigmas" not in view.inputs):
        return None
    told = Sampling(view.node_id, size=size, total=steps, last=steps, sure=False)
    if steps is None:
        return _scheduled(view, told)
    first, last = view.integer("start_at_step"), view.integer("end_at_step")
    return told._replace(
        first=min(max(first or 0, 0), steps), last=min(steps if last is None else last, steps)
    )


VERBS: Mapping[str, Maker] = {
    "of": of, "empty": empty, "image": image, "mask": mask, "batch": batch, "random": random,
    "schedule": schedule, "manual": manual, "split": split, "some": some, "sampler": sampler,
    "advanced_sampler": advanced_sampler, "custom_sampler": custom_sampler,
    "guided_sampler": guided_sampler,
}  # fmt: skip
"""What the table and the configuration may say of `noise`."""
