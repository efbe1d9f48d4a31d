"""
What rules about inputs know of dynamic groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from comfygraph.catalog import InputSpec
from comfygraph.catalog.dynamic import (
    MAX_MEMBERS,
    autogrow_names,
    chosen_option,
    section_members,
)
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO, DYNAMIC_SLOT
from comfygraph.lint.context import RuleContext


class DynamicParts(NamedTuple):
    """
    The dynamic inputs of a node that are live: selectors without a valid choice, and groups.
    """

    unchosen: list[InputSpec]
    groups: list[InputSpec]


def dynamic_parts(declared: Mapping[str, InputSpec], values: Mapping[str, Any]) -> DynamicParts:
    """
    Go through the dynamic inputs of a class as the server does, and keep what it passes over.

    Args:
        declared: The inputs of a class as declared.
        values: The node's `inputs` object.
    """
    parts = DynamicParts([], [])
    pending = list(declared.values())[::-1]
    for _ in range(MAX_MEMBERS):
        if not pending:
            break
        spec = pending.pop()
        if spec.type == AUTOGROW:
            parts.groups.append(spec)
        elif spec.type == DYNAMIC_SLOT:
            if spec.name in values:
                pending.extend(section_members(spec, spec.opts.get("inputs")))
        elif spec.type == DYNAMIC_COMBO:
            option = chosen_option(spec, values.get(spec.name))
            if option is None:
                parts.unchosen.append(spec)
            else:
                pending.extend(section_members(spec, option.get("inputs")))
    return parts


def parts_of(ctx: RuleContext, node_id: str) -> DynamicParts | None:
    """
    Give the dynamic parts of a node, or `None` where its class has none.
    """
    definition = ctx.definitions[node_id]
    if not definition.is_dynamic:
        return None
    return dynamic_parts(definition.inputs, ctx.nodes[node_id]["inputs"])


def in_dynamic_group(ctx: RuleContext, node_id: str, name: str) -> bool:
    """
    Tell whether an undeclared input belongs to a dynamic input that is not chosen well.

    Its members are undeclared only because the selector is wrong, and that is reported.
    """
    parts = parts_of(ctx, node_id)
    if parts is None:
        return False
    return any(_belongs(name, spec) for spec in parts.unchosen)


def group_of(ctx: RuleContext, node_id: str, name: str) -> InputSpec | None:
    """
    Give the autogrow group that an undeclared input is meant for, or `None`.
    """
    parts = parts_of(ctx, node_id)
    if parts is None or "." not in name:
        return None
    return next((spec for spec in parts.groups if name.startswith(f"{spec.name}.")), None)


def members_text(group: InputSpec) -> str:
    """
    Name the members of a group for a person: `image0` to `image49`.
    """
    names = [name.rpartition(".")[2] for name in autogrow_names(group)]
    if len(names) < 2:
        return f"`{names[0]}`" if names else "no members"
    return f"`{names[0]}` to `{names[-1]}`"


def _belongs(name: str, spec: InputSpec) -> bool:
    return name == spec.name or name.startswith(f"{spec.name}.")
