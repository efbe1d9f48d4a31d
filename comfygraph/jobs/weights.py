"""
What each node of a graph costs, for progress and for what is learned from jobs.
"""

from __future__ import annotations

from collections.abc import Mapping

from comfygraph.core.values import Node


def node_weights(prompt: Mapping[str, Node]) -> dict[str, float]:
    """
    Give the weight of each node, above 0: `comfygraph.analysis.estimates.estimate` without a
    catalog, so that a graph weighs the same wherever it runs.
    """
    from comfygraph.analysis.estimates import estimate

    return estimate({node_id: node.to_json() for node_id, node in prompt.items()})
