"""
The graph as TAMS takes it: `params`, node id → `{"classType", "inputs", "properties"?}`.
"""

from __future__ import annotations

from comfygraph.core.values import JsonValue, Node, Prompt

_EXACT_IN_DOUBLE = 2**53


def params_of(prompt: Prompt) -> dict[str, JsonValue]:
    """
    Give `params` of a workflow job: `class_type` becomes `classType`, `_meta` is dropped, names
    inside `inputs` stay as they are.
    """
    return {node.id: _node(node) for node in prompt.nodes()}


def _node(node: Node) -> dict[str, JsonValue]:
    inputs = node.to_json().get("inputs", {})
    out: dict[str, JsonValue] = {
        "classType": node.class_type,
        "inputs": {name: _exact(value) for name, value in inputs.items()},
    }
    properties = node.extra.get("properties")
    if isinstance(properties, dict):
        out["properties"] = properties
    return out


def _exact(value: JsonValue) -> JsonValue:
    # `inputs` is a protobuf Struct, whose numbers are doubles: model ids and 64-bit seeds
    # would lose digits there; both are also read from texts
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT_IN_DOUBLE:
        return str(value)
    return value
