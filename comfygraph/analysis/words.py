"""
One node in words: what it does, with the sizes, models, prompts and settings that are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from comfygraph.analysis.estimates import sampling_cost, sampling_factors
from comfygraph.analysis.facts import (
    Conditioning,
    Content,
    Facts,
    Guide,
    Model,
    Noise,
    Part,
    Sampling,
    Sigmas,
    Size,
    Sound,
    parts_of,
)
from comfygraph.core.nearest import shorten

if TYPE_CHECKING:
    from comfygraph.analysis.view import View

_Fact = TypeVar("_Fact")

LONGEST = 160
"""Characters of a prompt that are quoted."""

MOST_SETTINGS = 4
"""Constants that are told of a node of which nothing else is known."""


def size_text(size: Size) -> str:
    """
    Give a size for people: `2 pictures of 512 × 768`, `81 frames of 832 × 480`.
    """
    shape = f"{size.width} × {size.height}"
    what = "latent" if size.scale != 1 else "picture"
    if size.frames is None or size.batch is None:
        return f"{what}s of {shape}"
    if size.frames > 1:
        films = f"{size.batch} times " if size.batch > 1 else ""
        return f"{films}{size.frames} frames of {shape}"
    return f"{size.batch} {what}s of {shape}" if size.batch != 1 else f"a {what} of {shape}"


def model_text(model: Model) -> str:
    """
    Give a model for people: its file, its family, and what was put on it.
    """
    words = [shorten(model.name) if model.name else "an unknown model"]
    if model.family is not None:
        words[0] += f" ({model.family.label}{'' if model.sure else ', by its name'})"
    words += [_part_text(part) for part in reversed(list(parts_of(model.parts)))]
    if model.open:
        words.append("something unknown")
    return " + ".join(words)


def _part_text(part: Part) -> str:
    strength = "" if part.strength is None else f" at {part.strength:g}"
    return f"{shorten(part.name)}{strength}"


def prompt_text(prompt: Conditioning) -> str:
    """
    Give a prompt for people: its texts, and the ControlNets that go with it.
    """
    if prompt.zero:
        return "nothing (zeros)"
    texts = ["…" if text.text is None else quoted(text.text) for text in prompt.texts]
    words = " · ".join(texts) or "unknown"
    nets = [_part_text(part) for part in reversed(list(parts_of(prompt.controls)))]
    return f"{words} + ControlNet {', '.join(nets)}" if nets else words


def quoted(text: str) -> str:
    """
    Quote a prompt on one line, not longer than `LONGEST`.
    """
    line = " ".join(text[:10_000].split())
    return f"“{line if len(line) <= LONGEST else line[: LONGEST - 1] + '…'}”"


def words_of(view: View, facts: Facts, size: Size | None) -> tuple[str, list[tuple[str, str]]]:
    """
    Say what a node does.

    Args:
        view: The node with what its inputs bring.
        facts: What it gives.
        size: The pictures that it gives, or `None`.

    Returns:
        What it does, without a subject, and more about it, as `(what, text)`.
    """
    if facts.sampling is not None:
        return _sampler(facts.sampling)
    for say in (_encoder, _model_words, _tool_words):
        told = say(view, facts)
        if told is not None:
            return told, []
    told = _picture(view, facts, size) or _prompt_words(view, facts) or _plain_words(view, facts)
    return told, []


def _encoder(view: View, facts: Facts) -> str | None:
    prompt = _first(facts.prompt, Conditioning)
    if prompt is not None and any(text.node_id == view.node_id for text in prompt.texts):
        return f"encodes {prompt_text(prompt)}"
    return None


def _first(slots: tuple[object, ...], kind: type[_Fact]) -> _Fact | None:
    return next((fact for fact in slots if isinstance(fact, kind)), None)


def _sampler(run: Sampling) -> tuple[str, list[tuple[str, str]]]:
    steps = "some steps" if run.steps is None else f"{run.steps} step{'s' * (run.steps != 1)}"
    part = ""
    if run.total is not None and run.steps != run.total and run.first is not None:
        part = f" ({run.first} to {run.last} of {run.total})"
    of = f" on {size_text(run.size)}" if run.size is not None else ""
    start = {"empty": "noise", "image": "an encoded picture", "sampled": "what was sampled"}
    begin = start[run.latent.kind] if run.latent is not None else None
    if begin is not None and run.denoise is not None and run.denoise < 1:
        begin += f", denoise {run.denoise:g}"
    says = f"samples {steps}{part}{of}" + (f" from {begin}" if begin else "")
    details = []
    if run.model is not None:
        details.append(("model", model_text(run.model)))
    for name, prompt in (("prompt", run.positive), ("negative", run.negative)):
        if prompt is not None:
            details.append((name, prompt_text(prompt)))
    settings = [
        run.sampler,
        f"cfg {run.cfg:g}" if run.cfg is not None else None,
        f"seed {run.seed}" if run.seed is not None else None,
        "adds no noise" if run.adds_noise is False else None,
        "hands noise on" if run.leftover else None,
    ]
    details.append(("settings", ", ".join(text for text in settings if text)))
    details.append(("cost", _cost_text(run)))
    return says, [(name, text) for name, text in details if text]


def _cost_text(run: Sampling) -> str:
    words = " × ".join(words for _, words in sampling_factors(run))
    return f"{sampling_cost(run):,.1f}: {words}"


def _model_words(view: View, facts: Facts) -> str | None:
    model = _first(facts.model, Model)
    if model is None:
        return None
    if model.node_id == view.node_id:
        return f"loads {model_text(model)}"
    part = model.parts
    if part is None or part.node_id != view.node_id:
        return None
    if part.kind == "patch":
        return f"changes how {shorten(model.name or 'the model')} samples{_with(view)}"
    sides = [
        f"{strength:g} on the {side}"
        for side, strength in (
            ("model", view.number("strength_model")),
            ("CLIP", view.number("strength_clip") if "clip" in view.inputs else None),
        )
        if strength is not None
    ]
    return f"adds the LoRA {shorten(part.name)}: {', '.join(sides) or 'how much is not known'}"


def _tool_words(view: View, facts: Facts) -> str | None:
    """Tell of what samplers are told by: noise, schedule, guider."""
    noise = _first(facts.noise, Noise)
    if noise is not None:
        if noise.off:
            return "gives no noise"
        return "gives noise" if noise.seed is None else f"gives the noise of seed {noise.seed}"
    plan = _first(facts.noise, Sigmas)
    if plan is not None and plan.node_id == view.node_id:
        part = f"{plan.last - plan.first} of {plan.total}" if plan.first else f"{plan.last}"
        return f"plans {part} step{'s' * (part != '1')}{_with(view, but=('steps',))}"
    guide = _first(facts.prompt, Guide)
    if guide is not None:
        return f"joins the model and its prompts{_with(view)}"
    return None


def _prompt_words(view: View, facts: Facts) -> str | None:
    prompt = _first(facts.prompt, Conditioning)
    if prompt is None or prompt.node_id != view.node_id:
        return None
    if prompt.zero:
        return "sets the prompt to zeros"
    part = prompt.controls
    if part is not None and part.node_id == view.node_id:
        return f"adds the ControlNet {_part_text(part)} to the prompt"
    return f"adds to the prompt{_with(view)}"


def _picture(view: View, facts: Facts, size: Size | None) -> str | None:
    content = _first(facts.noise, Content)
    made = content is not None and content.node_id == view.node_id
    before = next(view.sizes(), None)
    saves = view.definition is not None and view.definition.output_node
    if made and content is not None and content.kind == "empty":
        if _first(facts.size, Sound) is not None:
            return None
        words = size_text(size) if size is not None else "a latent"
        return f"makes {words.replace('a latent', 'an empty latent')}"
    if made:
        words = f"encodes {size_text(before) if before else 'a picture'}"
        if size is None or not _differ(before, size):
            return words
        return f"{words} as {size_text(size)}"
    if saves:
        return None
    if size is None:
        decodes = before is None and {"samples", "vae"} <= view.inputs.keys()
        return "decodes a latent" if decodes else None
    if before is None:
        return f"gives {size_text(size)}"
    if before.scale != 1 and size.scale == 1:
        return f"decodes {size_text(size)}"
    if _differ(before, size):
        return f"makes {size_text(before)} into {size_text(size)}"
    return f"passes on {size_text(before)}"


def _differ(one: Size | None, two: Size | None) -> bool:
    """Tell whether two sizes differ in anything that is known of both, cells aside."""
    if one is None or two is None:
        return False
    pairs = zip(one[:4], two[:4], strict=True)
    return any(a != b for a, b in pairs if a is not None and b is not None)


def _plain_words(view: View, facts: Facts) -> str:
    definition = view.definition
    if definition is not None and definition.output_node:
        before = next(view.sizes(), None)
        sound = view.sound()
        what = (
            size_text(before) if before is not None
            else f"a sound of {sound.seconds:g} s" if sound is not None
            else "what comes in"
        )  # fmt: skip
        prefix = view.text("filename_prefix")
        return f"saves {what} as {shorten(prefix)}" if prefix else f"shows {what}"
    found = _first(facts.size, Sound)
    if found is not None:
        return f"gives a sound of {found.seconds:g} s"
    files = [shorten(file) for file in _files(view)]
    if files:
        return f"reads {' and '.join(files[:MOST_SETTINGS])}"
    values = _values(facts)
    if values:
        return f"gives {values}"
    if view.class_type == "ComfySwitchNode":
        on = view.value("switch")
        return "hands one of two through" if on is None else (
            f"hands `{'on_true' if on else 'on_false'}` through"
        )  # fmt: skip
    if definition is None:
        return "is of a class that the catalog does not know"
    linked = [shorten(name) for name, value in view.inputs.items() if isinstance(value, list)]
    taken = f" on {', '.join(linked[:MOST_SETTINGS])}" if linked else ""
    settings = _with(view)
    return f"works{taken}{settings}" if taken or settings else "takes nothing that is known"


def _values(facts: Facts) -> str:
    """Tell the constants that a node gives; of a number in several kinds, one."""
    told: list[str] = []
    for value in facts.value:
        if not isinstance(value, int | float | str) or (told and isinstance(value, bool)):
            continue
        text = _spoken(value)
        told += [text] if text not in told else []
    return ", ".join(told)


def _with(view: View, but: tuple[str, ...] = ()) -> str:
    """Tell the first constants of a node: ` with megapixels 1, upscale_method area`."""
    told = [
        f"{shorten(name.rpartition('.')[2])} {_spoken(value)}"
        for name, value in view.inputs.items()
        if isinstance(value, str | int | float) and value != "" and name not in but
    ]
    return f" with {', '.join(told[:MOST_SETTINGS])}" if told else ""


def _spoken(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and abs(value) < 1e15:
        return f"{value:.10g}"
    return shorten(" ".join(str(value)[:200].split()))


def _files(view: View) -> Iterator[str]:
    for name in view.definition.files if view.definition is not None else ():
        value = view.inputs.get(name)
        if isinstance(value, str) and value:
            yield value
