"""
How large a node is in the editor, and where its slots and widgets stand.

Facts: `LGraphNode.computeSize`, `LiteGraphGlobal` (title 30, slot 20, widget 20 + 4) of
ComfyUI's frontend. Text is measured by guess: the editor asks the browser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width

from comfygraph.workflow.faces import Face, FaceWidget
from comfygraph.workflow.plan import ABSENT

TITLE = 30
"""Height of the title bar, pixels; the editor's `pos` is the corner below it."""

SLOT = 20
WIDGET = 20
GAP = 4
TEXT_BOX = 92
"""Height of a widget of several lines."""

MIN_WIDTH = 225
TEXT_WIDTH = 340
MAX_WIDTH = 400
_LETTER = 6.4
_LONGEST_MEASURED = 60


@dataclass(frozen=True, slots=True)
class Box:
    """
    The measures of a node in pixels; y counts from the top of the title bar.

    Args:
        width: Width.
        height: Height with the title bar.
        inputs: y of the middle of each input slot; those of widgets are level with them.
        outputs: y of the middle of each output slot.
        widgets: `(y, height)` of each widget.
    """

    width: int
    height: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    widgets: tuple[tuple[int, int], ...]


def box_of(face: Face, *, picture: int = 0) -> Box:
    """
    Measure a node.

    Args:
        face: What it shows.
        picture: Room for the picture below, pixels.
    """
    plain = [slot for slot in face.inputs if not slot.widget]
    rows = max(len(plain), len(face.outputs))
    y = TITLE + 4 + rows * SLOT + (2 if rows else 0)
    widgets: list[tuple[int, int]] = []
    middle: dict[str, int] = {}
    for widget in face.widgets:
        height = TEXT_BOX if widget.multiline else WIDGET
        widgets.append((y, height))
        middle[widget.name] = y + WIDGET // 2
        y += height + GAP
    inputs: list[int] = []
    row = 0
    for slot in face.inputs:
        if slot.widget:
            inputs.append(middle.get(slot.name, TITLE + SLOT // 2))
        else:
            inputs.append(TITLE + 14 + row * SLOT)
            row += 1
    outputs = tuple(TITLE + 14 + index * SLOT for index in range(len(face.outputs)))
    return Box(_width(face), y + 6 + picture, tuple(inputs), outputs, tuple(widgets))


def _width(face: Face) -> int:
    plain = [slot.name for slot in face.inputs if not slot.widget]
    names = [output.name for output in face.outputs]
    # Title, number, and the badge of a finding.
    number = min(text_width(face.node.id) + 10, 90)
    wanted = [text_width(face.title) * 11 // 10 + number + 70]
    for index in range(max(len(plain), len(names))):
        left = text_width(plain[index]) if index < len(plain) else 0
        right = text_width(names[index]) if index < len(names) else 0
        wanted.append(left + right + 50)
    wanted += [
        text_width(widget.name) + min(text_width(value_text(widget)), 190) + 60
        for widget in face.widgets
        if not widget.multiline
    ]
    least = MIN_WIDTH if face.widgets else 150
    if any(widget.multiline for widget in face.widgets):
        least = TEXT_WIDTH
    return -(-max(least, min(max(wanted), MAX_WIDTH)) // 5) * 5


def text_width(text: str) -> int:
    """
    Guess the width of a text of 12 pixels' height, up to some length.
    """
    shown = text[:_LONGEST_MEASURED]
    wide = 0 if shown.isascii() else sum(east_asian_width(char) in "WF" for char in shown)
    return round((len(shown) + wide) * _LETTER)


def value_text(widget: FaceWidget) -> str:
    """
    Give a widget's value as the editor shows it, not shortened.
    """
    return text_of(widget.value)


def text_of(value: Any) -> str:
    """
    Give a constant as text: as JSON, but texts as they are.
    """
    if value is ABSENT:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 1024:
        return "a huge number"
    if isinstance(value, list | dict) and len(value) > 50:
        return f"{len(value)} values"
    import json

    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError, TypeError):
        return "…"
