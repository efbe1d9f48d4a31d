"""
Dynamic inputs: what an autogrow group, a dynamic combo or a dynamic slot stands for.

Models `comfy_api/latest/_io.py` of ComfyUI: `get_finalized_class_inputs` and the
expansion functions of `Autogrow`, `DynamicCombo` and `DynamicSlot`.
Members have dotted names: `images.image0`, `resize_type.width`, `a.b.c`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from comfygraph.catalog.parse import read_input
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO, DYNAMIC_SLOT, InputSpec

MAX_MEMBERS = 10_000
"""No autogrow group is expanded further, whatever a catalog says."""

MAX_STEPS = 100_000
"""Groups in groups multiply: no class is expanded further, whatever a catalog says."""

MAX_PREFIX = 1_000
"""No group with a longer prefix is expanded: it would be repeated for every member."""


class Expansion(NamedTuple):
    """
    What the dynamic inputs of a class stand for, given certain values.

    Args:
        specs: The inputs that the server looks at.
        unchosen: Dynamic combos whose selector has no valid value: the server passes over them.
        groups: The autogrow groups that are live.
        asked: The inputs whose values decided, with what they answered.
    """

    specs: Mapping[str, InputSpec]
    unchosen: tuple[InputSpec, ...]
    groups: tuple[InputSpec, ...]
    asked: tuple[tuple[str, bool, Any], ...]

    def fits(self, values: Mapping[str, Any]) -> bool:
        """
        Tell whether other values call for the same inputs.
        """
        return all(_answer(values, name, slot) == known for name, slot, known in self.asked)


def _answer(values: Mapping[str, Any], name: str, slot: bool) -> Any:
    if slot:
        return name in values
    value = values.get(name)
    return value if isinstance(value, str | int | float) else None


def expand_inputs(declared: Mapping[str, InputSpec], values: Mapping[str, Any]) -> Expansion:
    """
    Replace dynamic inputs by the members that these values call for.

    Args:
        declared: The inputs of a class as declared.
        values: The node's `inputs` object.
    """
    out: dict[str, InputSpec] = {}
    unchosen: list[InputSpec] = []
    groups: list[InputSpec] = []
    asked: list[tuple[str, bool, Any]] = []
    # A stack and not recursion: catalogs come from servers, and nest as deep as they like.
    pending = list(declared.values())[::-1]
    for _ in range(MAX_STEPS):
        if not pending:
            break
        spec = pending.pop()
        if spec.type == AUTOGROW:
            groups.append(spec)
            pending.extend(list(autogrow_members(spec))[::-1])
        elif spec.type == DYNAMIC_COMBO:
            asked.append((spec.name, False, _answer(values, spec.name, False)))
            option = chosen_option(spec, values.get(spec.name))
            if option is None:
                unchosen.append(spec)
            else:
                out[spec.name] = spec
                pending.extend(list(section_members(spec, option.get("inputs")))[::-1])
        elif spec.type == DYNAMIC_SLOT:
            asked.append((spec.name, True, spec.name in values))
            if spec.name in values:
                out[spec.name] = read_input(
                    spec.name, [slot_type(spec), dict(spec.opts)], required=spec.required
                )
                pending.extend(list(section_members(spec, spec.opts.get("inputs")))[::-1])
        else:
            out[spec.name] = spec
    return Expansion(out, tuple(unchosen), tuple(groups), tuple(asked))


def autogrow_names(spec: InputSpec) -> list[str]:
    """
    Give the full names of all members that a group can have, the first `min` being required.
    """
    template = _template(spec)
    names = template.get("names")
    if isinstance(names, list):
        return [f"{spec.name}.{name}" for name in names[:MAX_MEMBERS] if isinstance(name, str)]
    prefix = template.get("prefix")
    count = template.get("max")
    if not isinstance(prefix, str) or not isinstance(count, int) or len(prefix) > MAX_PREFIX:
        return []
    return [f"{spec.name}.{prefix}{index}" for index in range(min(count, MAX_MEMBERS))]


def autogrow_members(spec: InputSpec) -> Iterator[InputSpec]:
    """
    Yield the members of an autogrow group: the first `min` are required if the template is.
    """
    template = _template(spec)
    required, member = template_member(spec)
    least = template.get("min")
    least = least if isinstance(least, int) else 0
    for index, name in enumerate(autogrow_names(spec)):
        yield read_input(name, member, required=required and index < least, group=spec.name)


def template_member(spec: InputSpec) -> tuple[bool, Any]:
    """
    Give `(required, spec as JSON)` of the input that an autogrow group repeats.
    """
    sections = _template(spec).get("input")
    if isinstance(sections, Mapping):
        for section in ("required", "optional"):
            inner = sections.get(section)
            if isinstance(inner, Mapping) and inner:
                return section == "required", next(iter(inner.values()))
    return False, ["*", {}]


def chosen_option(spec: InputSpec, value: Any) -> Mapping[str, Any] | None:
    """
    Give the option of a dynamic combo that `value` selects, or `None`.
    """
    if not isinstance(value, str | int | float):
        return None
    for option in combo_options(spec):
        if option.get("key") == value:
            return option
    return None


def combo_options(spec: InputSpec) -> list[Mapping[str, Any]]:
    """
    Give the options of a dynamic combo: `{"key": ..., "inputs": {"required": {...}}}`.
    """
    options = spec.opts.get("options")
    if not isinstance(options, list):
        return []
    return [option for option in options if isinstance(option, Mapping)]


def slot_type(spec: InputSpec) -> str:
    """
    Give the socket type that a dynamic slot takes.
    """
    slot = spec.opts.get("slot")
    kind = slot[0] if isinstance(slot, list) and slot else spec.opts.get("slotType")
    return kind if isinstance(kind, str) and kind else "*"


def section_members(parent: InputSpec, sections: Any) -> Iterator[InputSpec]:
    """
    Yield the members that `{"required": {...}, "optional": {...}}` gives a dynamic input.
    """
    if not isinstance(sections, Mapping):
        return
    for section in ("required", "optional"):
        members = sections.get(section)
        if isinstance(members, Mapping):
            for name, member in members.items():
                yield read_input(
                    f"{parent.name}.{name}",
                    member,
                    required=section == "required",
                    group=parent.name,
                )


def _template(spec: InputSpec) -> Mapping[str, Any]:
    template = spec.opts.get("template")
    return template if isinstance(template, Mapping) else {}
