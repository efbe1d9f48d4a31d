"""
AVIF and other HEIF pictures: EXIF as an item of the file (ISO/IEC 23008-12, annex A).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from comfygraph.documents.media import exif
from comfygraph.documents.media.boxes import Box, boxes
from comfygraph.documents.media.fields import Cut, Edit, Field, cut
from comfygraph.documents.media.source import Cursor, Source
from comfygraph.errors import InputError

_MOST_TABLE = 1 << 20
_IN_FILE, _IN_IDAT = 0, 1  # construction methods of `iloc`


@dataclass(frozen=True, slots=True)
class _Item:
    """The EXIF of a picture, and where its pieces stand in the file."""

    data: bytes
    pieces: tuple[tuple[int, int], ...]


def read(source: Source) -> Iterator[Field]:
    """
    Give the texts of EXIF.
    """
    for item in _exif_items(source):
        yield from exif.read(item.data[_tiff_start(item.data) :], source)


def strip(source: Source) -> Cut:
    """
    Blank the graphs. Every other item is found by its offset, so nothing may move.
    """
    gone: list[Field] = []
    edits: dict[int, Edit] = {}
    for item in _exif_items(source):
        start = _tiff_start(item.data)
        clean = exif.strip(item.data[start:], source)
        if clean is None:
            continue
        gone += clean.removed
        data = Cursor(item.data[:start] + clean.data)
        for begin, end in item.pieces:
            edits[begin] = Edit(begin, end, data.take(end - begin))
    return cut(gone, edits.values())


def _tiff_start(data: bytes) -> int:
    """Four bytes say how far behind them the TIFF header is; not every writer counts well."""
    start = 4 + int.from_bytes(data[:4], "big")
    if data[start : start + 4] in (b"II*\0", b"MM\0*"):
        return start
    found = [at for mark in (b"II*\0", b"MM\0*") if (at := data.find(mark, 0, 64)) >= 0]
    return min(found, default=len(data))


def _exif_items(source: Source) -> Iterator[_Item]:
    for meta in boxes(source, 0, source.size):
        if meta.type != b"meta":
            continue
        inner = {box.type: box for box in boxes(source, meta.body + 4, meta.end)}
        if b"iinf" not in inner or b"iloc" not in inner:
            continue
        wanted = _exif_ids(source, inner[b"iinf"])
        if wanted:
            yield from _located(source, inner[b"iloc"], wanted, inner.get(b"idat"))


def _exif_ids(source: Source, iinf: Box) -> set[int]:
    """Ids of the items of type `Exif` (`infe` of version 2 and 3)."""
    version = source.read(iinf.body, 1)[0]
    found: set[int] = set()
    for infe in boxes(source, iinf.body + (6 if version == 0 else 8), iinf.end):
        if infe.type != b"infe":
            continue
        head = Cursor(source.peek(infe.body, 14))
        version = head.big(1)
        head.skip(3)
        if version in (2, 3):
            item_id = head.big(2 if version == 2 else 4)
            head.skip(2)
            if head.take(4) == b"Exif":
                found.add(item_id)
    return found


def _located(source: Source, iloc: Box, wanted: set[int], idat: Box | None) -> Iterator[_Item]:
    table = Cursor(source.read(iloc.body, iloc.end - iloc.body, most=_MOST_TABLE))
    version = table.big(1)
    table.skip(3)
    sizes = table.big(2)
    offset_size, length_size, base_size, index_size = (
        (sizes >> shift) & 15 for shift in (12, 8, 4, 0)
    )
    if version == 0:
        index_size = 0
    wide = 4 if version == 2 else 2
    for _ in range(table.big(wide)):
        source.step()
        item_id = table.big(wide)
        method = table.big(2) & 15 if version else _IN_FILE
        table.skip(2)
        base = table.big(base_size)
        count = table.big(2)
        if item_id not in wanted or method not in (_IN_FILE, _IN_IDAT):
            table.skip(count * (index_size + offset_size + length_size))
            continue
        if method == _IN_IDAT:
            if idat is None:
                raise InputError("damaged: an item in a box that is not there")
            base += idat.body
        source.step(count)
        pieces: list[tuple[int, int]] = []
        for _ in range(count):
            table.skip(index_size)
            start = base + table.big(offset_size)
            pieces.append((start, start + table.big(length_size)))
        yield _Item(b"".join(source.read(a, b - a) for a, b in pieces), tuple(pieces))
