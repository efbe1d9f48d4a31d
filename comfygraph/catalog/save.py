"""
Writing a catalog to a file: facts only, one class a line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygraph.catalog.bundled import core_files
from comfygraph.catalog.compact import compact_entry, write_lines
from comfygraph.errors import UsageError


def catalog_text(object_info: Mapping[str, Any], source: str) -> str:
    """
    Give the text of a catalog file, which `load_catalog` reads.

    The same classes give the same text, so that versions can be kept and compared.

    Args:
        object_info: What the server said.
        source: Where it is from, without credentials.

    Raises:
        CatalogError: A definition nests too deep.
    """
    entries = {
        name: compact_entry(name, entry, core_files(name))
        for name, entry in object_info.items()
        if isinstance(entry, Mapping)
    }
    return write_lines({"source": source}, entries)


def write_text(path: Path, text: str) -> None:
    """
    Write a file so that it is there whole or not at all.

    Raises:
        UsageError: The folder or the file cannot be written.
    """
    if path.exists() and not path.is_file():  # a rename would put a file in a device's place
        raise UsageError(f"{path}: is no regular file")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else None
        raise UsageError(f"{path}: {reason or exc}") from exc
