"""
A graph in words: what each node does, in the order in which it runs, with sizes, models and
LoRAs at each sampler, and what costs most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from comfygraph.analysis.estimates import estimate
from comfygraph.analysis.facts import Size
from comfygraph.analysis.flow import Flow
from comfygraph.analysis.words import words_of

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.core.values import Prompt


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
        says, details = words_of(flow.view(node_id), facts, size)
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
