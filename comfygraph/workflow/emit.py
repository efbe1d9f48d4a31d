"""
One node of the prompt from one node of the graph: its widget values, then its links.

Fact: `executionUtil.ts` (`graphToPrompt`) of ComfyUI's frontend.
"""

from __future__ import annotations

from typing import Any

from comfygraph.core.values import InputValue, Link, Node
from comfygraph.workflow.class_quirks import SAVES_UNDER_PREFIX
from comfygraph.workflow.dynamic_prompts import (
    DynamicPrompts,
    HasChoices,
    TooDeep,
    picker,
    resolve_text,
)
from comfygraph.workflow.issues import DYNAMIC_PROMPT, TEXT_TOO_DEEP, TIME_IN_PREFIX
from comfygraph.workflow.live import LiveNode
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.numbers import as_double
from comfygraph.workflow.order import is_array_index
from comfygraph.workflow.plan import ABSENT, CURVE, Widget
from comfygraph.workflow.resolve import Resolver, Source
from comfygraph.workflow.scopes import Scope
from comfygraph.workflow.text import TextReplacer

PREFIX = "filename_prefix"


class Emitter:
    """
    Writes nodes of the prompt.

    Args:
        resolver: Finds what feeds the inputs.
        replacer: For `%Node.widget%` in file prefixes.
        notes: Takes what is found on the way.
        mode, seed: How to treat dynamic prompts, see `dynamic_prompts.py`.

    Attributes:
        places: (node id, input) → pointer, for values that another node gives.
    """

    def __init__(
        self,
        resolver: Resolver,
        replacer: TextReplacer,
        notes: Notes,
        mode: DynamicPrompts,
        seed: int | None,
    ) -> None:
        picker(mode, seed, "")
        self.places: dict[tuple[str, str], str] = {}
        self._resolver = resolver
        self._replacer = replacer
        self._notes = notes
        self._mode: DynamicPrompts = mode
        self._seed = seed

    def emit(self, scope: Scope, node: LiveNode, node_id: str) -> Node:
        """
        Give the node as it stands in the prompt; links to nodes without place are still there.
        """
        inputs: dict[str, InputValue] = {}
        values = node.values
        given = scope.inner.get(node.id)
        for widget in node.widgets:
            if not widget.emitted:
                continue
            name = widget.name
            value = values[name]
            if given is not None and name in given:
                value = given[name].value
                self.places[node_id, name] = given[name].pointer
            elif type(value) is str:
                if widget.dynamic_text:
                    value = self._choose(node, node_id, name, value)
                elif name == PREFIX and "%" in value and node.type in SAVES_UNDER_PREFIX:
                    value = self._fill_in(node, node_id, value)
            if value is not ABSENT:
                inputs[name] = wrapped(widget, value)
        for slot in node.inputs:
            if slot.link is None:
                continue
            found = self._resolver.source(scope, node, slot)
            if found is None:
                continue
            if isinstance(found, Source):
                inputs[slot.name] = Link(found.node_id, found.slot)
            elif found.value is not ABSENT:
                inputs[slot.name] = wrapped(None, found.value)
                self.places[node_id, slot.name] = found.pointer
            else:
                inputs.pop(slot.name, None)
        if any(name[:1].isdigit() and is_array_index(name) for name in inputs):
            inputs = in_object_order(inputs)
        title = node.title
        return Node(
            id=node_id,
            class_type=node.type,
            inputs=inputs,
            meta={} if title is None else {"title": title},
        )

    def _choose(self, node: LiveNode, node_id: str, name: str, text: str) -> str:
        if "{" not in text and "/" not in text and "\\" not in text:
            return text
        try:
            return resolve_text(text, picker(self._mode, self._seed, f"{node_id}/{name}"))
        except HasChoices:
            self._notes.add(
                DYNAMIC_PROMPT,
                f"`{name}` holds a choice `{{a|b}}`",
                node.widget_pointer(name),
                node_id,
                node.title,
                severity="error" if self._mode == "error" else None,
            )
        except TooDeep:
            self._notes.add(
                TEXT_TOO_DEEP,
                f"the choices in `{name}` are nested too deep",
                node.widget_pointer(name),
                node_id,
                node.title,
            )
        return text

    def _fill_in(self, node: LiveNode, node_id: str, text: str) -> str:
        filled = self._replacer.replace(text)
        if self._replacer.has_date(filled):
            self._notes.add(
                TIME_IN_PREFIX,
                f"`{PREFIX}` holds a date, which only the editor fills in",
                node.widget_pointer(PREFIX),
                node_id,
                node.title,
            )
        return filled


def wrapped(widget: Widget | None, value: Any) -> Any:
    """
    Give a value as the prompt holds it: a list is wrapped, since bare lists are links.
    """
    value = as_double(value)
    if type(value) is list:
        if widget is not None and widget.kind == CURVE:
            return {"__type__": CURVE, "__value__": value}
        return {"__value__": value}
    return value


def in_object_order(entries: dict[str, Any]) -> dict[str, Any]:
    """
    Give the entries in the order of a JavaScript object: keys that are numbers first, sorted.
    """
    numbers = sorted((int(key), key) for key in entries if is_array_index(key))
    ordered = {key: entries[key] for _, key in numbers}
    for key, value in entries.items():
        ordered.setdefault(key, value)
    return ordered
