"""
What the editor makes of a node class: the list of its widgets and of its sockets.

A widget is a value that is set on the node; the file stores the values of a node's
widgets as one list, in this order, with a few entries that are no inputs.
Facts: `nodeDefOrderingUtil.ts`, `litegraphService.ts`, `scripts/widgets.ts`,
`core/graph/widgets/dynamicWidgets.ts` of ComfyUI's frontend.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from comfygraph.catalog import NodeCatalog, NodeDef
from comfygraph.workflow.class_quirks import COUNTED_WIDGETS, EDITOR_TITLES, EXTRA_WIDGETS
from comfygraph.workflow.model import as_dict, as_list

AUTOGROW = "COMFY_AUTOGROW_V3"
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
MATCH_TYPE = "COMFY_MATCHTYPE_V3"
CURVE = "CURVE"

CONTROL = "control_after_generate"
"""The widget after a seed that says what becomes of it; the file stores it, no prompt does."""


class _Absent:
    """The type of `ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()
"""The value of a widget that has none: JavaScript's `undefined`, which JSON leaves out."""

_DEFAULTS: Mapping[str, Any] = {
    "AUDIOUPLOAD": ABSENT,
    "AUDIO_RECORD": "",
    "AUDIO_UI": "",
    "BOOLEAN": False,
    "BOUNDING_BOX": {"x": 0, "y": 0, "width": 512, "height": 512},
    "BOUNDING_BOXES": [],
    "CHART": ABSENT,
    "COLOR": "#000000",
    "COLORS": [],
    "COMBO": ABSENT,
    "COMPOSITOR": ABSENT,
    CURVE: {"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"},
    DYNAMIC_COMBO: ABSENT,
    "FLOAT": 0,
    "GALLERIA": ABSENT,
    "IMAGECOMPARE": ["", ""],
    "IMAGEUPLOAD": ABSENT,
    "INT": 0,
    "LOAD_3D": "",
    "MARKDOWN": "",
    "PAINTER": "",
    "RANGE": ABSENT,
    "STRING": "",
    "TEXTAREA": "",
    "VIDEO_EDIT": ABSENT,
    "WEBCAM": ABSENT,
}
"""Types of input that get a widget, with the value of a new one that declares no default."""

_BOX_FIELDS = ("x", "y", "width", "height")
"""A bounding box brings a number widget for each; the file may store them, the prompt not."""

_UPLOADS = ("image_upload", "video_upload", "animated_image_upload", "audio_upload")


class Widget:
    """
    One entry of a node's list of widgets.

    Attributes:
        name: The input's name; dotted for members of a dynamic combo.
        kind: The widget's type, `"INT"`, `"COMBO"`.
        default: The value of a new widget, or `ABSENT`.
        emitted: Whether the prompt holds it.
        saved: Whether the file holds its value.
        choices: What a combo offers, or `None`.
        dynamic: Whether the chosen value adds further widgets (dynamic combo).
        opts: The input's options in `/object_info`.
    """

    __slots__ = (
        "choices",
        "default",
        "dynamic",
        "dynamic_text",
        "emitted",
        "kind",
        "name",
        "opts",
        "saved",
    )

    def __init__(
        self,
        name: str,
        kind: str,
        default: Any,
        *,
        emitted: bool = True,
        choices: list[Any] | None = None,
        opts: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = default
        self.emitted = emitted
        self.saved = kind != "IMAGECOMPARE"
        self.choices = choices
        self.opts: Mapping[str, Any] = opts or {}
        self.dynamic = kind == DYNAMIC_COMBO
        self.dynamic_text = kind == "STRING" and bool(self.opts.get("dynamicPrompts"))


class Socket:
    """
    One input slot of a class.

    Attributes:
        name: The input's name; for an autogrow group, the group's name.
        type: Socket type as text, `"*"` for anything.
        grows: The slot stands for a group of slots (`name.image0`, ...).
        widget: The slot belongs to the widget of the same name.
    """

    __slots__ = ("grows", "name", "type", "widget")

    def __init__(self, name: str, type: str, *, grows: bool = False, widget: bool = False) -> None:
        self.name = name
        self.type = type
        self.grows = grows
        self.widget = widget


class Section:
    """
    The widgets and sockets of a list of inputs: of a class, or of a dynamic combo's option.
    """

    __slots__ = ("sockets", "widgets")

    def __init__(self, widgets: list[Widget], sockets: list[Socket]) -> None:
        self.widgets = widgets
        self.sockets = sockets


class ClassPlan:
    """
    What the editor knows about a class.

    Attributes:
        class_type: The name of the class.
        title: The title of a new node.
        section: Its widgets and sockets as declared.
        output_types: Socket types of the outputs.
        is_core: The class comes with ComfyUI, so that no extension reads its values.
        is_dynamic: Values of the node decide which widgets and sockets it has.
        counted: Prefix of the widgets that take all further values, or `None`.
        migration: Says for each stored value whether an input with `forceInput` owns it:
            until frontend 1.16 such inputs had a place in the list (`migrateWidgetsValues`).
            `None` if the class has no such input.
    """

    def __init__(self, definition: NodeDef) -> None:
        raw = definition.raw
        module = definition.python_module
        self.class_type = definition.class_type
        self.title = EDITOR_TITLES.get(self.class_type, definition.display_name)
        self.is_core = module == "nodes" or module.startswith(("comfy_extras", "comfy_api_nodes"))
        self.section = read_section(
            as_dict(raw.get("input")), as_dict(raw.get("input_order")), class_type=self.class_type
        )
        self.output_types = [type_text(kind) for kind in as_list(raw.get("output"))]
        self.counted = COUNTED_WIDGETS.get(self.class_type)
        self.is_dynamic = (
            self.counted is not None
            or any(not widget.saved or widget.dynamic for widget in self.section.widgets)
            or any(socket.grows for socket in self.section.sockets)
        )
        self.widget_names = frozenset(widget.name for widget in self.section.widgets)
        self.migration = self._migration(as_dict(raw.get("input")))
        self._options: dict[tuple[str, int], Section] = {}

    def option(self, widget: Widget, value: Any) -> Section | None:
        """
        Give what a dynamic combo adds when `value` is chosen, or `None`.
        """
        for index, option in enumerate(as_list(widget.opts.get("options"))):
            if isinstance(option, Mapping) and option.get("key") == value:
                key = (widget.name, index)
                if key not in self._options:
                    self._options[key] = read_section(
                        as_dict(option.get("inputs")), {}, prefix=f"{widget.name}."
                    )
                return self._options[key]
        return None

    def _migration(self, sections: Mapping[str, Any]) -> list[bool] | None:
        forced: list[bool] = []
        for name, spec, _ in _ordered(sections, {}):
            opts = _options(spec)
            force = bool(opts.get("forceInput"))
            if force or name in self.widget_names:
                forced.append(force)
                if opts.get(CONTROL):
                    forced.append(False)
        return forced if any(forced) else None


_PLANS: WeakKeyDictionary[NodeDef, ClassPlan] = WeakKeyDictionary()


def plan_of(catalog: NodeCatalog, class_type: str) -> ClassPlan | None:
    """
    Give the plan of a class, or `None` if the catalog does not have it.
    """
    definition = catalog.find(class_type)
    if definition is None:
        return None
    plan = _PLANS.get(definition)
    if plan is None:
        plan = _PLANS[definition] = ClassPlan(definition)
    return plan


def read_section(
    sections: Mapping[str, Any], order: Mapping[str, Any], *, prefix: str = "", class_type: str = ""
) -> Section:
    """
    Lay out the widgets and sockets of declared inputs.

    Args:
        sections: `{"required": {name: spec}, "optional": {...}}`.
        order: The same names as lists, where the server sends `input_order`.
        prefix: Goes before each name, `"resize_type."` inside a dynamic combo.
        class_type: The class, for what its script adds; `""` inside a dynamic combo.
    """
    widgets: list[Widget] = []
    plain: list[Socket] = []
    of_widgets: list[Socket] = []
    upload_at: int | None = None
    for bare, spec, required in _ordered(sections, order):
        name = prefix + bare
        opts = _options(spec)
        kind = _kind(spec)
        widget_kind = str(opts.get("widgetType") or kind)
        if widget_kind not in _DEFAULTS or opts.get("forceInput"):
            plain.append(Socket(name, _socket_type(kind, opts), grows=kind == AUTOGROW))
            continue
        widgets.extend(_widgets_of(name, widget_kind, spec, opts))
        if not opts.get("socketless"):
            of_widgets.append(Socket(name, _socket_type(kind, opts), widget=True))
        if required and any(opts.get(upload) for upload in _UPLOADS):
            upload_at = -1 if order else len(widgets)
        elif required and upload_at is not None and upload_at >= 0:
            upload_at = len(widgets)
    if upload_at is not None:
        # The button is the last key of `required`, and without a place in `input_order`.
        at = len(widgets) if upload_at < 0 else upload_at
        widgets.insert(at, Widget("upload", "BUTTON", "image", emitted=False))
    for extra in EXTRA_WIDGETS.get(class_type, ()):
        widget = Widget(extra.name, "EXTRA", extra.default)
        names = [widget.name for widget in widgets]
        if extra.after is None:
            widgets.append(widget)
        elif extra.after in names:
            at = names.index(extra.after) + 1
            while at < len(widgets) and widgets[at].kind == "EXTRA":
                at += 1
            widgets.insert(at, widget)
    return Section(widgets, plain + of_widgets)


def type_text(kind: Any) -> str:
    """
    Give a socket type as text: a list of values is a combo, a number or nothing is `"*"`.
    """
    if isinstance(kind, str):
        return kind or "*"
    return "COMBO" if isinstance(kind, list) else "*"


def _ordered(
    sections: Mapping[str, Any], order: Mapping[str, Any]
) -> Iterator[tuple[str, Any, bool]]:
    for section in ("required", "optional"):
        members = as_dict(sections.get(section))
        wanted = [n for n in as_list(order.get(section)) if isinstance(n, str) and n in members]
        if len(wanted) < len(members):
            known = set(wanted)
            wanted += [name for name in members if name not in known]
        for name in wanted:
            yield name, members[name], section == "required"


def _widgets_of(name: str, kind: str, spec: Any, opts: Mapping[str, Any]) -> Iterator[Widget]:
    choices = None
    default = opts.get("default", _DEFAULTS[kind])
    if kind == "COMBO":
        choices = spec[0] if isinstance(spec[0], list) else as_list(opts.get("options"))
        default = opts.get("default") or (choices[0] if choices else ABSENT)
        if opts.get("multiselect") or opts.get("multi_select"):
            choices = None
            default = as_list(opts.get("default"))
    elif kind == DYNAMIC_COMBO:
        options = as_list(opts.get("options"))
        default = options[0].get("key") if options and isinstance(options[0], Mapping) else ABSENT
    yield Widget(name, kind, default, choices=choices, opts=opts)
    if kind == "BOUNDING_BOX":
        for field in _BOX_FIELDS:
            yield Widget(field, "BOX_FIELD", 0, emitted=False)
    control = opts.get(CONTROL)
    if kind == "INT" and control is None:
        control = name in ("seed", "noise_seed")
    if control and kind in ("INT", "FLOAT", "COMBO"):
        yield Widget(CONTROL, "CONTROL", "fixed", emitted=False)
        if kind == "COMBO":
            yield Widget("control_filter_list", "CONTROL", "", emitted=False)


def _kind(spec: Any) -> str:
    return type_text(spec[0]) if isinstance(spec, list) and spec else "*"


def _options(spec: Any) -> Mapping[str, Any]:
    return as_dict(spec[1]) if isinstance(spec, list) and len(spec) > 1 else {}


def _socket_type(kind: str, opts: Mapping[str, Any]) -> str:
    template = as_dict(opts.get("template"))
    if kind == MATCH_TYPE:
        return type_text(template.get("allowed_types"))
    if kind == AUTOGROW:
        for section in as_dict(template.get("input")).values():
            for spec in as_dict(section).values():
                return _kind(spec)
    return kind
