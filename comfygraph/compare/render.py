"""
Differences for people: text and Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from comfygraph.compare.changes import Difference, InputChange
from comfygraph.core.nearest import shorten
from comfygraph.core.values import InputValue, Link, Node, Prompt
from comfygraph.errors import clean

LONGEST = 72
_PAINT = {"+": "32", "-": "31", "~": "33"}


def render_text(difference: Difference, *, color: bool = False) -> str:
    """
    Give a block a node, then one line that counts.

    Args:
        difference: What changed.
        color: Use ANSI colours.
    """

    def paint(mark: str, text: str) -> str:
        return f"\x1b[{_PAINT[mark]}m{mark} {text}\x1b[0m" if color else f"{mark} {text}"

    lines = [paint("-", _name(node)) for node in difference.removed]
    for node in difference.added:
        lines.append(paint("+", _name(node)))
        lines += [
            f"    {clean(shorten(name))}: {_show(value, difference.new)}"
            for name, value in node.inputs.items()
        ]
    for change in difference.changed:
        name = _name(change.new)
        if change.old.id != change.new.id:
            name += f", was {clean(shorten(change.old.id))}"
        lines.append(paint("~", name))
        lines += [f"    {line}" for line in _inputs(change.inputs, difference)]
    lines.append(summary(difference))
    return "\n".join(lines)


def render_markdown(difference: Difference) -> str:
    """
    Give a table of changes, for a pull request.
    """
    if not difference:
        return "No change in meaning.\n"
    rows = ["| | node | input | before | after |", "|-|-|-|-|-|"]
    rows += [f"| − | {_cell(_name(node))} | | | |" for node in difference.removed]
    rows += [f"| + | {_cell(_name(node))} | | | |" for node in difference.added]
    for change in difference.changed:
        for item in change.inputs:
            before = _show(item.before, difference.old) if item.had else ""
            after = _show(item.after, difference.new) if item.has else ""
            rows.append(
                f"| ~ | {_cell(_name(change.new))} | `{_cell(shorten(item.name))}` "
                f"| {_cell(before)} | {_cell(after)} |"
            )
    return "\n".join([*rows, "", summary(difference)]) + "\n"


def summary(difference: Difference) -> str:
    """
    Count: `2 changed, 1 added, 0 removed`.
    """
    if not difference:
        return "no change in meaning"
    return (
        f"{len(difference.changed)} changed, {len(difference.added)} added, "
        f"{len(difference.removed)} removed"
    )


def _inputs(changes: tuple[InputChange, ...], difference: Difference) -> Iterator[str]:
    for item in changes:
        name = clean(shorten(item.name))
        before = _show(item.before, difference.old) if item.had else "(absent)"
        after = _show(item.after, difference.new) if item.has else "(absent)"
        if len(before) + len(after) > LONGEST:
            yield f"{name}:"
            yield f"    - {before}"
            yield f"    + {after}"
        else:
            yield f"{name}: {before} → {after}"


def _show(value: InputValue, prompt: Prompt) -> str:
    if isinstance(value, Link):
        node = prompt.get(value.node_id)
        name = (
            _name(node)
            if node is not None
            else f"node {clean(shorten(value.node_id))}, which does not exist"
        )
        return f"{name} slot {value.slot}"
    text = clean(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 400 else text[:399] + "…"


def _name(node: Node) -> str:
    class_type, node_id = shorten(node.class_type), shorten(node.id)
    if node.title == node.class_type:
        return clean(f"{class_type} ({node_id})")
    return clean(f'{class_type} "{shorten(node.title)}" ({node_id})')


def _cell(text: str) -> str:
    return clean(text).replace("|", "\\|")
