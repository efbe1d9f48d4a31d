"""
What a job would cost: the steps of its samplers, weighted with the size of the pictures.
"""

from __future__ import annotations

from collections.abc import Callable

from comfygraph.catalog import NodeCatalog
from comfygraph.emulator.facts import Frame, NodeView, facts_of, steps_of
from comfygraph.emulator.schedule import Nodes


def work_of(nodes: Nodes, catalog: NodeCatalog, file_frame: Callable[[str], Frame | None]) -> float:
    """
    Give the work in a prompt, in sampler steps on a picture of 512 x 768.

    Args:
        nodes: The prompt.
        catalog: Its classes.
        file_frame: Gives the size of the picture in an input file.
    """
    facts = facts_of(nodes, catalog, file_frame)
    total = 0.0
    for node_id in facts.order:
        steps = steps_of(facts, node_id)
        if steps:
            frame = NodeView(facts, node_id).frame("latent_image", "samples")
            total += steps * frame.width * frame.height * frame.count / (512 * 768)
    return total
