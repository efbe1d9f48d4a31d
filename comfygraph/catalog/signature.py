"""
What a class takes and gives, for people and as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from comfygraph.catalog.flatten import FlatInput, flat_inputs
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO, NodeDef
from comfygraph.errors import clean

_FLAGS = (
    ("output_node", "output node"),
    ("api_node", "paid API node"),
    ("deprecated", "deprecated"),
    ("experimental", "experimental"),
    ("is_input_list", "takes whole lists"),
)
_WIDEST = 72
_MOST_OPTIONS = 8


def signature_text(node: NodeDef, *, all_options: bool = False) -> str:
    """
    Give the signature of a class as aligned text, without a final line break.

    Args:
        node: The class.
        all_options: Show all options of an input, and not only the first.
    """
    heading = clean(node.class_type)
    if node.display_name != node.class_type:
        heading += f'  "{clean(node.display_name)}"'
    lines = [heading]
    where = [part for part in (node.category, node.python_module) if part]
    flags = [words for flag, words in _FLAGS if getattr(node, flag)]
    if where:
        lines.append(f"  {clean(' · '.join(where))}")
    if flags:
        lines.append(f"  {', '.join(flags)}")
    inputs = list(flat_inputs(node).values())
    # Members of a dynamic input are shown below it, in the same table.
    roots: dict[str, bool] = {}
    for item in inputs:
        roots[item.path] = item.spec.required if item.parent is None else roots[item.parent]
    for title, required in (("inputs", True), ("optional inputs", False)):
        rows = [
            [item.path, item.spec.type, _details(item, all_options)]
            for item in inputs
            if roots[item.path] is required
        ]
        lines += _table(title, rows)
    if node.hidden:
        lines += ["", "filled in by the server", f"  {clean(', '.join(node.hidden))}"]
    lines += _table(
        "outputs",
        [
            [str(spec.slot), spec.type, _output(spec.name, spec.type, spec.is_list)]
            for spec in node.outputs
        ],
    )
    return "\n".join(lines)


def input_text(node: NodeDef, name: str, inputs: Mapping[str, Any]) -> str | None:
    """
    Give one line about an input: type, default, range, options.

    Args:
        node: The class.
        name: The input's name in a prompt, such as `images.image0`.
        inputs: The node's `inputs`, which choose among dynamic ones.

    Returns:
        The line, or `None` where the class has no such input.
    """
    spec = node.expand(inputs).get(name) or node.inputs.get(name)
    if spec is None:
        return None
    line = table([[name, spec.type, _details(FlatInput(name, name, spec), False)]], indent="")
    return line[0] + ("" if spec.required else "  optional")


def signature_json(node: NodeDef) -> dict[str, Any]:
    """
    Give the signature of a class as JSON, dynamic inputs laid out flat.
    """
    return {
        **summary_json(node),
        "inputs": [_input_json(item) for item in flat_inputs(node).values()],
        "hidden": list(node.hidden),
        "outputs": [
            {"slot": spec.slot, "name": spec.name, "type": spec.type, "is_list": spec.is_list}
            for spec in node.outputs
        ],
    }


def summary_json(node: NodeDef) -> dict[str, Any]:
    """
    Give the names, the place and the flags of a class as JSON.
    """
    return {
        "class_type": node.class_type,
        "display_name": node.display_name,
        "category": node.category,
        "python_module": node.python_module,
        **{flag: bool(getattr(node, flag)) for flag, _ in _FLAGS},
    }


def table(rows: list[list[str]], indent: str = "  ") -> list[str]:
    """
    Align the columns of some rows; the last column is not padded.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    columns = len(cells[0]) if cells else 0
    widths = [min(max(len(row[at]) for row in cells), 60) for at in range(columns - 1)]
    return [
        indent
        + "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]
        ).rstrip()
        for row in cells
    ]


def _table(title: str, rows: list[list[str]]) -> list[str]:
    return ["", title, *table(rows)] if rows else []


def _details(item: FlatInput, all_options: bool) -> str:
    spec = item.spec
    parts: list[str] = []
    if spec.type == AUTOGROW:
        names = spec.options or ()
        least = spec.min if isinstance(spec.min, int) else 0
        span = f"{names[0]} … {names[-1]}" if names else "none"
        return f"{least} to {len(names)} members: {span}"
    if item.parent is not None and not spec.required:
        parts.append("optional")
    if spec.default is not None:
        parts.append(f"= {_short(spec.default, 40)}")
    if spec.min is not None or spec.max is not None:
        low = "" if spec.min is None else _short(spec.min, 24)
        high = "" if spec.max is None else _short(spec.max, 24)
        parts.append(f"{low} … {high}".strip())
    if spec.step is not None:
        parts.append(f"step {_short(spec.step, 24)}")
    if spec.files is not None:
        parts.append(f"a file of {spec.files}")
    elif spec.options is not None:
        parts.append(_options(spec.options, all_options))
    if spec.is_link_only and spec.type != DYNAMIC_COMBO:
        parts.append("link")
    return "  ".join(parts)


def _options(options: tuple[Any, ...], all_options: bool) -> str:
    shown: list[str] = []
    width = 0
    for option in options:
        text = _short(option, 60)
        width += len(text) + 3
        if not all_options and shown and (width > _WIDEST or len(shown) == _MOST_OPTIONS):
            break
        shown.append(text)
    rest = len(options) - len(shown)
    more = f" | … {rest} more" if rest else ""
    return " | ".join(shown) + more if shown else "no options"


def _output(name: str, kind: str, is_list: bool) -> str:
    return "  ".join([*([name] if name != kind else []), *(["a list"] if is_list else [])])


def _short(value: Any, longest: int) -> str:
    if isinstance(value, str):
        text = value if value and value == value.strip() else json.dumps(value)
    else:
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (RecursionError, ValueError, TypeError):
            text = "…"
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _input_json(item: FlatInput) -> dict[str, Any]:
    spec = item.spec
    out: dict[str, Any] = {
        "path": item.path,
        "name": item.name,
        "type": spec.type,
        "required": spec.required,
        "link_only": spec.is_link_only,
    }
    facts: Mapping[str, Any] = {
        "default": spec.default,
        "min": spec.min,
        "max": spec.max,
        "step": spec.step,
        "files": spec.files,
        "options": None if spec.options is None else list(spec.options),
        "chosen": dict(item.chosen) or None,
    }
    out.update((key, value) for key, value in facts.items() if value is not None)
    return out
