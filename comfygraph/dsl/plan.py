"""
What the DSL needs to know of one node class, worked out once from its `NodeDef`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from comfygraph.catalog.dynamic import (
    autogrow_members,
    combo_options,
    section_members,
    template_member,
)
from comfygraph.catalog.specs import (
    AUTOGROW,
    DYNAMIC_COMBO,
    DYNAMIC_SLOT,
    MATCH_TYPE,
    InputSpec,
    NodeDef,
)
from comfygraph.dsl.names import RESERVED_IN_CLASS, member_names

EDITOR_WIDGETS = frozenset({
    "AUDIOUPLOAD", "AUDIO_RECORD", "AUDIO_UI", "BOOLEAN", "BOUNDING_BOX", "BOUNDING_BOXES", "CHART",
    "COLOR", "COLORS", "COMBO", "COMFY_DYNAMICCOMBO_V3", "COMPOSITOR", "CURVE", "FLOAT", "GALLERIA",
    "IMAGECOMPARE", "IMAGEUPLOAD", "INT", "LOAD_3D", "LOAD_3D_ANIMATION", "MARKDOWN", "PAINTER",
    "RANGE", "STRING", "TEXTAREA", "WEBCAM",
})  # fmt: skip
"""Types for which ComfyUI's editor shows a widget, whose value it writes into the prompt."""

NUMBERS = {"INT": int, "FLOAT": float}
EXACT: dict[str, type] = {**NUMBERS, "STRING": str, "BOOLEAN": bool}
LARGEST = sys.float_info.max
ANY = frozenset({"*", MATCH_TYPE})
"""Socket types that say nothing by themselves."""

MISSING: Any = object()
"""Marks an input that was not given; `None` is a value that a caller may give."""


class InputPlan:
    """
    One input: how a value for it is checked, and what stands there when none is given.

    Args:
        spec: What the catalog says; the name is dotted for members of dynamic inputs.
    """

    __slots__ = (
        "_plain",
        "accepts",
        "exact",
        "fill",
        "kinds",
        "name",
        "only_slot",
        "passes",
        "ready",
        "required",
        "spec",
        "template",
        "widget",
    )

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.required = spec.required
        self.kinds = tuple(part.strip() for part in spec.type.split(","))
        self.accepts: frozenset[str] = frozenset() if spec.listed else frozenset(self.kinds)
        widget_type = spec.opts.get("widgetType")
        widget_type = widget_type if isinstance(widget_type, str) and widget_type else spec.type
        self.widget = widget_type in EDITOR_WIDGETS and not spec.opts.get("forceInput")
        if not self.widget and widget_type not in EDITOR_WIDGETS:
            # A widget of a node pack: its default is what the pack's own editor code shows.
            self.widget = "default" in spec.opts and not spec.opts.get("forceInput")
        self.fill = _fill(spec) if self.widget else MISSING
        self.template: Mapping[str, Any] | None = None
        if spec.type == MATCH_TYPE:
            template = spec.opts.get("template")
            self.template = template if isinstance(template, Mapping) else {}
        self.ready = {"__value__": self.fill} if type(self.fill) is list else self.fill
        self._plain: list[Any] | None = None
        self.only_slot: dict[type, int] = {}
        """Class of a node given as a whole → its only fitting slot; a memory."""
        self._prepare()

    def _prepare(self) -> None:
        """
        Lay out the short way for constants: of exactly one type, and one test for the value.

        Whatever does not pass here is looked at in full, and may still be right.
        """
        spec = self.spec
        self.exact: type | None = None
        self.passes: Callable[[Any], bool] = _always
        least = spec.min if finite(spec.min) else -LARGEST
        most = spec.max if finite(spec.max) else LARGEST
        if spec.options is not None:
            if not self.is_open and not spec.opts.get("multiselect"):
                texts = (item for item in spec.options if isinstance(item, str))
                self.exact, self.passes = str, frozenset(texts).__contains__
        elif spec.type in EXACT:
            self.exact = EXACT[spec.type]
            if spec.type == "INT":
                self.passes = range(math.ceil(least), math.floor(most) + 1).__contains__
            elif spec.type == "FLOAT":
                self.passes = lambda value: least <= value <= most

    @property
    def one_type(self) -> bool:
        """Whether its constants are of one type, or there are none: links only."""
        if self.exact is None:
            return self.spec.is_link_only and not ANY & set(self.kinds)
        return all(isinstance(item, str) for item in self.spec.options or ())

    @property
    def optional(self) -> bool:
        """Whether a caller may leave the input out: a default stands in, or none is needed."""
        if not self.required:
            return True
        if self.spec.type == AUTOGROW:
            template = self.spec.opts.get("template")
            least = template.get("min") if isinstance(template, Mapping) else 0
            return not (least and template_member(self.spec)[0])
        if self.spec.type == DYNAMIC_COMBO:
            return self.fill in self.plain_keys()
        return self.fill is not MISSING

    def plain_keys(self) -> list[Any]:
        """
        Give the options of a dynamic combo whose members can all be left out.
        """
        if self._plain is None:
            self._plain = [
                option.get("key")
                for option in combo_options(self.spec)
                if all(member.optional for member in option_members(self.spec, option).values())
            ]
        return self._plain

    @property
    def is_open(self) -> bool:
        """Whether any text goes: file names, and lists that only the server knows."""
        return self.spec.files is not None or not self.spec.options


def _always(value: object) -> bool:
    return True


def _fill(spec: InputSpec) -> Any:
    """
    Give what the editor puts into a new node: the default, or the first of a closed list.
    """
    if spec.options is not None and spec.opts.get("multiselect"):
        default = spec.opts.get("default")
        return default if isinstance(default, list) else []
    if "default" in spec.opts:
        default = spec.opts["default"]
        return as_number(NUMBERS[spec.type], default) if spec.type in NUMBERS else default
    if spec.type == DYNAMIC_COMBO:
        keys = [option.get("key") for option in combo_options(spec)]
        return keys[0] if keys else MISSING
    if spec.options and spec.files is None:
        return spec.options[0]
    return MISSING


class ClassPlan:
    """
    One node class.

    Args:
        definition: What the catalog says.
    """

    def __init__(self, definition: NodeDef) -> None:
        self.definition = definition
        self.class_type = definition.class_type
        self.display_name = definition.display_name
        self.inputs = {name: InputPlan(spec) for name, spec in definition.inputs.items()}
        self.outputs = definition.outputs
        self.output_types = tuple(spec.type for spec in self.outputs)
        count = len(self.outputs)
        self.slot_types = {slot: self.output_types[slot] for slot in range(-count, count)}
        """Slot → socket type, those counted from the end as well."""
        self.is_dynamic = any(_is_dynamic(plan.spec) for plan in self.inputs.values())
        self.takes_title = "title" not in self.inputs
        self.matched = _matched(definition) if MATCH_TYPE in self.output_types else {}
        names = list(self.inputs)
        reserved = ("title",) if self.takes_title else ()
        self.spelled = dict(zip(names, member_names(names, reserved), strict=True))
        """Original name → identifier, for all inputs."""
        self.python_names = {short: name for name, short in self.spelled.items() if short != name}
        """Identifier → original name, where they differ."""
        # The editor writes the values of its widgets first, then the links of its sockets.
        ordered = sorted(self.inputs.values(), key=lambda plan: not plan.widget)
        self.order = {plan.name: plan for plan in ordered}
        self.steps = tuple(self.order.items())
        self.uniform = not self.is_dynamic and all(plan.one_type for plan in ordered)
        """Whether each input has one type of constant, or none."""
        self.rank = {name: place for place, name in enumerate(self.order)}

    @cached_property
    def output_names(self) -> list[str]:
        """The outputs as identifiers, in slot order."""
        return member_names([spec.name for spec in self.outputs], RESERVED_IN_CLASS)

    @cached_property
    def positional(self) -> list[str]:
        """
        The inputs that can be given by position, in order.

        All required inputs where there are at most three (`VAEDecode(latent, vae)`,
        `EmptyLatentImage(1024, 1024)`); else the sockets that come first and the file that
        follows them (`LoraLoader(model, clip, "style.safetensors")`).
        """
        required = [plan for plan in self.inputs.values() if plan.required]
        chosen = required
        if len(required) > 3:
            count = 0
            while count < len(required) and not required[count].widget:
                count += 1
            if count < len(required) and required[count].spec.files is not None:
                count += 1
            chosen = required[:count]
        names: list[str] = []
        filled = False
        for plan in chosen:
            if filled and not plan.optional:
                break
            filled = filled or plan.optional
            names.append(plan.name)
        return names

    def bind(self, values: tuple[Any, ...], inputs: dict[str, Any]) -> dict[str, Any]:
        """
        Give inputs by their original names.

        What cannot be bound stays under a name that no class has, for `build` to report.

        Args:
            values: The positional arguments.
            inputs: The keyword arguments, as identifiers or as original names.
        """
        if not self.python_names:
            both = dict(zip(self.positional, values, strict=False), **inputs)
            if len(both) == len(values) + len(inputs):
                return both
        out: dict[str, Any] = dict(zip(self.positional, values, strict=False))
        if len(values) > len(self.positional):
            out[EXTRA_POSITIONAL] = len(values)
        for key, value in inputs.items():
            name = self.python_names.get(key, key)
            out[f"{TWICE}{name}" if name in out else name] = value
        return out


EXTRA_POSITIONAL = "\0positional"
TWICE = "\0twice:"


def _is_dynamic(spec: InputSpec) -> bool:
    return spec.type in (AUTOGROW, DYNAMIC_COMBO, DYNAMIC_SLOT)


def template_id(spec: InputSpec) -> str | None:
    """
    Give the id of the type template that an input (or an autogrow member) is matched by.
    """
    if spec.type == AUTOGROW:
        member = next(autogrow_members(spec), None)
        return template_id(member) if member is not None and member.type == MATCH_TYPE else None
    template = spec.opts.get("template")
    found = template.get("template_id") if isinstance(template, Mapping) else None
    return found if spec.type == MATCH_TYPE and isinstance(found, str) else None


def _matched(definition: NodeDef) -> dict[int, list[str]]:
    """
    Give slot → the inputs whose type the output takes on.
    """
    templates = definition.raw.get("output_matchtypes")
    templates = list(templates) if isinstance(templates, list | tuple) else []
    out: dict[int, list[str]] = {}
    for spec in definition.outputs:
        if spec.type == MATCH_TYPE:
            wanted = templates[spec.slot] if spec.slot < len(templates) else None
            ids = {name: template_id(item) for name, item in definition.inputs.items()}
            matches = [name for name, found in ids.items() if found is not None]
            exact = [name for name in matches if ids[name] == wanted]
            out[spec.slot] = exact or matches
    return out


def option_members(parent: InputSpec, option: Mapping[str, Any]) -> dict[str, InputPlan]:
    """
    Give short name → plan of the inputs that an option of a dynamic combo brings along.
    """
    start = len(parent.name) + 1
    members = section_members(parent, option.get("inputs"))
    return {spec.name[start:]: InputPlan(spec) for spec in members}


def finite(value: Any) -> bool:
    """
    Tell whether a value is a number that has a place on the line.
    """
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def as_number(kind: type, value: Any) -> Any:
    """
    Give a number as an `int` or a `float`, if it is one without loss.
    """
    if not finite(value) or isinstance(value, bool) or abs(value) > LARGEST:
        return value
    made = kind(value)
    return made if made == value else value
