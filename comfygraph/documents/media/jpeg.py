"""
JPEG: EXIF in an `APP1` segment, and comments (ITU-T T.81, annex B).

ComfyUI itself saves no JPEG with a graph; widely used nodes do, in the tags that WebP uses or
in `UserComment`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from comfygraph.documents.media import exif
from comfygraph.documents.media.fields import Cut, Edit, Field, cut, decode
from comfygraph.documents.media.source import Source
from comfygraph.errors import InputError

_APP1, _APP2, _COM = 0xE1, 0xE2, 0xFE
_SCAN, _END = 0xDA, 0xD9
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True)
class _Segment:
    marker: int
    start: int
    end: int

    @property
    def body(self) -> int:
        return self.start + 4


def read(source: Source) -> Iterator[Field]:
    """
    Give the texts of EXIF and of comments.
    """
    for segment in _segments(source):
        data = _carrier(source, segment)
        if data is not None and segment.marker == _COM:
            yield Field("comment", decode(data))
        elif data is not None:
            yield from exif.read(data, source)


def strip(source: Source) -> Cut:
    """
    Drop the segments that carry nothing but graphs, blank the graphs in others.
    """
    gone: list[Field] = []
    edits: list[Edit] = []
    segments = list(_segments(source))
    # The index of a multi-picture file (CIPA DC-007) counts bytes: there nothing may move.
    fixed = any(
        segment.marker == _APP2 and source.read(segment.body, 4) == b"MPF\0"
        for segment in segments
        if segment.end - segment.body >= 4
    )
    for segment in segments:
        data = _carrier(source, segment)
        if data is None:
            continue
        if segment.marker == _COM:
            field = Field("comment", decode(data))
            if not field.graphs():
                continue
            gone.append(field)
            blank, empty = b" " * len(data), True
        else:
            clean = exif.strip(data, source)
            if clean is None:
                continue
            gone += clean.removed
            blank, empty = clean.data, clean.empty
        if empty and not fixed:
            edits.append(Edit(segment.start, segment.end))
        else:
            edits.append(Edit(segment.body, segment.end, blank))
    return cut(gone, edits)


def _carrier(source: Source, segment: _Segment) -> bytes | None:
    """The body of a segment that may carry texts."""
    if segment.marker not in (_APP1, _COM):
        return None
    data = source.read(segment.body, segment.end - segment.body)
    return data if segment.marker == _COM or data.startswith(exif.PREFIX) else None


def _segments(source: Source) -> Iterator[_Segment]:
    """The segments before the first scan: all metadata is there."""
    start = 2
    while True:
        source.step()
        head = source.read(start, 2)
        marker = head[1]
        if head[0] != 0xFF:
            raise InputError(f"damaged: no JPEG segment at byte {start}")
        if marker == 0xFF:  # padding
            start += 1
            continue
        if marker in (_SCAN, _END):
            return
        if marker in _BARE:
            start += 2
            continue
        length = int.from_bytes(source.read(start + 2, 2), "big")
        end = start + 2 + length
        if length < 2:
            raise InputError(f"damaged: a JPEG segment of {length} bytes at byte {start}")
        if end > source.size:
            raise InputError(f"cut short: {end - source.size:,} bytes are missing")
        yield _Segment(marker, start, end)
        start = end
