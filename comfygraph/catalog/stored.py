"""
A catalog in a file: an `/object_info` answer of any size, or one that comfygraph wrote.

Large files are not held: the places of their classes come from an index
(`comfygraph.catalog.index`), and only the classes in use are parsed.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from comfygraph.catalog.bundled import core_files
from comfygraph.catalog.compact import expand_entry, find_line, line_names
from comfygraph.catalog.node_catalog import NodeCatalog, catalog_from_mapping
from comfygraph.errors import CatalogError

MAX_BYTES = 2 << 30
MAX_HELD = 256 << 20
"""The most bytes that are held at once: of a packed file when unpacked, of a pipe."""
INDEX_FROM = 4 << 20
"""Files smaller than this are parsed faster than their index is looked up."""

_GZIP = b"\x1f\x8b"
_COMPACT = b'{"": {'


def catalog_from_file(path: Path, *, cache_dir: Path | None = None) -> NodeCatalog:
    """
    Open a catalog file: an `/object_info` answer (plain or gzip), or one that
    `comfygraph catalog fetch` wrote.

    Args:
        path: The file.
        cache_dir: Where the index of a large file is kept; default is the user's cache.

    Raises:
        CatalogError: The file cannot be read or holds no catalog.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as exc:
        raise CatalogError(f"{path}: no such file") from exc
    except OSError as exc:
        raise CatalogError(f"{path}: {exc.strerror or exc}") from exc
    with contextlib.ExitStack() as stack:
        stack.callback(file.close)
        try:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise CatalogError(
                    f"{path}: {size >> 20} MB, above the maximum of {MAX_BYTES >> 20} MB"
                )
            head = file.read(16)
            if size >= INDEX_FROM and not head.startswith((_GZIP, _COMPACT)):
                catalog = _indexed(path, file, cache_dir)
                stack.pop_all()
                return catalog
            data = head + file.read(MAX_HELD + 1)
        except OSError as exc:
            raise CatalogError(f"{path}: {exc.strerror or exc}") from exc
    if len(data) > MAX_HELD:
        raise CatalogError(f"{path}: too large", hint="give a file, not a pipe")
    if data.startswith(_GZIP):
        data = _gunzip(data, path)
    if data.startswith(_COMPACT):
        return _compact(data, path)
    return catalog_from_mapping(_parse(data, path), label=str(path), origin="file")


def _gunzip(data: bytes, path: Path) -> bytes:
    import gzip
    import io

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            out = file.read(MAX_HELD + 1)
    except (OSError, EOFError, zlib.error) as exc:
        raise CatalogError(f"{path}: broken gzip file") from exc
    if len(out) > MAX_HELD:
        raise CatalogError(f"{path}: too large when unpacked", hint="give the unpacked file")
    return out


def _parse(data: bytes, path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise CatalogError(f"{path}: not JSON: {exc}") from exc
    if not isinstance(document, dict) or not looks_like_catalog(document):
        raise CatalogError(
            f"{path}: not an /object_info document",
            hint="save one with `comfygraph catalog fetch URL -o FILE`",
        )
    return document


def looks_like_catalog(document: Mapping[str, Any]) -> bool:
    """
    Tell whether an object is an `/object_info` answer, by its first classes.
    """
    return bool(document) and all(
        isinstance(entry, dict) and ("input" in entry or "output" in entry)
        for entry in list(document.values())[:8]
    )


def _compact(data: bytes, path: Path) -> NodeCatalog:
    def line(name: str) -> dict[str, Any] | None:
        found = find_line(data, name)
        if found is None:
            return None
        try:
            value = json.loads(found)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise CatalogError(f"{path}: the line of `{name}` is broken", hint="fetch it again")
        return value

    def read(name: str) -> Mapping[str, Any] | None:
        compact = line(name)
        return expand_entry(name, compact) if compact is not None else None

    def files_of(name: str) -> Mapping[str, str]:
        files = (line(name) or {}).get("F")
        return files if isinstance(files, dict) else {}

    def names() -> list[str]:
        try:
            return line_names(data)
        except ValueError as exc:
            raise CatalogError(f"{path}: a line is broken", hint="fetch it again") from exc

    return NodeCatalog(read, names, label=str(path), origin="file", files_of=files_of)


def _indexed(path: Path, file: BinaryIO, cache_dir: Path | None) -> NodeCatalog:
    import weakref

    from comfygraph.catalog.index import CatalogFile

    source = CatalogFile(path, file)
    spans = source.spans(cache_dir)

    def read(name: str) -> Mapping[str, Any] | None:
        span = spans.get(name)
        if span is None:
            return None
        entry = source.entry(name, span)
        return entry if isinstance(entry, dict) else None

    catalog = NodeCatalog(
        read, lambda: list(spans), label=str(path), origin="file", files_of=core_files
    )
    # It reads from the file for as long as it lives.
    weakref.finalize(catalog, source.close)
    return catalog
