"""
A graph in words: what each node does, in the order in which it runs, with sizes, models and
LoRAs at each sampler, and what costs most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from comfygraph.analysis.estimates import estimate, sampling_cost
from comfygraph.analysis.facts import (
    Conditioning,
    Content,
    Facts,
    Model,
    Part,
    Sampling,
    Size,
    Sound,
    parts_of,
)
from comfygraph.analysis.flow import Flow
from comfygraph.core.nearest import shorten

if TYPE_CHECKING:
    from comfygraph.analysis.view import View
    from comfygraph.catalog import NodeCatalog
    from comfygraph.core.values import Prompt

LONGEST = 160
"""Characters of a prompt that are quoted."""


class Step(NamedTuple):
    """
    One node in words.

    Args:
        node_id: The node.
        title: Its title, else its class.
        class_type: Its class.
        says: What it does, without a subject.
        details: More about it, as `(what, text)`.
        size: The pictures that it gives, or `None`.
        cost: See `estimate`.
        sources: The nodes that it takes inputs from.
    """

    node_id: str
    title: str
    class_type: str
    says: str
    details: tuple[tuple[str, str], ...]
    size: Size | None
    cost: float
    sources: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """
        Give it as JSON.
        """
        size = None
        if self.size is not None:
            size = {
                "width": self.size.width,
                "height": self.size.height,
                "batch": self.size.batch,
                "frames": self.size.frames,
                "latent": self.size.scale != 1,
            }
        return {
            "node": self.node_id,
            "title": self.title,
            "class": self.class_type,
            "does": self.says,
            "details": dict(self.details),
            "size": size,
            "cost": round(self.cost, 3),
            "from": list(self.sources),
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    A graph in words.

    Args:
        steps: Its nodes, each after those that it takes inputs from.
        stuck: Nodes on a cycle, or behind one.
        unknown: Nodes of classes that the catalog lacks.
    """

    steps: tuple[Step, ...]
    stuck: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def cost(self) -> float:
        """What all nodes cost together."""
        return sum(step.cost for step in self.steps)

    def drivers(self, most: int = 3) -> list[Step]:
        """
        Give the nodes that cost most, at least a twentieth of the whole each.
        """
        ranked = sorted(self.steps, key=lambda step: -step.cost)
        return [step for step in ranked[:most] if step.cost * 20 >= self.cost]

    def to_json(self) -> dict[str, Any]:
        """
        Give it as JSON.
        """
        return {
            "nodes": [step.to_json() for step in self.steps],
            "cost": round(self.cost, 3),
            "drivers": [step.node_id for step in self.drivers()],
            "stuck": list(self.stuck),
            "unknown": list(self.unknown),
        }


def explain(
    prompt: Prompt,
    catalog: NodeCatalog,
    *,
    classes: Mapping[str, Mapping[str, str]] | None = None,
    families: Mapping[str, str] | None = None,
    learned: Mapping[str, float] | None = None,
) -> Explanation:
    """
    Put a graph into words.

    Args:
        prompt: The graph.
        catalog: Its classes.
        classes: See `Flow`.
        families: See `Flow`.
        learned: See `estimate`.

    Raises:
        UsageError: The words of a class cannot be read.
    """
    nodes = {node.id: node.to_json() for node in prompt.nodes()}
    flow = Flow(nodes, catalog, classes=classes, families=families)
    costs = estimate(nodes, catalog, learned=learned, flow=flow)
    steps = []
    for node_id in flow.order:
        node = prompt[node_id]
        facts = flow[node_id]
        size = next((fact for fact in facts.size if isinstance(fact, Size)), None)
        sources = dict.fromkeys(link.node_id for _, link in node.links())
        says, details = _words(flow, node_id, facts, size)
        steps.append(
            Step(node_id, node.title, node.class_type, says, tuple(details), size,
                 costs[node_id], tuple(sources))
        )  # fmt: skip
    told = set(flow.order)
    return Explanation(
        tuple(steps),
        tuple(node_id for node_id in nodes if node_id not in told),
        tuple(node.id for node in prompt.nodes() if catalog.find(node.class_type) is None),
    )


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
    strength = "" if part.strength is None else f" {part.strength:g}"
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


def _words(
    flow: Flow, node_id: str, facts: Facts, size: Size | None
) -> tuple[str, list[tuple[str, str]]]:
    run = facts.sampling
    if run is not None:
        return _sampler(run)
    view = flow.view(node_id)
    prompt = next((fact for fact in facts.prompt if isinstance(fact, Conditioning)), None)
    if prompt is not None and any(text.node_id == node_id for text in prompt.texts):
        return f"encodes {prompt_text(prompt)}", []
    model = next((fact for fact in facts.model if isinstance(fact, Model)), None)
    if model is not None:
        told = _model_words(view, model)
        if told is not None:
            return told, []
    return _picture(view, facts, size), []


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
    parts = [f"{run.steps} steps" if run.steps is not None else "some steps"]
    if run.size is not None:
        parts.append(f"{run.size.megapixels:.2f} megapixels")
        if run.size.pictures is not None and run.size.pictures > 1:
            parts.append(f"{run.size.pictures} pictures")
    family = run.model.family if run.model is not None else None
    if family is not None and family.weight != 1:
        parts.append(f"{family.weight:g} for {family.label}")
    return f"{sampling_cost(run):,.1f}: {' × '.join(parts)}"


def _model_words(view: View, model: Model) -> str | None:
    if model.node_id == view.node_id:
        return f"loads {model_text(model)}"
    part = model.parts
    if part is None or part.node_id != view.node_id:
        return None
    if part.kind == "patch":
        return f"changes how {shorten(model.name or 'the model')} samples"
    sides = [
        f"{strength:g} on the {side}"
        for side, strength in (
            ("model", view.number("strength_model")),
            ("CLIP", view.number("strength_clip") if "clip" in view.inputs else None),
        )
        if strength is not None
    ]
    return f"puts the LoRA {shorten(part.name)} on it, {' and '.join(sides)}"


def _picture(view: View, facts: Facts, size: Size | None) -> str:
    content = next((fact for fact in facts.noise if isinstance(fact, Content)), None)
    made = content is not None and content.node_id == view.node_id
    before = next(view.sizes(), None)
    if size is None:
        return _plain_words(view, facts, before)
    if made and content is not None and content.kind == "empty":
        return f"makes {size_text(size).replace('a latent', 'an empty latent')}"
    if made:
        return f"encodes {size_text(before) if before else 'a picture'}" + (
            "" if before is None or before[:2] == size[:2] else f" as {size_text(size)}"
        )
    if view.definition is not None and view.definition.output_node:
        return _plain_words(view, facts, before)
    if before is None:
        return f"gives {size_text(size)}"
    if before.scale != 1 and size.scale == 1:
        return f"decodes {size_text(size)}"
    if before[:4] != size[:4]:
        return f"makes {size_text(before)} into {size_text(size)}"
    return f"passes on {size_text(size)}"


def _plain_words(view: View, facts: Facts, before: Size | None) -> str:
    prefix = view.text("filename_prefix")
    if view.definition is not None and view.definition.output_node:
        what = size_text(before) if before is not None else "what comes in"
        return f"saves {what} as {shorten(prefix)}" if prefix else f"shows {what}"
    sound = next((fact for fact in facts.size if isinstance(fact, Sound)), None)
    if sound is not None:
        return f"gives a sound of {sound.seconds:g} s"
    file = next(_files(view), None)
    if file is not None:
        return f"reads {shorten(file)}"
    values = [fact for fact in facts.value if fact is not None]
    if values and isinstance(values[0], int | float | str):
        return f"gives {shorten(' '.join(str(values[0])[:200].split()))}"
    if view.class_type == "ComfySwitchNode":
        on = view.value("switch")
        return "hands one of two through" if on is None else (
            f"hands `{'on_true' if on else 'on_false'}` through"
        )  # fmt: skip
    if view.definition is None:
        return "is of a class that the catalog does not know"
    return f"does what {view.definition.display_name} does"


def _files(view: View) -> Iterator[str]:
    for name in view.definition.files if view.definition is not None else ():
        value = view.inputs.get(name)
        if isinstance(value, str) and value:
            yield value
