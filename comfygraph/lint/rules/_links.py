"""
Links that the server's validation does not look at, and its executor follows all the same.

Models `is_link` of ComfyUI's `comfy_execution/graph_utils.py` and `ExecutionList` of
`comfy_execution/graph.py`: an exception there ends the worker thread, which no later job
survives.
"""

from __future__ import annotations

from typing import Any

from comfygraph.lint.context import RuleContext
from comfygraph.lint.show import shown

HANG = "the server accepts the prompt, its worker dies, and every later job waits for ever"


def is_executor_link(value: Any) -> bool:
    """
    Tell whether the executor takes a value for a link: `[text, number]`.
    """
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int | float)
    )


def dead_end(ctx: RuleContext, link: list[Any]) -> str | None:
    """
    Say why the executor dies of a link: its node or its slot does not exist. `None` if they do.
    """
    source, slot = link
    if source not in ctx.prompt:
        return f"node {shown(source)} does not exist"
    definition = ctx.definitions.get(source)
    if definition is None:
        return None
    count = len(definition.outputs)
    if not isinstance(slot, int) or not -count <= slot < count:
        return f"{ctx.label(source)} has no output slot {shown(slot)}"
    return None


def shown_id(source: Any) -> str:
    """
    Give the text that a node id of the wrong JSON type stands for: 4 for `"4"`.
    """
    if isinstance(source, float) and source.is_integer():
        return str(int(source))
    return str(source) if isinstance(source, int) and source.bit_length() < 64 else ""
