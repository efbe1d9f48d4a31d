"""
`PrimitiveNode`: a value that the editor writes into the widgets that it is connected to.

Facts: `widgetInputs.ts` (`applyToGraph`), `useIntWidget.ts`, `useFloatWidget.ts` of
ComfyUI's frontend: a number is rounded to the step of the widget that takes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from comfygraph.workflow.issues import LOST_PRIMITIVE
from comfygraph.workflow.live import LiveGraph, LiveInput, LiveNode
from comfygraph.workflow.model import as_dict, as_list, link_key
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.plan import Widget
from comfygraph.workflow.virtual import PRIMITIVE, REROUTES

REPLACES_TEXT = "Run widget replace on values"
"""The property of a primitive that asks for `%Node.widget%` to be replaced in its value."""


def apply_primitives(graph: LiveGraph, notes: Notes) -> list[LiveNode]:
    """
    Write the values of a graph's primitives into the widgets of their targets.

    Modes do not matter: a muted primitive gives its value too.

    Returns:
        The nodes whose value holds text to be replaced (`%Node.widget%`), see `text.py`.
    """
    asking: list[LiveNode] = []
    for node in graph.nodes:
        if node.type != PRIMITIVE or node.plan is not None:
            continue
        stored = as_list(node.file.raw.get("widgets_values"))
        if not stored:
            # The primitive's widget starts with the value of its target.
            continue
        if node.file.properties.get(REPLACES_TEXT) and isinstance(stored[0], str):
            asking.append(node)
        for target, slot_name in primitive_targets(graph, node):
            write(node, target, slot_name, stored[0])
        if any(target.type in REROUTES for target, _ in _connected(graph, node)):
            notes.add(
                LOST_PRIMITIVE,
                "the value of this primitive goes through a reroute and gets lost",
                node.pointer,
                node.id,
                node.title,
            )
    return asking


def write(primitive: LiveNode, target: LiveNode, widget_name: str, value: Any) -> None:
    """
    Write a primitive's value into a widget, rounded as the widget does it.
    """
    widget = next((item for item in target.widgets if item.name == widget_name), None)
    if widget is None:
        return
    target.values[widget_name] = fitted(widget, value)
    target.stored[widget_name] = f"{primitive.pointer}/widgets_values/0"


def fitted(widget: Widget, value: Any) -> Any:
    """
    Give the value that a widget takes on when `value` is typed into it.
    """
    if widget.kind == "INT":
        return _whole(widget.opts, value)
    if widget.kind == "FLOAT":
        return _rounded(widget.opts, value)
    return value


def primitive_targets(graph: LiveGraph, node: LiveNode) -> Iterator[tuple[LiveNode, str]]:
    """
    Yield `(target, widget)` for each widget that a primitive is connected to.
    """
    for target, slot in _connected(graph, node):
        if slot is not None and slot.widget is not None and target.body is None:
            yield target, slot.widget


def _connected(graph: LiveGraph, node: LiveNode) -> Iterator[tuple[LiveNode, LiveInput | None]]:
    outputs = node.file.outputs
    for item in as_list(as_dict(outputs[0]).get("links")) if outputs else []:
        key = link_key(item)
        link = graph.links.get(key) if key is not None else None
        target = graph.by_id.get(link.target) if link is not None else None
        if target is not None:
            yield target, next((slot for slot in target.inputs if slot.link == key), None)


def _number(value: Any) -> float:
    """
    Give `Number(value)` of JavaScript.
    """
    if value is None:
        return 0.0
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str):
        text = value.strip()
        try:
            return float(text) if text else 0.0
        except ValueError:
            return math.nan
    return math.nan


def _round(value: float) -> float:
    """
    Give `Math.round(value)`: halves go up.
    """
    return value if not math.isfinite(value) else math.floor(value + 0.5)


def _whole(opts: Mapping[str, Any], value: Any) -> Any:
    step = _number(opts.get("step", 1)) or 1.0
    number = _number(value)
    if step == 1:
        # Not through a float: 2^53 + 1 typed by hand is a seed too.
        return value if type(value) is int else _plain(_round(number))
    offset = math.fmod(_number(opts.get("min", 0)), step)
    return _plain(_round((number - offset) / step) * step + offset)


def _rounded(opts: Mapping[str, Any], value: Any) -> Any:
    step = _number(opts.get("step", 0.5))
    precision = max(0, -math.floor(math.log10(step))) if 0 < step < math.inf else 0
    grid = _number(opts.get("round") or 0)
    if not grid and precision:
        grid = 10.0**-precision
    if not grid:
        return value
    number = _number(value)
    if not math.isfinite(number):
        return None
    rounded = float(f"{_round(number / grid) * grid:.{precision}f}")
    low, high = _number(opts.get("min", 0)), _number(opts.get("max", 2048))
    return _plain(min(max(rounded, low), high))


def _plain(value: float) -> Any:
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value
