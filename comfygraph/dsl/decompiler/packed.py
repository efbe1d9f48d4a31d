"""
A catalog as a package of stubs has it: without the files that one machine happens to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygraph.catalog.compact import expand_entry
from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.dsl.package import _file_lists, _without_files


def packed(catalog: NodeCatalog) -> NodeCatalog:
    """
    Give the classes as `comfygraph stubs` would write them, each when it is asked for.

    Args:
        catalog: What the package was made from, or its own `catalog.json`.
    """
    known = _file_lists(catalog)
    entries: dict[str, dict[str, Any] | None] = {}

    def compact(name: str) -> dict[str, Any] | None:
        if name not in entries:
            definition = catalog.find(name)
            entries[name] = _without_files(definition, known) if definition is not None else None
        return entries[name]

    def read(name: str) -> Mapping[str, Any] | None:
        entry = compact(name)
        return expand_entry(name, entry) if entry is not None else None

    def files_of(name: str) -> Mapping[str, str]:
        return (compact(name) or {}).get("F") or {}

    return NodeCatalog(read, catalog.names, label=catalog.label, origin="file", files_of=files_of)
