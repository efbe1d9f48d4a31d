"""
EXIF: a TIFF structure whose texts may be `prompt:{...}` and `workflow:{...}`.

ComfyUI writes them as `Model` and `Make` of WebP files (comfy_extras/nodes_images.py,
`SaveAnimatedWEBP`); the editor reads any ASCII tag of the first directory
(src/scripts/metadata). Other nodes use `UserComment`. Structure: TIFF 6.0, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from comfygraph.documents.media.fields import Field, decode
from comfygraph.documents.media.source import Source

PREFIX = b"Exif\0\0"

_NAMED = re.compile(r"\s*(prompt|workflow)\s*:", re.IGNORECASE)
_NAMED_BYTES = re.compile(rb"\s*(?:prompt|workflow)\s*:", re.IGNORECASE)
_DESCRIPTION, _USER_COMMENT, _XP_COMMENT = 0x010E, 0x9286, 0x9C9C
_COMMENTS = {_DESCRIPTION: "ImageDescription", _USER_COMMENT: "UserComment", _XP_COMMENT: "comment"}
_EXIF_DIRECTORY = 0x8769
_TEXT_TYPES = frozenset({1, 2, 7})  # BYTE, ASCII, UNDEFINED: one byte a piece


@dataclass(frozen=True, slots=True)
class Clean:
    """
    EXIF without its graphs.

    Args:
        data: As long as before, so that nothing else moves; what went is zero.
        empty: Nothing else was in it: it may be left out altogether.
        removed: The fields that are gone.
    """

    data: bytes
    empty: bool
    removed: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a directory; `start` and `end` are those of its value, if that is a text."""

    at: int
    tag: int
    start: int = 0
    end: int = 0
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class _Directory:
    at: int
    entries: tuple[_Entry, ...]
    has_next: bool


def read(data: bytes, source: Source) -> Iterator[Field]:
    """
    Give the texts that can carry a graph; what is damaged is passed over.

    Args:
        data: A TIFF structure, with or without `Exif` before it.
        source: Whose budget is spent.
    """
    for directory in _Tiff(data, source).directories():
        for entry in directory.entries:
            if entry.field is not None:
                yield entry.field


def strip(data: bytes, source: Source) -> Clean | None:
    """
    Take the graphs out; `None` where there are none.
    """
    out = bytearray(data)
    tables: list[tuple[int, bytes]] = []
    removed: list[Field] = []
    left = 0
    tiff = _Tiff(data, source)
    for directory in tiff.directories():
        kept: list[_Entry] = []
        for entry in directory.entries:
            if entry.field is not None and entry.field.graphs():
                removed.append(entry.field)
                out[entry.start : entry.end] = bytes(entry.end - entry.start)
            else:
                kept.append(entry)
        tables.append((directory.at, tiff.table(directory, kept)))
        left += directory.has_next + sum(entry.tag != _EXIF_DIRECTORY for entry in kept)
    if not removed:
        return None
    for at, table in tables:
        out[at : at + len(table)] = table
    return Clean(bytes(out), left == 0, tuple(removed))


class _Tiff:
    def __init__(self, data: bytes, source: Source) -> None:
        self._data = data
        self._source = source
        self._base = len(PREFIX) if data.startswith(PREFIX) else 0
        mark = data[self._base : self._base + 4]
        self._order: Literal["little", "big"] = "little" if mark[:2] == b"II" else "big"
        self._valid = mark in (b"II*\0", b"MM\0*")

    def directories(self) -> Iterator[_Directory]:
        """The first directory, and EXIF's own; each once, however they point to each other."""
        if not self._valid:
            return
        pending = [self._number(self._base + 4, 4)]
        seen: set[int] = set()
        while pending:
            at = pending.pop() + self._base
            if at in seen or at + 2 > len(self._data):
                continue
            seen.add(at)
            count = self._number(at, 2)
            if at + 2 + 12 * count > len(self._data):
                continue
            self._source.step(count)
            entries = tuple(self._entry(at + 2 + 12 * index) for index in range(count))
            has_next = self._number(at + 2 + 12 * count, 4) != 0
            yield _Directory(at, entries, has_next)
            pending += [
                self._number(entry.at + 8, 4) for entry in entries if entry.tag == _EXIF_DIRECTORY
            ]

    def table(self, directory: _Directory, kept: list[_Entry]) -> bytes:
        """A directory of only these entries, as long as the one in the file."""
        size = 2 + 12 * len(directory.entries)
        following = self._data[directory.at + size : directory.at + size + 4]
        entries = b"".join(self._data[entry.at : entry.at + 12] for entry in kept)
        table = len(kept).to_bytes(2, self._order) + entries + following
        return table.ljust(size + len(following), b"\0")

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self._data[at : at + size], self._order)

    def _entry(self, at: int) -> _Entry:
        tag, kind, count = self._number(at, 2), self._number(at + 2, 2), self._number(at + 4, 4)
        if kind not in _TEXT_TYPES:
            return _Entry(at, tag)
        start = at + 8 if count <= 4 else self._number(at + 8, 4) + self._base
        end = start + count
        if end > len(self._data):
            return _Entry(at, tag)
        return _Entry(at, tag, start, end, self._field(tag, start, end))

    def _field(self, tag: int, start: int, end: int) -> Field | None:
        if tag in _COMMENTS:
            self._source.spend(end - start)
            text = _comment(tag, self._data[start:end])
        elif _NAMED_BYTES.match(self._data, start, min(end, start + 64)):
            self._source.spend(end - start)
            text = decode(self._data[start:end])
        else:
            return None
        named = _NAMED.match(text)
        if named:
            return Field(named[1], text[named.end() :])
        return Field(_COMMENTS[tag], text) if tag in _COMMENTS else None


def _comment(tag: int, value: bytes) -> str:
    """`UserComment` begins with eight bytes that name its encoding (EXIF 2.32, 4.6.5)."""
    if tag == _XP_COMMENT:
        return value.decode("utf-16-le", "replace")
    if tag == _DESCRIPTION:
        return decode(value)
    code, text = value[:8], value[8:]
    if code == b"UNICODE\0":
        # Writers disagree with the standard and each other about the order of bytes.
        return text.decode("utf-16-be" if text[:1] == b"\0" else "utf-16-le", "replace")
    return decode(text if code in (b"ASCII\0\0\0", bytes(8)) else value)
