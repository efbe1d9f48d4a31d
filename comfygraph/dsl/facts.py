"""
What a person sees of a node class: its text and its signature, made of facts alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from comfygraph.catalog.dynamic import autogrow_names, combo_options
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO
from comfygraph.dsl.plan import MISSING, ClassPlan, InputPlan

if TYPE_CHECKING:
    from inspect import Signature

WIDTH = 96
HUGE = 10**40
"""Longer numbers are not written out: Python refuses to print the longest."""


def class_text(plan: ClassPlan) -> str:
    """
    Give the docstring of a node class: its name in the editor, then a line for each input.
    """
    definition = plan.definition
    names = (definition.display_name, definition.category)
    head = " · ".join(_line(name) for name in names if name)
    notes = [
        note
        for note, holds in (
            ("output node", definition.output_node),
            ("paid service", definition.api_node),
            ("deprecated", definition.deprecated),
            ("experimental", definition.experimental),
        )
        if holds
    ]
    lines = [head + (f" ({', '.join(notes)})" if notes else "")]
    if not plan.class_type.isidentifier():
        lines.append(f"Class `{_line(plan.class_type)}`.")
    facts = [f"{plan.spelled[item.name]}: {fact}" for item in plan.inputs.values()
             if (fact := input_text(plan, item))]  # fmt: skip
    if facts:
        lines += ["", *facts]
    lists = [plan.output_names[spec.slot] for spec in plan.outputs if spec.is_list]
    if lists:
        lines += ["", f"Gives a list: {', '.join(lists)}"]
    return "\n".join(lines)


def input_text(plan: ClassPlan, item: InputPlan) -> str:
    """
    Give the facts about an input that its type alone does not say, on one line.
    """
    facts: list[str] = []
    if plan.spelled[item.name] != item.name:
        facts.append(f"`{_line(item.name)}`")
    facts += _kind_facts(item)
    if not item.required:
        facts.append("optional")
    if item.spec.opts.get("lazy"):
        facts.append("lazy")
    if item.fill is not MISSING and item.fill is not None:
        facts.append(f"default {_brief(item.fill)}")
    return ", ".join(facts)


def _kind_facts(item: InputPlan) -> Iterator[str]:
    spec = item.spec
    if spec.type == AUTOGROW:
        names = autogrow_names(spec)
        template = spec.opts.get("template")
        least = template.get("min", 0) if isinstance(template, dict) else 0
        yield f"{least} to {len(names)} members"
    elif spec.type == DYNAMIC_COMBO:
        yield _options(tuple(option.get("key") for option in combo_options(spec)))
    elif spec.files is not None:
        yield f"a file of {_line(spec.files)}"
    elif spec.options:
        yield _options(spec.options)
    elif spec.min is not None or spec.max is not None:
        least = "" if spec.min is None else _brief(spec.min)
        most = "" if spec.max is None else _brief(spec.max)
        yield f"{least} … {most}".strip()
        if spec.type == "INT" and isinstance(spec.step, int) and spec.step > 1:
            yield f"step {spec.step}"


def _options(options: tuple[Any, ...]) -> str:
    shown: list[str] = []
    for option in options:
        shown.append(_brief(option))
        if len(shown) == 6 or len(", ".join(shown)) > WIDTH // 2:
            break
    more = len(options) - len(shown)
    return "one of " + ", ".join(shown) + (f", … {more} more" if more > 0 else "")


def _line(text: str) -> str:
    # Names come from servers: no line breaks, and nothing that a terminal or a parser acts on.
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)


def _brief(value: Any) -> str:
    if isinstance(value, int) and abs(value) > HUGE:
        return "a huge number"
    text = repr(value)
    return text if len(text) <= 48 else f"{text[:44]} …"


def class_signature(plan: ClassPlan | None) -> Signature:
    """
    Give the signature that `help` and interactive shells show for a node class.
    """
    from inspect import Parameter, Signature

    if plan is None:
        inputs = Parameter("inputs", Parameter.VAR_KEYWORD)
        return Signature([inputs])
    positional = set(plan.positional)
    first: list[Parameter] = []
    rest: list[Parameter] = []
    for name in [*plan.positional, *(name for name in plan.inputs if name not in positional)]:
        item = plan.inputs[name]
        default: Any = Parameter.empty
        if item.optional:
            default = None if item.fill is MISSING else item.fill
        by_position = name in positional
        kind = Parameter.POSITIONAL_OR_KEYWORD if by_position else Parameter.KEYWORD_ONLY
        made = Parameter(plan.spelled[name], kind, default=default)
        (first if by_position else rest).append(made)
    if plan.takes_title:
        rest.append(Parameter("title", Parameter.KEYWORD_ONLY, default=None))
    return Signature([*first, *rest])
