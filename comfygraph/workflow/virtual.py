"""
Nodes that live in the editor only: which they are.

A prompt never holds them. What hangs on them is led on (`resolve.py`), or falls back to
the widget's own value. Facts: `isVirtualNode` in ComfyUI's frontend, KJNodes, EasyUse,
rgthree-comfy and cg-use-everywhere.
"""

from __future__ import annotations

NOTES = frozenset({"Note", "MarkdownNote"})
PRIMITIVE = "PrimitiveNode"
REROUTES = frozenset({"Reroute", "Reroute (rgthree)"})
SETTERS = frozenset({"SetNode", "easy setNode"})
GETTERS = frozenset({"GetNode", "easy getNode"})
SWITCHES = frozenset(
    {
        "Fast Groups Muter (rgthree)",
        "Fast Groups Bypasser (rgthree)",
        "Fast Muter (rgthree)",
        "Fast Bypasser (rgthree)",
        "Fast Actions Button (rgthree)",
        "Mute / Bypass Relay (rgthree)",
        "Mute / Bypass Repeater (rgthree)",
        "Random Unmuter (rgthree)",
        "Node Collector (rgthree)",
        "Label (rgthree)",
        "Bookmark (rgthree)",
    }
)
"""Nodes that change the modes of others when a person clicks; the file holds the result."""

EVERYWHERE = frozenset(
    {
        "Anything Everywhere",
        "Anything Everywhere3",
        "Anything Everywhere?",
        "Prompts Everywhere",
    }
)
"""Nodes of cg-use-everywhere, whose connections exist only while the editor queues."""

_VIRTUAL = NOTES | REROUTES | SETTERS | GETTERS | SWITCHES | EVERYWHERE | {PRIMITIVE}


def is_virtual(kind: str) -> bool:
    """
    Whether a node of this type, which the catalog does not have, lives in the editor only.
    """
    return kind in _VIRTUAL
