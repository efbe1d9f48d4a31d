"""
Vorbis comments, which FLAC, Vorbis and Opus share (Vorbis I specification, section 5).
"""

from __future__ import annotations

from dataclasses import dataclass

from comfygraph.documents.media.fields import Field, decode, may_hold_graph
from comfygraph.documents.media.source import Cursor, Source

_MOST_NAME = 256


@dataclass(frozen=True, slots=True)
class Comments:
    """
    A block of comments.

    Args:
        data: The bytes that it stands in.
        vendor: Where the vendor's text and its length begin and end.
        entries: Start, end and field of each comment, its length included.
        end: Where it ends; what follows is padding, and Vorbis' framing bit.
    """

    data: bytes
    vendor: tuple[int, int]
    entries: tuple[tuple[int, int, Field], ...]
    end: int

    def without_graphs(self) -> bytes:
        """
        Give the block again, shorter, up to its `end`.
        """
        kept = [self.data[start:end] for start, end, field in self.entries if not field.graphs()]
        start, end = self.vendor
        return self.data[start:end] + len(kept).to_bytes(4, "little") + b"".join(kept)


def parse_comments(data: bytes, start: int, source: Source) -> Comments:
    """
    Read comments.

    Args:
        data: Bytes that the comments stand in.
        start: Where they begin.
        source: Whose budget is spent.

    Raises:
        InputError: They are cut short.
    """
    cursor = Cursor(data, start)
    cursor.skip(cursor.little(4))
    vendor = (start, cursor.at)
    entries: list[tuple[int, int, Field]] = []
    for _ in range(cursor.little(4)):
        source.step()
        begin = cursor.at
        cursor.skip(cursor.little(4))
        equals = data.find(b"=", begin + 4, min(cursor.at, begin + 4 + _MOST_NAME))
        name = decode(data[begin + 4 : equals]) if equals >= 0 else ""
        text = decode(data[equals + 1 : cursor.at]) if may_hold_graph(name) else None
        entries.append((begin, cursor.at, Field(name, text)))
    return Comments(data, vendor, tuple(entries), cursor.at)
