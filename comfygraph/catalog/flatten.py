"""
Every input that a class can ever have, dynamic ones laid out flat.

For comparing classes, where no values are at hand that would choose among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfygraph.catalog.dynamic import (
    autogrow_names,
    combo_options,
    section_members,
    slot_type,
    template_member,
)
from comfygraph.catalog.parse import read_input
from comfygraph.catalog.specs import (
    AUTOGROW,
    DYNAMIC_COMBO,
    DYNAMIC_SLOT,
    MATCH_TYPE,
    InputSpec,
    NodeDef,
)

MOST_INPUTS = 20_000
"""A catalog that nests without end is cut here."""

ANY_MEMBER = "*"
"""Stands for the name of each member of an autogrow group, `images.*`."""


@dataclass(frozen=True, slots=True)
class FlatInput:
    """
    One input of a class, declared or dynamic.

    Args:
        path: How people read it: `resize_type[scale width].width`, `images.*`.
        name: Its name in a prompt; `*` for the part that numbers the members of a group.
        spec: Its spec; a dynamic combo has its keys as options, a MatchType the types that
            its template allows.
        chosen: What must be chosen for it to exist: name of the dynamic combo → key.
        parent: The path of the dynamic input that it is a member of, or `None`.
        key: The key of the parent that it belongs to, if the parent is a dynamic combo.
    """

    path: str
    name: str
    spec: InputSpec
    chosen: tuple[tuple[str, Any], ...] = ()
    parent: str | None = None
    key: Any = None

    def names_in(self, inputs: Mapping[str, Any]) -> Iterator[str]:
        """
        Yield the names in a node's `inputs` that are this input.
        """
        if not self.exists_for(inputs):
            return
        if ANY_MEMBER not in self.name:
            if self.name in inputs:
                yield self.name
            return
        parts = self.name.split(".")
        for name in inputs:
            members = name.split(".")
            if len(members) == len(parts) and all(
                part in (ANY_MEMBER, member) for part, member in zip(parts, members, strict=True)
            ):
                yield name

    def exists_for(self, inputs: Mapping[str, Any]) -> bool:
        """
        Tell whether a node with these `inputs` has this input, given or not.
        """
        # A choice inside of a group is made once for each member; any of them counts.
        return all(
            ANY_MEMBER in name or (name in inputs and inputs[name] == key)
            for name, key in self.chosen
        )


def flat_inputs(node: NodeDef) -> dict[str, FlatInput]:
    """
    Give path → input for everything that nodes of this class can have.
    """
    out: dict[str, FlatInput] = {}
    pending = [FlatInput(name, name, spec) for name, spec in node.inputs.items()][::-1]
    while pending and len(out) < MOST_INPUTS:
        item = pending.pop()
        out[item.path] = replace(item, spec=_plain(item.spec))
        pending.extend(list(_members(item))[::-1])
    return out


def _plain(spec: InputSpec) -> InputSpec:
    if spec.type == DYNAMIC_COMBO:
        keys = tuple(option.get("key") for option in combo_options(spec))
        return spec._replace(options=keys)
    if spec.type == AUTOGROW:
        template = spec.opts.get("template")
        least = template.get("min") if isinstance(template, Mapping) else None
        names = tuple(name.removeprefix(f"{spec.name}.") for name in autogrow_names(spec))
        return spec._replace(options=names, opts={"min": least})
    if spec.type == DYNAMIC_SLOT:
        return spec._replace(type=slot_type(spec))
    if spec.type == MATCH_TYPE:
        template = spec.opts.get("template")
        allowed = template.get("allowed_types") if isinstance(template, Mapping) else None
        return spec._replace(type=allowed if isinstance(allowed, str) and allowed else "*")
    return spec


def _members(item: FlatInput) -> Iterator[FlatInput]:
    spec = item.spec

    def member(between: str, inner: InputSpec, key: Any = None) -> FlatInput:
        tail = inner.name.removeprefix(f"{spec.name}.")
        chosen = item.chosen
        if spec.type == DYNAMIC_COMBO:
            chosen = (*chosen, (item.name, key))
        return FlatInput(
            f"{item.path}{between}.{tail}", f"{item.name}.{tail}", inner, chosen, item.path, key
        )

    if spec.type == AUTOGROW:
        # Which members are required is a matter of the group's `min`, not of each of them.
        _, inner = template_member(spec)
        name = f"{spec.name}.{ANY_MEMBER}"
        yield member("", read_input(name, inner, required=False, group=spec.name))
    elif spec.type == DYNAMIC_COMBO:
        for option in combo_options(spec):
            key = option.get("key")
            for inner_spec in section_members(spec, option.get("inputs")):
                yield member(f"[{key}]", inner_spec, key)
    elif spec.type == DYNAMIC_SLOT:
        for inner_spec in section_members(spec, spec.opts.get("inputs")):
            yield member("", inner_spec)
