"""
How the rules about dataflow speak: routes in text, and how sure they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from comfygraph.analysis.facts import Conditioning, Model, Part, Sampling, Text, parts_of
from comfygraph.core.nearest import shorten
from comfygraph.lint.context import RuleContext
from comfygraph.lint.diagnostic import Related, Severity

LONGEST_ROUTE = 8
BY_NAME = "the families are read off the names of the files: name them in `[analysis.families]`"


def route(ctx: RuleContext, nodes: Iterable[str]) -> str:
    """
    Draw a way through the graph: `CheckpointLoaderSimple (4) → LoraLoader (10) → KSampler (3)`.
    """
    names: list[str] = []
    for node_id in nodes:
        name = f"{shorten(ctx.class_type(node_id) or 'node')} ({shorten(node_id)})"
        if not names or names[-1] != name:
            names.append(name)
    if len(names) > LONGEST_ROUTE:
        names[4:-3] = ["…"]
    return " → ".join(names)


def model_route(model: Model, *more: str) -> list[str]:
    """
    Give the nodes that a model passes on its way, and what comes after.
    """
    parts = [part.node_id for part in parts_of(model.parts)]
    return [model.node_id, *reversed(parts), *more]


def along(ctx: RuleContext, what: str, nodes: list[str]) -> Related:
    """
    Point at where a way begins, and draw it.
    """
    return ctx.related(nodes[0], f"{what}: {route(ctx, nodes)}")


def by_certainty(sure: bool) -> tuple[Severity | None, str | None]:
    """
    Give the severity and the help of a finding that rests on families.
    """
    return (None, None) if sure else (Severity.INFO, BY_NAME)


def prompts_of(run: Sampling) -> Iterator[tuple[str, Conditioning]]:
    """
    Yield the prompts of a sampler with the inputs that take them.
    """
    for name, prompt in zip(run.inputs, (run.positive, run.negative), strict=True):
        if prompt is not None:
            yield name, prompt


def texts_of(runs: Iterable[Sampling]) -> Iterator[tuple[Sampling, Text]]:
    """
    Yield each encoded text once, with the first sampler that it reaches.
    """
    seen: set[tuple[str, str]] = set()
    for run in runs:
        for _, prompt in prompts_of(run):
            for text in prompt.texts:
                if (text.node_id, text.input) not in seen:
                    seen.add((text.node_id, text.input))
                    yield run, text


def loras_of(model: Model | None) -> list[Part]:
    """
    Give the LoRAs on a model that do something, the last first.
    """
    if model is None:
        return []
    return [part for part in parts_of(model.parts) if part.kind == "lora" and part.strength != 0]


def spoken(name: str) -> str:
    """
    Quote the name of a file.
    """
    return f"`{shorten(name)}`"
