"""
Whether a socket type may flow into another.

Models `validate_node_input` of ComfyUI's `comfy_execution/validation.py`.
"""

from __future__ import annotations

from typing import Any

from comfygraph.catalog.specs import MATCH_TYPE, InputSpec, OutputSpec


def accepts(wanted: InputSpec, received: OutputSpec) -> bool:
    """
    Tell whether the server lets `received` flow into `wanted`.

    A union fits when it shares one member; `*` fits everything; a MatchType input fits
    everything too, as the server does not look at its template.
    """
    left: Any = list(received.options or ()) if received.listed else received.type
    right: Any = list(wanted.options or ()) if wanted.listed else wanted.type
    if left == right or "*" in (left, right) or MATCH_TYPE in (left, right):
        return True
    if received.listed and right == "COMBO":
        return True
    if received.listed or wanted.listed:
        return False
    mine = {part.strip() for part in received.type.split(",")}
    theirs = {part.strip() for part in wanted.type.split(",")}
    return "*" in mine or "*" in theirs or bool(mine & theirs)


def type_text(spec: InputSpec | OutputSpec) -> str:
    """
    Give a socket type as the server prints it: the values themselves for an older combo.
    """
    return str(list(spec.options or ())) if spec.listed else spec.type
