"""
What only the top of the house can offer: functions that need several of its rooms.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from comfygraph.catalog import NodeCatalog
from comfygraph.catalog import load_catalog as _load_local


def load_catalog(
    source: NodeCatalog | Mapping[str, Any] | str | PathLike[str] | None = None,
) -> NodeCatalog:
    """
    Load a node catalog.

    Args:
        source: `None` for the bundled core; the path of a saved `/object_info`; the URL of
            a ComfyUI server; an `/object_info` document in memory; or a catalog, which is
            given back.

    Raises:
        CatalogError: The file or the answer holds no catalog.
        TargetError: The server is out of reach or refuses.
    """
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        from comfygraph.jobs.fetch import fetch_catalog

        return fetch_catalog(source)
    return _load_local(source)
