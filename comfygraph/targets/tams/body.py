"""
The graph as TAMS takes it: `params`, node id → `{"classType", "inputs", "properties"?}`.
"""

from __future__ import annotations

from copy import copy

from comfygraph.core.values import JsonValue, Node, Prompt
from comfygraph.targets.http import Secret
from comfygraph.targets.tams.access import AccessKeys

_EXACT_IN_DOUBLE = 2**53


def params_of(
    prompt: Prompt, access: AccessKeys | None = None
) -> tuple[dict[str, JsonValue], tuple[Secret, ...]]:
    """
    Give `params` of a workflow job: `class_type` becomes `classType`, `_meta` is dropped, names
    inside `inputs` stay as they are. Also give the access keys that stand in it.
    """
    params: dict[str, JsonValue] = {}
    used: dict[str, Secret] = {}
    for node in prompt.nodes():
        out = params[node.id] = _node(node)
        key = access.key_for(out["inputs"]) if access is not None else None
        if access is not None and key is not None:
            access.put(out, key)
            used[key.reveal()] = key
    return params, tuple(used.values())


def _node(node: Node) -> dict[str, JsonValue]:
    inputs = node.to_json().get("inputs", {})
    out: dict[str, JsonValue] = {
        "classType": node.class_type,
        "inputs": {name: exact(value) for name, value in inputs.items()},
    }
    properties = node.extra.get("properties")
    if isinstance(properties, dict):
        out["properties"] = dict(properties)
    return out


def exact(value: JsonValue) -> JsonValue:
    """
    Give a value for an input, with integers beyond 2^53 as texts, also inside of it.
    """
    if not isinstance(value, list | dict):
        return _scalar(value)
    root = copy(value)
    below = [root]
    while below:
        place = below.pop()
        for key, item in list(place.items() if isinstance(place, dict) else enumerate(place)):
            inner = copy(item) if isinstance(item, list | dict) else _scalar(item)
            place[key] = inner
            if isinstance(inner, list | dict):
                below.append(inner)
    return root


def _scalar(value: JsonValue) -> JsonValue:
    # `inputs` is a protobuf Struct, whose numbers are doubles: model ids and 64-bit seeds
    # would lose digits there; both are also read from texts
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT_IN_DOUBLE:
        return str(value)
    return value
