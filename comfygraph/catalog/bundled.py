"""
The core catalog that comes with comfygraph: ComfyUI 0.33.0, API nodes included.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from comfygraph.catalog.compact import expand_entry, find_line, line_names
from comfygraph.catalog.node_catalog import NodeCatalog

_NO_FILES: Mapping[str, str] = {}


@cache
def core_data() -> bytes:
    """
    Read the catalog file: one class a line, see `comfygraph.catalog.compact`.
    """
    # `importlib.resources` would cost 15 ms, a fifth of what a whole lint takes.
    with open(os.path.join(os.path.dirname(__file__), "data", "core.json"), "rb") as file:
        return file.read()


@cache
def core_version() -> str:
    """
    Give the version of ComfyUI that the bundled catalog was recorded from.
    """
    head = core_data().split(b"\n", 1)[0]
    about = json.loads(head.removeprefix(b'{"": ').rstrip(b","))
    return str(about["version"])


@lru_cache(maxsize=256)
def _line(name: str) -> dict[str, Any] | None:
    line = find_line(core_data(), name)
    return json.loads(line) if line is not None else None


_strangers: list[str] = []
"""Names that were looked for in vain: after some of them, all names of the core are listed."""

_FEW = 8


def _is_core(name: str) -> bool:
    if len(_strangers) > _FEW:
        return name in _core_names()
    found = _line(name) is not None
    if not found:
        _strangers.append(name)
    return found


@cache
def _core_names() -> frozenset[str]:
    # A search for a name that is not there goes through all of the file, a megabyte.
    heads = (line.partition(b'": ')[0] + b'"' for line in core_data().split(b"\n")[1:] if line)
    return frozenset(json.loads(head) for head in heads if head.startswith(b'"'))


def core_files(name: str) -> Mapping[str, str]:
    """
    Give input name → folder for a core class whose inputs list files.
    """
    line = _line(name) if _is_core(name) else None
    return line.get("F", _NO_FILES) if line is not None else _NO_FILES


@cache
def bundled_catalog() -> NodeCatalog:
    """
    Give the bundled core catalog; made once per process.
    """

    def read(name: str) -> Mapping[str, Any] | None:
        compact = _line(name)
        return expand_entry(name, compact) if compact is not None else None

    return NodeCatalog(
        read,
        lambda: line_names(core_data()),
        label=f"ComfyUI {core_version()} (bundled)",
        origin="bundled",
        files_of=core_files,
    )
