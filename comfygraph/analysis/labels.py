"""
A few words for each node of a drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from comfygraph.analysis.estimates import estimate
from comfygraph.analysis.facts import Model, Size, parts_of
from comfygraph.analysis.flow import Flow

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.core.values import Prompt


def labels_of(
    prompt: Prompt,
    catalog: NodeCatalog,
    *,
    classes: Mapping[str, Mapping[str, str]] | None = None,
    families: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """
    Give a few words for drawings: the sizes of pictures, LoRAs, steps and shares of the cost.

    Args:
        prompt: The graph.
        catalog: Its classes.
        classes: See `Flow`.
        families: See `Flow`.

    Returns:
        Node id → words, for the nodes that have something to tell.

    Raises:
        UsageError: The words of a class cannot be read.
    """
    nodes = {node.id: node.to_json() for node in prompt.nodes()}
    flow = Flow(nodes, catalog, classes=classes, families=families)
    costs = estimate(nodes, catalog, flow=flow)
    total = sum(costs.values()) or 1.0
    out: dict[str, str] = {}
    for node_id in flow.order:
        facts = flow[node_id]
        words: list[str] = []
        run = facts.sampling
        size = next((fact for fact in facts.size if isinstance(fact, Size)), None)
        size = size or flow.view(node_id).size("images", "image", "samples", "video")
        if size is not None:
            many = f" × {size.pictures}" if size.pictures is not None and size.pictures > 1 else ""
            words.append(f"{size.width} × {size.height}{many}")
        if run is not None:
            words += [f"{run.steps} steps"] if run.steps is not None else []
            loras = [part for part in parts_of(run.model.parts) if part.kind == "lora"] if (
                run.model is not None
            ) else []  # fmt: skip
            words += [f"{len(loras)} LoRA{'s' * (len(loras) != 1)}"] if loras else []
            words.append(f"{costs[node_id] / total:.0%} of the cost")
        model = next((fact for fact in facts.model if isinstance(fact, Model)), None)
        if model is not None and model.family is not None and model.node_id == node_id:
            words.append(model.family.label)
        if words:
            out[node_id] = " · ".join(words)
    return out
