"""
What the nodes of a graph cost, relative to each other: steps x megapixels x frames x the weight
of the model's family.

The unit is a step of SDXL on 1024 x 1024 pixels. Guesses are welcome here: a size that nobody
knows counts as what the family is trained on, steps that nobody knows as twenty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from math import prod
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from comfygraph.analysis.facts import Sampling, Size
from comfygraph.analysis.flow import Flow, Nodes

if TYPE_CHECKING:
    from comfygraph.analysis.families import Space
    from comfygraph.catalog import NodeCatalog
    from comfygraph.core.values import Prompt

LIKELY_STEPS = 20
LIKELY_FACTOR = 0.5
"""Share of a step that is left where there is no negative prompt to work out."""

MOST = 1e9
_PER_MEGAPIXEL: Mapping[str, float] = {
    "VAEDecode": 4.0,
    "VAEDecodeTiled": 6.0,
    "VAEEncode": 2.0,
    "VAEEncodeTiled": 3.0,
    "VAEEncodeForInpaint": 2.0,
    "ImageUpscaleWithModel": 10.0,
    "FrameInterpolate": 2.0,
}
"""Class → cost of a megapixel of what it makes; of what goes into an upscale model."""


def estimate(
    prompt: Prompt | Nodes,
    catalog: NodeCatalog | None = None,
    *,
    learned: Mapping[str, float] | None = None,
    flow: Flow | None = None,
) -> dict[str, float]:
    """
    Estimate what each node costs.

    Args:
        prompt: A graph.
        catalog: Its classes; without them sizes that come from unusual nodes are not known.
        learned: Class → seconds for a unit, from jobs that were run. With it all results are
            in seconds; classes that it lacks go at the middle of its paces.
        flow: What is known of the graph already.

    Returns:
        Node id → cost, above 0, in the order of the graph.
    """
    nodes = _plain(prompt)
    known = flow if flow is not None else Flow(nodes, catalog, guessing=True)
    usual = median(learned.values()) if learned else 1.0
    paces = learned or {}
    out: dict[str, float] = {}
    for node_id, node in nodes.items():
        class_type = node.get("class_type") if isinstance(node, Mapping) else None
        name = class_type if isinstance(class_type, str) else ""
        out[node_id] = min(_cost(known, node_id, name), MOST) * paces.get(name, usual)
    return out


class SweepCost(NamedTuple):
    """
    What a row of graphs costs.

    Args:
        first: The first of them.
        total: All of them; what a node has done for the graph before is not paid for again.
        each: Each of them.
    """

    first: float
    total: float
    each: tuple[float, ...]

    @property
    def times(self) -> float:
        """How many times as much as the first they cost together."""
        return self.total / self.first if self.first else float(len(self.each))


def sweep_cost(
    prompts: Iterable[Prompt | Nodes],
    catalog: NodeCatalog | None = None,
    *,
    learned: Mapping[str, float] | None = None,
    cached: bool = True,
) -> SweepCost:
    """
    Estimate what graphs cost that are run one after the other.

    Args:
        prompts: The graphs, in order.
        catalog: Their classes.
        learned: See `estimate`.
        cached: The service keeps what nodes gave for the graph before, as ComfyUI does.
    """
    each: list[float] = []
    before: frozenset[bytes] = frozenset()
    for prompt in prompts:
        nodes = _plain(prompt)
        flow = Flow(nodes, catalog, guessing=True)
        costs = estimate(nodes, catalog, learned=learned, flow=flow)
        prints = _prints(nodes, flow.order) if cached else {}
        each.append(
            sum(cost for node_id, cost in costs.items() if prints.get(node_id) not in before)
        )
        before = frozenset(prints.values())
    return SweepCost(each[0] if each else 0.0, sum(each), tuple(each))


def sampling_cost(run: Sampling) -> float:
    """
    Give the cost of a sampler: the product of its factors.
    """
    return prod(factor for factor, _ in sampling_factors(run))


def sampling_factors(run: Sampling) -> list[tuple[float, str]]:
    """
    Give what the cost of a sampler is the product of, each with words: steps, megapixels,
    pictures or latent frames, the weight of the family, and half without a negative prompt.
    """
    family = run.model.family if run.model is not None else None
    steps = LIKELY_STEPS if run.steps is None else max(run.steps, 1)
    likely = "likely " if run.steps is None else ""
    out = [(float(steps), f"{likely}{steps} step{'s' * (steps != 1)}")]
    if run.size is not None:
        size = run.size
        out.append((size.megapixels, f"{size.megapixels:.2f} megapixels"))
        frames = _latent_frames(size, family.space if family is not None else None)
        if size.batch is not None and size.batch > 1:
            out.append((size.batch, f"{size.batch} pictures"))
        if frames > 1:
            out.append((frames, f"{frames} latent frames"))
    elif family is not None and family.side:
        area = (family.side / 1024) ** 2
        out.append((area, f"likely {area:.2f} megapixels"))
    if family is not None and family.weight != 1:
        out.append((family.weight, f"{family.weight:g} for {family.label}"))
    if run.cfg == 1 or (run.sure and run.inputs[1] == ""):
        out.append((LIKELY_FACTOR, "½ without a negative prompt"))
    return out


def _latent_frames(size: Size, space: Space | None = None) -> int:
    """Give the frames that are worked on, of films in latent form fewer than their pictures."""
    frames = size.frames or 1
    time = space.time if space is not None and space.time > 1 else 4
    return (frames - 1) // time + 1 if size.scale != 1 else frames


def _volume(size: Size) -> float:
    """Megapixels in all; of films, of their latent frames."""
    return size.megapixels * (size.batch or 1) * _latent_frames(size)


def _cost(flow: Flow, node_id: str, class_type: str) -> float:
    facts = flow[node_id]
    if facts.sampling is not None:
        return max(sampling_cost(facts.sampling), 0.01)
    each = _PER_MEGAPIXEL.get(class_type)
    if each is not None:
        size = (
            flow.view(node_id).size("image")
            if class_type == "ImageUpscaleWithModel"
            else next((fact for fact in facts.size if isinstance(fact, Size)), None)
        )
        return each * (_volume(size) if size is not None else 1.0)
    return 1.0


def _plain(prompt: Prompt | Nodes) -> Nodes:
    """Give a graph as JSON, whichever way it comes."""
    if any(not isinstance(node, Mapping) and hasattr(node, "to_json") for node in prompt.values()):
        return {node_id: node.to_json() for node_id, node in prompt.items()}
    return prompt


def _prints(nodes: Nodes, order: Sequence[str]) -> dict[str, bytes]:
    """
    Give node id → a digest of the node and of all that it depends on.
    """
    out: dict[str, bytes] = {}
    for node_id in order:
        node = nodes[node_id]
        inputs = node.get("inputs") if isinstance(node, Mapping) else None
        values: list[Any] = []
        for name, value in sorted(inputs.items()) if isinstance(inputs, Mapping) else ():
            linked = out.get(value[0]) if _is_link(value) else None
            values.append((name, linked.hex(), value[1]) if linked else (name, value))
        try:
            text = json.dumps([node.get("class_type"), values], default=str)
        except (ValueError, RecursionError, AttributeError):
            text = f"{node_id} is like no other"
        out[node_id] = blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
    return out


def _is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)
