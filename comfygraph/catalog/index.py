"""
Where each class stands in a large `/object_info` file, found once and remembered.

The places are kept in the user's cache, one small file for each catalog file. A catalog that
changed in size or time is scanned again; one that changes under our hands is an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any, BinaryIO

from comfygraph.errors import CatalogError

Spans = dict[str, tuple[int, int]]
"""Class name → bytes of `"NAME": {...}`, the first and the one behind the last."""

_WHITESPACE = " \t\n\r"


class CatalogFile:
    """
    A large `/object_info` file that is kept open, read class by class.

    Args:
        path: How messages call it.
        file: The file, open for reading; it belongs to the catalog from now on.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._lock = threading.Lock()

    def close(self) -> None:
        """
        Close the file.
        """
        self._file.close()

    def spans(self, cache_dir: Path | None) -> Spans:
        """
        Give the places of all classes, from the cache where it has them.

        Args:
            cache_dir: Where the places are kept; default is the user's cache.

        Raises:
            CatalogError: The file is no catalog.
            OSError: It cannot be read.
        """
        stat = os.fstat(self._file.fileno())
        state = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        folder = cache_dir if cache_dir is not None else _default_cache()
        path = str(self.path.resolve()).encode("utf-8", "surrogateescape")
        cached = folder / f"{hashlib.sha256(path).hexdigest()[:32]}.json"
        spans = _cached_spans(cached, state)
        if spans is None:
            spans = scan(self._read(0, stat.st_size), self.path)
            _keep_spans(cached, state, spans)
        return spans

    def entry(self, name: str, span: tuple[int, int]) -> Any:
        """
        Parse one class, and make sure that it is the one.

        Raises:
            CatalogError: The file is no longer what it was when its places were found.
        """
        try:
            document = json.loads(b"{" + self._read(span[0], span[1] - span[0]) + b"}")
        except (ValueError, RecursionError, OSError):
            document = None
        if not isinstance(document, dict) or list(document) != [name]:
            raise CatalogError(
                f"{self.path}: changed while it was read", hint="run the command again"
            )
        return document[name]

    def _read(self, start: int, size: int) -> bytes:
        # Not mmap: a file that is cut short while it is mapped kills the process.
        with self._lock:
            self._file.seek(start)
            return self._file.read(max(size, 0))


def scan(data: bytes, path: Path) -> Spans:
    """
    Find the places of all classes. Each value is parsed and dropped, so that a broken file is
    found now and not at the class that happens to be asked for.

    Raises:
        CatalogError: The file is no catalog.
    """
    try:
        text = str(data, "utf-8")
        del data
        spans = _scan_text(text)
    except (ValueError, RecursionError) as exc:
        raise CatalogError(f"{path}: not JSON: {exc}") from exc
    if not spans:
        raise CatalogError(f"{path}: not an /object_info document")
    return spans if text.isascii() else _byte_spans(text, spans)


def _scan_text(text: str) -> Spans:
    decode = json.JSONDecoder().raw_decode
    spans: Spans = {}
    index = _skip(text, 1 if text.startswith("\ufeff") else 0)
    if text[index : index + 1] != "{":
        raise ValueError("a catalog is a JSON object")
    index = _skip(text, index + 1)
    while text[index : index + 1] != "}":
        if text[index : index + 1] != '"':
            raise ValueError(f"a class name is missing at character {index}")
        start = index
        name, index = decode(text, index)
        index = _skip(text, index)
        if text[index : index + 1] != ":":
            raise ValueError(f"a colon is missing at character {index}")
        value, index = decode(text, _skip(text, index + 1))
        # The last of two entries counts, as it does for `json.loads`.
        if isinstance(value, dict):
            spans.pop(name, None)
            spans[name] = (start, index)
        elif name in spans:
            del spans[name]
        index = _skip(text, index)
        if text[index : index + 1] == ",":
            index = _skip(text, index + 1)
            if text[index : index + 1] == "}":
                raise ValueError(f"a class name is missing at character {index}")
        elif text[index : index + 1] != "}":
            raise ValueError(f"a comma is missing at character {index}")
    if _skip(text, index + 1) != len(text):
        raise ValueError(f"there is more behind the end at character {index + 1}")
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


def _cached_spans(cached: Path, state: list[int]) -> Spans | None:
    try:
        document = json.loads(cached.read_bytes())
        if document["state"] != state:
            return None
        names, places = document["names"], document["places"]
        # A cache of somebody else's making is not trusted further than this; whole lists at
        # once, as there may be 100,000 classes.
        if set(map(type, places)) != {int} or min(places) < 0 or max(places) > state[0]:
            return None
        return dict(zip(names, zip(places[::2], places[1::2], strict=True), strict=True))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _keep_spans(cached: Path, state: list[int], spans: Spans) -> None:
    # The cache is a convenience: one that cannot be written is no error.
    places = [place for span in spans.values() for place in span]
    text = json.dumps({"state": state, "names": list(spans), "places": places})
    temporary = cached.with_suffix(f".{os.getpid()}.tmp")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="ascii")
        temporary.replace(cached)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
