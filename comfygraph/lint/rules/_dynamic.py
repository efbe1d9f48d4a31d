"""
What rules about inputs know of dynamic groups.
"""

from __future__ import annotations

from comfygraph.catalog import InputSpec
from comfygraph.catalog.dynamic import autogrow_names
from comfygraph.lint.context import RuleContext


def unchosen_at(ctx: RuleContext, node_id: str) -> tuple[InputSpec, ...]:
    """
    Give the selectors of a node that choose nothing.
    """
    definition = ctx.definitions[node_id]
    if not definition.is_dynamic:
        return ()
    return definition.expansion(ctx.nodes[node_id]["inputs"]).unchosen


def in_dynamic_group(ctx: RuleContext, node_id: str, name: str) -> bool:
    """
    Tell whether an undeclared input belongs to a dynamic input that is not chosen well.

    Its members are undeclared only because the selector is wrong, and that is reported.
    """
    return any(
        name == spec.name or name.startswith(f"{spec.name}.") for spec in unchosen_at(ctx, node_id)
    )


def group_of(ctx: RuleContext, node_id: str, name: str) -> InputSpec | None:
    """
    Give the autogrow group that an undeclared input is meant for, or `None`.
    """
    definition = ctx.definitions[node_id]
    if "." not in name or not definition.is_dynamic:
        return None
    groups = definition.expansion(ctx.nodes[node_id]["inputs"]).groups
    return next((spec for spec in groups if name.startswith(f"{spec.name}.")), None)


def members_text(group: InputSpec) -> str:
    """
    Name the members of a group for a person: `image0` to `image49`.
    """
    names = [name.rpartition(".")[2] for name in autogrow_names(group)]
    if len(names) < 2:
        return f"`{names[0]}`" if names else "no members"
    return f"`{names[0]}` to `{names[-1]}`"
