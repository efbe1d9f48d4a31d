"""
What each node of a graph costs, roughly: a sampler its steps, anything else one.
"""

from __future__ import annotations

from collections.abc import Mapping

from comfygraph.core.values import Link, Node

_MOST_STEPS = 10_000.0
_MOST_HOPS = 16


def node_weights(prompt: Mapping[str, Node]) -> dict[str, float]:
    """
    Give the weight of each node: the steps of a sampler (1 to 10,000), else 1.

    A sampler is known by its class name. It carries its steps itself (`KSampler`), between
    `start_at_step` and `end_at_step` (`KSamplerAdvanced`), or takes them over its `sigmas`
    (`SamplerCustomAdvanced` from a `BasicScheduler`).
    """
    return {node.id: _weight(prompt, node) for node in prompt.values()}


def _weight(prompt: Mapping[str, Node], node: Node) -> float:
    if "sampler" not in node.class_type.lower() or not node.inputs:
        return 1.0
    steps = _steps(prompt, node)
    if steps is None:
        return 1.0
    first = _number(node.inputs.get("start_at_step")) or 0.0
    last = _number(node.inputs.get("end_at_step"))
    steps = min(steps, steps if last is None else last) - first
    return min(max(steps, 1.0), _MOST_STEPS)


def _steps(prompt: Mapping[str, Node], node: Node) -> float | None:
    """
    Look for `steps` on the node, then up its `sigmas`, also through nodes that change sigmas.
    """
    current: Node | None = node
    for _ in range(_MOST_HOPS):
        if current is None:
            return None
        steps = current.inputs.get("steps")
        if isinstance(steps, Link):
            return _linked_number(prompt, steps)
        number = _number(steps)
        if number is not None:
            return number
        above = current.inputs.get("sigmas")
        current = prompt.get(above.node_id) if isinstance(above, Link) else None
    return None


def _linked_number(prompt: Mapping[str, Node], link: Link) -> float | None:
    """
    Read a number node such as `PrimitiveInt`, which has one input, `value`.
    """
    source = prompt.get(link.node_id)
    return None if source is None else _number(source.inputs.get("value"))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if value != value:  # NaN
        return None
    return float(value) if abs(value) <= _MOST_STEPS else _MOST_STEPS
