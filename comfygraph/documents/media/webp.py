"""
WebP: an `EXIF` chunk in a RIFF file (RFC 9649, section 2).
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.documents.media import exif
from comfygraph.documents.media.fields import Cut, Edit, Field, cut
from comfygraph.documents.media.source import Source
from comfygraph.errors import InputError

_EXIF_FLAG = 0x08  # in the first byte of VP8X (RFC 9649, 2.7)


def read(source: Source) -> Iterator[Field]:
    """
    Give the texts of EXIF.
    """
    for kind, start, end in _chunks(source):
        if kind == b"EXIF":
            yield from exif.read(source.read(start + 8, end - start - 8), source)


def strip(source: Source) -> Cut:
    """
    Drop the EXIF chunk, or blank the graphs in it where it holds anything else.
    """
    gone: list[Field] = []
    edits: list[Edit] = []
    chunks = list(_chunks(source))
    dropped = kept = 0
    for kind, start, end in chunks:
        if kind != b"EXIF":
            continue
        clean = exif.strip(source.read(start + 8, end - start - 8), source)
        if clean is not None and clean.empty:
            end = min(end + (end - start) % 2, source.size)
            edits.append(Edit(start, end))
            dropped += end - start
        else:
            kept += 1
            if clean is not None:
                edits.append(Edit(start + 8, end, clean.data))
        gone += clean.removed if clean is not None else ()
    if dropped:
        size = int.from_bytes(source.read(4, 4), "little") - dropped
        edits.append(Edit(4, 8, max(size, 0).to_bytes(4, "little")))
        kind, start, end = chunks[0]
        if kind == b"VP8X" and not kept and end > start + 8:
            flags = source.read(start + 8, 1)[0] & ~_EXIF_FLAG
            edits.append(Edit(start + 8, start + 9, bytes([flags])))
    return cut(gone, edits)


def _chunks(source: Source) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end without padding of the chunks."""
    end = 8 + int.from_bytes(source.read(4, 4), "little")
    start = 12
    while start + 8 <= min(end, source.size):
        source.step()
        head = source.read(start, 8)
        after = start + 8 + int.from_bytes(head[4:], "little")
        if after > source.size:
            raise InputError(f"cut short: {after - source.size:,} bytes are missing")
        yield head[:4], start, after
        start = after + (after - start) % 2
