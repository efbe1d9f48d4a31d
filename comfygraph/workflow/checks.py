"""
What is wrong with single nodes, as far as the file and the catalog tell.
"""

from __future__ import annotations

import json

from comfygraph.workflow.class_quirks import MADE_WHEN_QUEUED
from comfygraph.workflow.group_nodes import PREFIXES
from comfygraph.workflow.issues import (
    MISSING_SUBGRAPH,
    RENAMED_CLASS,
    RUNTIME_VALUE,
    UNKNOWN_CLASS,
    UNPROVEN_VIRTUAL,
    WIDGET_COUNT,
    WIDGETS_DO_NOT_FIT,
    WIDGETS_NOT_A_LIST,
)
from comfygraph.workflow.live import LiveNode
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.plan import CONTROL, ClassPlan, Widget
from comfygraph.workflow.virtual import EVERYWHERE, GETTERS, SETTERS

_UUID_LENGTH = 36
_NUMBERS = ("INT", "FLOAT")


def check_node(node: LiveNode, node_id: str, label: str, notes: Notes) -> None:
    """
    Note what is wrong with a node that goes into the prompt.

    Args:
        node: The node.
        node_id: Its id in the prompt.
        label: How messages call the catalog.
    """
    if node.plan is None:
        _check_unknown(node, node_id, label, notes)
        return
    if node.type != node.file.type:
        notes.add(
            RENAMED_CLASS,
            f"`{node.file.type}` is now `{node.type}`",
            f"{node.pointer}/type",
            node_id,
            node.title,
        )
    if node.type in MADE_WHEN_QUEUED:
        notes.add(
            RUNTIME_VALUE,
            f"the editor makes the value of `{MADE_WHEN_QUEUED[node.type]}` when it queues",
            node.pointer,
            node_id,
            node.title,
        )
    stored = node.file.raw.get("widgets_values")
    if isinstance(stored, list):
        _check_values(node, node.plan, stored, node_id, notes)
    elif isinstance(stored, dict) and node.plan.is_core and node.widgets:
        notes.add(
            WIDGETS_NOT_A_LIST,
            "the values of this node are an object, and the editor reads a list",
            f"{node.pointer}/widgets_values",
            node_id,
            node.title,
        )


def note_virtual(node: LiveNode, node_id: str, notes: Notes) -> None:
    """
    Note a node of an extension whose effect is modelled without a recording to hold it to.
    """
    if node.plan is None and node.type in SETTERS | GETTERS | EVERYWHERE:
        notes.add(
            UNPROVEN_VIRTUAL,
            f"`{node.type}` works in the editor only; its effect is modelled",
            node.pointer,
            node_id,
            node.title,
        )


def _check_unknown(node: LiveNode, node_id: str, label: str, notes: Notes) -> None:
    kind = node.type
    title = node.file.raw.get("title")
    title = title if isinstance(title, str) and title else kind
    where = f"{node.pointer}/type" if "type" in node.file.raw else node.pointer
    if len(kind) == _UUID_LENGTH and kind.count("-") == 4:
        notes.add(
            MISSING_SUBGRAPH,
            f"the definition of subgraph `{kind}` is not in the file",
            where,
            node_id,
            title,
        )
    elif kind.startswith(PREFIXES):
        notes.add(
            UNKNOWN_CLASS,
            f"the group node `{kind}` is not in the file, or holds a node that is not in {label}",
            where,
            node_id,
            title,
        )
    else:
        notes.add(UNKNOWN_CLASS, f"`{kind}` is not in {label}", where, node_id, title)


def _check_values(
    node: LiveNode, plan: ClassPlan, stored: list[object], node_id: str, notes: Notes
) -> None:
    linked = {slot.widget for slot in node.inputs if slot.link is not None}
    misfits = [
        widget
        for widget in node.widgets
        if isinstance(node.stored.get(widget.name), int)
        and widget.name not in linked
        and (_misfit(widget, node.values[widget.name]) or _belongs_elsewhere(widget, node))
    ]
    if misfits:
        first = misfits[0]
        value = node.values[first.name]
        more = f", and {len(misfits) - 1} more" if len(misfits) > 1 else ""
        notes.add(
            WIDGETS_DO_NOT_FIT,
            f"`{first.name}` ({first.kind}) of `{plan.class_type}` gets {_shown(value)}{more}: "
            "the stored values are not those of this version of the class",
            node.widget_pointer(first.name),
            node_id,
            node.title,
        )
    elif len(stored) > node.consumed and any(
        value not in (None, "", "image", False) for value in stored[node.consumed :]
    ):
        notes.add(
            WIDGET_COUNT,
            f"{len(stored)} values are stored, `{plan.class_type}` has {node.consumed}",
            f"{node.pointer}/widgets_values/{node.consumed}",
            node_id,
            node.title,
        )


def _misfit(widget: Widget, value: object) -> bool:
    """
    Whether a value cannot have been stored for this widget.
    """
    if value is None:
        return False
    if widget.kind in _NUMBERS:
        return isinstance(value, bool | list | dict) or (
            isinstance(value, str) and not _reads_as_number(value)
        )
    if widget.kind == "BOOLEAN":
        return not isinstance(value, bool) and value not in (0, 1, "true", "false")
    if widget.kind == "STRING":
        return isinstance(value, bool | dict)
    if widget.name == CONTROL:
        # Once a boolean; a number here is the next input's value.
        return not isinstance(value, str | bool)
    if widget.kind == "COMBO" and widget.choices:
        texts = all(isinstance(choice, str) for choice in widget.choices)
        return texts and not isinstance(value, str) and value not in widget.choices
    if widget.dynamic:
        return not isinstance(value, str | int | float)
    return False


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _belongs_elsewhere(widget: Widget, node: LiveNode) -> bool:
    """
    Whether a combo holds a word that is not on its own list and on another one of the node.
    """
    value = node.values[widget.name]
    if widget.kind != "COMBO" or not widget.choices or not isinstance(value, str) or not value:
        return False
    if value in widget.choices:
        return False
    return any(value in other.choices for other in node.widgets if other.choices)


def _shown(value: object) -> str:
    # As JSON: a text from a stranger stays on one line.
    text = json.dumps(value[:40] if isinstance(value, str) else value, ensure_ascii=False)
    return f"`{text}`" if len(text) <= 40 else f"`{text[:37]}...`"
