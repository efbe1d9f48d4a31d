"""
A catalog in a file: an `/object_info` answer of any size, read without holding it.

One pass with the C scanner of `json` finds where each class stands. The next time the
places come from a small index in the user's cache, and only the classes in use are parsed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfygraph.catalog.bundled import core_files
from comfygraph.catalog.compact import expand_entry, find_line, line_names
from comfygraph.catalog.node_catalog import NodeCatalog, catalog_from_mapping
from comfygraph.errors import CatalogError

MAX_BYTES = 2 << 30
INDEX_FROM = 4 << 20
"""Files smaller than this are parsed faster than their index is looked up."""

_WHITESPACE = " \t\n\r"
Spans = dict[str, tuple[int, int]]


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
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise CatalogError(f"{path}: {size >> 20} MB, above the maximum {MAX_BYTES >> 20} MB")
        with path.open("rb") as file:
            head = file.read(16)
            if size >= INDEX_FROM and not head.startswith(b"\x1f\x8b"):
                view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                return _indexed(path, view, cache_dir)
            data = head + file.read()
        if data.startswith(b"\x1f\x8b"):
            data = _gunzip(data, path)
    except OSError as exc:
        raise CatalogError(f"{path}: {exc.strerror or exc}") from exc
    if data.startswith(b'{"": {'):
        return _compact(data, str(path))
    document = _parse(data, path)
    return catalog_from_mapping(document, label=str(path), origin="file")


def _gunzip(data: bytes, path: Path) -> bytes:
    import io

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            out = file.read(MAX_BYTES // 8 + 1)
    except (OSError, EOFError) as exc:
        raise CatalogError(f"{path}: broken gzip file") from exc
    if len(out) > MAX_BYTES // 8:
        raise CatalogError(f"{path}: too large when unpacked", hint="give the unpacked file")
    return out


def _parse(data: bytes, path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise CatalogError(f"{path}: not JSON: {exc}") from exc
    if not isinstance(document, dict) or not _looks_like_catalog(document):
        raise CatalogError(
            f"{path}: not an /object_info document",
            hint="save one with `comfygraph catalog fetch URL -o FILE`",
        )
    return document


def _looks_like_catalog(document: Mapping[str, Any]) -> bool:
    return all(
        isinstance(entry, dict) and ("input" in entry or "output" in entry)
        for entry in list(document.values())[:8]
    )


def _compact(data: bytes, label: str) -> NodeCatalog:
    def line(name: str) -> dict[str, Any] | None:
        found = find_line(data, name)
        return json.loads(found) if found is not None else None

    def read(name: str) -> Mapping[str, Any] | None:
        compact = line(name)
        return expand_entry(name, compact) if compact is not None else None

    def files_of(name: str) -> Mapping[str, str]:
        files: Mapping[str, str] = (line(name) or {}).get("F", {})
        return files

    names = lambda: line_names(data)  # noqa: E731
    return NodeCatalog(read, names, label=label, origin="file", files_of=files_of)


def _indexed(path: Path, view: mmap.mmap, cache_dir: Path | None) -> NodeCatalog:
    stat = path.stat()
    key = f"{path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}"
    folder = cache_dir if cache_dir is not None else _default_cache()
    index_file = folder / (hashlib.sha256(key.encode()).hexdigest()[:32] + ".json")
    spans = _read_index(index_file)
    if spans is None:
        spans = _scan(view, path)
        _write_index(index_file, spans)

    def read(name: str) -> Mapping[str, Any] | None:
        span = spans.get(name)
        if span is None:
            return None
        try:
            entry = json.loads(view[span[0] : span[1]])
        except ValueError as exc:
            raise CatalogError(f"{path}: changed while it was read") from exc
        return entry if isinstance(entry, dict) else None

    return NodeCatalog(
        read, lambda: list(spans), label=str(path), origin="file", files_of=core_files
    )


def _scan(view: mmap.mmap, path: Path) -> Spans:
    """
    Find the byte span of every class. Each value is parsed (and dropped), so that a
    broken file is found now and not at the class that happens to be asked for.
    """
    try:
        text = str(view[:], "utf-8")
        spans = _scan_text(text)
    except (ValueError, RecursionError) as exc:
        raise CatalogError(f"{path}: not JSON: {exc}") from exc
    return spans if text.isascii() else _byte_spans(text, spans)


def _scan_text(text: str) -> Spans:
    decode = json.JSONDecoder().raw_decode
    spans: Spans = {}
    index = _skip(text, 0)
    if text[index : index + 1] != "{":
        raise ValueError("a catalog is a JSON object")
    index = _skip(text, index + 1)
    while text[index : index + 1] != "}":
        if text[index : index + 1] != '"':
            raise ValueError(f"a class name is missing at character {index}")
        name, index = decode(text, index)
        index = _skip(text, index)
        if text[index : index + 1] != ":":
            raise ValueError(f"a colon is missing at character {index}")
        start = _skip(text, index + 1)
        value, index = decode(text, start)
        if isinstance(value, dict):
            spans[name] = (start, index)
        index = _skip(text, index)
        if text[index : index + 1] == ",":
            index = _skip(text, index + 1)
        elif text[index : index + 1] != "}":
            raise ValueError(f"a comma is missing at character {index}")
    return spans


def _skip(text: str, index: int) -> int:
    while text[index : index + 1] and text[index] in _WHITESPACE:
        index += 1
    return index


def _byte_spans(text: str, spans: Spans) -> Spans:
    out: Spans = {}
    at_char = at_byte = 0
    for name, (start, end) in spans.items():
        at_byte += len(text[at_char:start].encode())
        begin = at_byte
        at_byte += len(text[start:end].encode())
        at_char = end
        out[name] = (begin, at_byte)
    return out


def _default_cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("comfygraph")) / "catalogs"


def _read_index(index_file: Path) -> Spans | None:
    try:
        document = json.loads(index_file.read_bytes())
        return {name: (int(span[0]), int(span[1])) for name, span in document.items()}
    except (OSError, ValueError, TypeError, AttributeError, IndexError):
        return None


def _write_index(index_file: Path, spans: Spans) -> None:
    # An index is a convenience: a cache that cannot be written is no error.
    temporary = index_file.with_suffix(f".{os.getpid()}.tmp")
    try:
        index_file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(spans), encoding="utf-8")
        temporary.replace(index_file)
    except OSError:
        temporary.unlink(missing_ok=True)
