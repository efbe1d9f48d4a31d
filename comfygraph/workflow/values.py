"""
The values of a node's widgets, from `widgets_values` as the file stores them.

Facts: `LGraphNode.configure`, `migrateWidgetsValues.ts`, `errorNodeWidgets.ts` and the
patches of `app.loadGraphData` in ComfyUI's frontend.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from comfygraph.workflow.model import as_list
from comfygraph.workflow.plan import ABSENT, ClassPlan, Section, Widget

MAX_WIDGETS = 10_000
"""More widgets than any node has; dynamic combos that select each other end here."""


class Loaded(NamedTuple):
    """
    The widgets of one node.

    Args:
        widgets: In order; those of dynamic combos follow the combo.
        values: Widget name → value; `ABSENT` where the editor has `undefined`.
        stored: Widget name → position in `widgets_values`; names without one had no value.
        consumed: How many stored values were read.
        sections: What dynamic combos added, by the combo's name.
    """

    widgets: list[Widget]
    values: dict[str, Any]
    stored: dict[str, int | str]
    consumed: int
    sections: dict[str, Section]


def load_values(plan: ClassPlan, stored: Any) -> Loaded:
    """
    Give each widget of a class its value.

    Args:
        plan: The class.
        stored: `widgets_values`: a list in the order of the widgets; an object by name for
            classes whose extension stores one; anything else counts as no values.
    """
    if isinstance(stored, dict):
        # `VHS_*` and others store their values by name.
        named = {name: (value, name) for name, value in stored.items()}
        return _core_object(plan) if plan.is_core else load_named(plan, named)
    listed = as_list(stored)
    skipped: list[int] | None = None
    if plan.migration is not None and len(plan.migration) == len(listed):
        skipped = [index for index, forced in enumerate(plan.migration) if not forced]
        listed = [listed[index] for index in skipped]
    loaded = _in_order(plan, listed)
    if skipped is not None:
        for name, index in loaded.stored.items():
            loaded.stored[name] = skipped[int(index)]
    _patch(plan.class_type, loaded.values)
    return loaded


def placeholder_values(stored: Any) -> Loaded:
    """
    Give the widgets of a node whose class is not known: `UNKNOWN`, `UNKNOWN_1`, ...
    """
    widgets: list[Widget] = []
    values: dict[str, Any] = {}
    where: dict[str, int | str] = {}
    for index, value in enumerate(as_list(stored)):
        name = "UNKNOWN" if index == 0 else f"UNKNOWN_{index}"
        widgets.append(Widget(name, "UNKNOWN", ABSENT))
        values[name] = value
        where[name] = index
    return Loaded(widgets, values, where, len(widgets), {})


def _in_order(plan: ClassPlan, listed: list[Any]) -> Loaded:
    values: dict[str, Any] = {}
    where: dict[str, int | str] = {}
    sections: dict[str, Section] = {}
    count = len(listed)
    position = 0
    if not plan.is_dynamic:
        widgets = plan.section.widgets
        for widget in widgets:
            if position < count:
                value = listed[position]
                if value is None and widget.choices:
                    value = widget.choices[0]
                where[widget.name] = position
                position += 1
            else:
                value = widget.default
            values[widget.name] = value
        return Loaded(widgets, values, where, position, sections)
    widgets = []
    pending = plan.section.widgets[::-1]
    while pending and len(widgets) < MAX_WIDGETS:
        widget = pending.pop()
        widgets.append(widget)
        value = widget.default
        if widget.saved and position < count:
            value = listed[position]
            if value is None and widget.choices:
                value = widget.choices[0]
            where[widget.name] = position
            position += 1
        values[widget.name] = value
        if widget.dynamic:
            section = plan.option(widget, value)
            if section is not None:
                sections[widget.name] = section
                pending.extend(section.widgets[::-1])
    loaded = Loaded(widgets, values, where, position, sections)
    return _count_on(plan.counted, loaded, listed) if plan.counted else loaded


def _count_on(prefix: str, loaded: Loaded, listed: list[Any]) -> Loaded:
    """
    Read the options of a `CustomCombo`: the last one is empty, and typing there adds another.
    """
    widgets = list(loaded.widgets)
    position = loaded.consumed
    options: list[Any] = []
    while len(options) < MAX_WIDGETS:
        name = f"{prefix}{len(options) + 1}"
        value = listed[position] if position < len(listed) else ""
        widgets.append(Widget(name, "STRING", ""))
        loaded.values[name] = value
        options.append(value)
        if position < len(listed):
            loaded.stored[name] = position
            position += 1
        if not value:
            break
    choice = loaded.values.get("choice")
    if "index" in loaded.values:
        loaded.values["index"] = options.index(choice) if choice in options else -1
    return loaded._replace(widgets=widgets, consumed=position)


def load_named(plan: ClassPlan, named: Mapping[str, tuple[Any, int | str | None]]) -> Loaded:
    """
    Give the widgets of a class values by name.

    Args:
        plan: The class.
        named: Widget name → value, and where it is stored (`None` for nowhere). Names that
            the class does not have are state of the editor.
    """
    values: dict[str, Any] = {}
    where: dict[str, int | str] = {}
    sections: dict[str, Section] = {}
    widgets: list[Widget] = []
    pending = plan.section.widgets[::-1]
    while pending and len(widgets) < MAX_WIDGETS:
        widget = pending.pop()
        widgets.append(widget)
        value, at = named.get(widget.name, (widget.default, None))
        values[widget.name] = value
        if at is not None:
            where[widget.name] = at
        section = plan.option(widget, value) if widget.dynamic else None
        if section is not None:
            sections[widget.name] = section
            pending.extend(section.widgets[::-1])
    return Loaded(widgets, values, where, len(where), sections)


def _core_object(plan: ClassPlan) -> Loaded:
    """
    The editor reads an object as a list without length: each widget gets `undefined`.
    """
    loaded = _in_order(plan, [])
    for widget in loaded.widgets:
        loaded.values[widget.name] = widget.choices[0] if widget.choices else ABSENT
    return loaded


def _patch(class_type: str, values: dict[str, Any]) -> None:
    if class_type in ("KSampler", "KSamplerAdvanced"):
        name = values.get("sampler_name")
        if isinstance(name, str) and name.startswith("sample_"):
            values["sampler_name"] = name[len("sample_") :]
