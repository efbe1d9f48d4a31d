"""
What a job would cost: the steps of its samplers, weighted with the size of the pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from comfygraph.catalog import NodeCatalog
from comfygraph.emulator.facts import Frame, NodeView, Slots, results_of, steps_of
from comfygraph.emulator.schedule import Nodes, upstream_first


def work_of(nodes: Nodes, catalog: NodeCatalog, file_frame: Callable[[str], Frame | None]) -> float:
    """
    Give the work in a prompt, in sampler steps on a picture of 512 x 768.

    Args:
        nodes: The prompt.
        catalog: Its classes.
        file_frame: Gives the size of the picture in an input file.
    """
    facts: dict[str, Slots] = {}
    total = 0.0
    for node_id in upstream_first(nodes):
        node = nodes[node_id]
        inputs = node.get("inputs")
        class_type = str(node.get("class_type", ""))
        view = NodeView(
            class_type, inputs if isinstance(inputs, Mapping) else {}, facts, file_frame
        )
        facts[node_id] = results_of(view, catalog.find(class_type))
        steps = steps_of(view, nodes)
        if steps:
            frame = view.frame("latent_image", "samples")
            total += steps * frame.width * frame.height * frame.count / (512 * 768)
    return total
