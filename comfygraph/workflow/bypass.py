"""
Bypassed nodes: which input takes the place of an output.

Facts: `ExecutableNodeDTO.ts` and `LiteGraphGlobal.ts` (`isValidConnection`) of ComfyUI's
frontend.
"""

from __future__ import annotations

from comfygraph.workflow.live import LiveNode

MAX_LOOK = 1000
"""Inputs that are looked at; no class has as many."""


def bypass_input(node: LiveNode, slot: int, wanted: str) -> int:
    """
    Choose the input that a bypassed node passes on to output `slot`; -1 for none.

    Args:
        node: The bypassed node.
        slot: The output that a connection leaves from.
        wanted: The socket type of the input at the far end, `"*"` for anything.
    """
    inputs = node.inputs
    if wanted in ("*", ""):
        if not inputs:
            return -1
        return slot if 0 <= slot < len(inputs) else 0
    given = node.output_types[slot] if 0 <= slot < len(node.output_types) else "*"
    if (
        0 <= slot < len(inputs)
        and compatible(inputs[slot].type, given)
        and compatible(inputs[slot].type, wanted)
    ):
        return slot
    for index, candidate in enumerate(inputs[:MAX_LOOK]):
        if candidate.type == wanted:
            return index
    for index, candidate in enumerate(inputs[:MAX_LOOK]):
        if compatible(candidate.type, given) and compatible(candidate.type, wanted):
            return index
    return -1


def compatible(first: str, second: str) -> bool:
    """
    Whether the editor would connect two socket types; unlike the server it ignores case.
    """
    if first == second or first in ("", "*") or second in ("", "*"):
        return True
    one, other = first.lower(), second.lower()
    if one == other:
        return True
    if "," not in one and "," not in other:
        return False
    return any(
        part == candidate or part == "*" or candidate == "*"
        for part in one.split(",")
        for candidate in other.split(",")
    )
