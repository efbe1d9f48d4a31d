"""
Node catalogs: what `/object_info` says, parsed once per class and only when asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from comfygraph.catalog.bundled import bundled_catalog, core_version
from comfygraph.catalog.node_catalog import NodeCatalog, catalog_from_mapping
from comfygraph.catalog.specs import InputSpec, NodeDef, OutputSpec

__all__ = [
    "InputSpec",
    "NodeCatalog",
    "NodeDef",
    "OutputSpec",
    "bundled_catalog",
    "catalog_from_mapping",
    "core_version",
    "load_catalog",
]


def load_catalog(
    source: NodeCatalog | Mapping[str, Any] | str | PathLike[str] | None = None,
) -> NodeCatalog:
    """
    Load a node catalog without touching the network.

    Args:
        source: `None` for the bundled core; the path of a saved `/object_info`; such a
            document in memory; or a catalog, which is given back.

    Raises:
        CatalogError: The file cannot be read or holds no catalog.
    """
    if source is None:
        return bundled_catalog()
    if isinstance(source, NodeCatalog):
        return source
    if isinstance(source, Mapping):
        return catalog_from_mapping(source)
    from pathlib import Path

    from comfygraph.catalog.stored import catalog_from_file

    return catalog_from_file(Path(source))
