"""
The compact form of a catalog: one JSON document with one class a line.

The file is valid JSON, and a class is found in it by its line start alone, so that
a process that needs ten classes parses ten lines. JSON escapes line breaks inside of
strings: a line break in the file always separates classes.

    {"": {"version": "0.33.0"},
    "CLIPLoader": {"i": {"required": {...}}, "o": ["CLIP"], "m": "nodes", ...},
    ...}

Only facts are kept, and only what the reader cannot derive.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from comfygraph.errors import CatalogError

_DEEPEST = 100

_PROSE = frozenset({"tooltip", "placeholder"})
_FLAGS = {
    "output_node": "O",
    "api_node": "A",
    "deprecated": "D",
    "experimental": "E",
    "is_input_list": "L",
    "dev_only": "V",
    "has_intermediate_output": "I",
}


def compact_entry(name: str, entry: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """
    Shorten one `/object_info` entry; `expand_entry` gives it back without its prose.

    Args:
        name: The class name.
        entry: The entry as the server gives it.
        files: Input name → folder, for inputs that list files.

    Raises:
        CatalogError: It nests too deep.
    """
    sections = entry.get("input")
    sections = sections if isinstance(sections, Mapping) else {}
    out: dict[str, Any] = {
        "i": {key: _without_prose(value) for key, value in sections.items() if value}
    }
    outputs = _list(entry.get("output"))
    out["o"] = outputs
    if _list(entry.get("output_name")) != outputs:
        out["n"] = _list(entry.get("output_name"))
    if any(_list(entry.get("output_is_list"))):
        out["l"] = _list(entry.get("output_is_list"))
    if entry.get("output_matchtypes"):
        out["t"] = entry["output_matchtypes"]
    flags = "".join(letter for key, letter in _FLAGS.items() if entry.get(key) is True)
    if flags:
        out["f"] = flags
    display = entry.get("display_name")
    if display and display != name:
        out["d"] = display
    out["c"] = entry.get("category", "")
    out["m"] = entry.get("python_module", "")
    order = entry.get("input_order")
    if isinstance(order, Mapping) and any(
        _list(order.get(key)) != list(_mapping(sections.get(key))) for key in order
    ):
        out["r"] = order
    if files:
        out["F"] = dict(files)
    return out


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _without_prose(value: Any, depth: int = 0) -> Any:
    kind = type(value)
    if kind is str or kind is int or kind is float or kind is bool:
        return value
    if depth > _DEEPEST:
        raise CatalogError("a definition nests too deep")
    if kind is dict or isinstance(value, Mapping):
        return {
            key: _without_prose(item, depth + 1)
            for key, item in value.items()
            if not (key in _PROSE and isinstance(item, str))
        }
    if isinstance(value, list | tuple):
        return [_without_prose(item, depth + 1) for item in value]
    return value


def expand_entry(name: str, compact: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give a compact entry the keys that `/object_info` has.
    """
    sections = _mapping(compact.get("i"))
    outputs = _list(compact.get("o"))
    flags = compact.get("f", "")
    flags = flags if isinstance(flags, str) else ""
    entry: dict[str, Any] = {
        "input": sections,
        "input_order": compact.get("r")
        or {key: list(_mapping(value)) for key, value in sections.items()},
        "output": outputs,
        "output_is_list": compact.get("l") or [False] * len(outputs),
        "output_name": compact.get("n", outputs),
        "name": name,
        "display_name": compact.get("d", name),
        "description": "",
        "python_module": compact.get("m", ""),
        "category": compact.get("c", ""),
    }
    for key, letter in _FLAGS.items():
        entry[key] = letter in flags
    if "t" in compact:
        entry["output_matchtypes"] = compact["t"]
    return entry


def write_lines(about: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]) -> str:
    """
    Write compact entries one a line, sorted by name, so that versions diff well.
    """
    lines = [f'"": {_dump(about)}']
    lines += [f"{_dump(name)}: {_dump(entries[name])}" for name in sorted(entries)]
    return "{" + ",\n".join(lines) + "\n}\n"


def _dump(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair can be written in JSON, but not in UTF-8.
        return json.dumps(value, separators=(",", ":"))
    return text


def find_line(data: bytes, name: str) -> bytes | None:
    """
    Give the JSON value of a class in the text of `write_lines`, or `None`.
    """
    key = b"\n" + _dump(name).encode() + b": "
    start = data.find(key)
    if start < 0:
        return None
    start += len(key)
    end = data.find(b"\n", start)
    return data[start:end].rstrip(b",")


def line_names(data: bytes) -> list[str]:
    """
    Give the names of all classes in the text of `write_lines`, sorted.
    """
    decode = json.JSONDecoder().raw_decode
    lines = data.decode("utf-8").split("\n")[1:]
    return [decode(line)[0] for line in lines if line.startswith('"')]
