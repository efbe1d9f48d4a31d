"""
What rules about inputs know of dynamic groups.
"""

from __future__ import annotations

from comfygraph.lint.context import RuleContext


def in_dynamic_group(ctx: RuleContext, node_id: str, name: str) -> bool:
    """
    Tell whether an undeclared input belongs to a dynamic input that is not chosen well.

    Its members are undeclared only because the selector is wrong, and that is reported.
    """
    definition = ctx.definitions[node_id]
    head = name.partition(".")[0]
    if not definition.is_dynamic or head not in definition.inputs:
        return False
    return definition.inputs[head].is_dynamic and head not in ctx.checked[node_id].specs
