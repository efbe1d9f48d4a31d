"""
FLAC: a metadata block of Vorbis comments (RFC 9639, section 8.6). `SaveAudio` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.documents.media.fields import Cut, Edit, Field, cut
from comfygraph.documents.media.source import Source
from comfygraph.documents.media.vorbis import Comments, parse_comments
from comfygraph.errors import InputError

_COMMENTS, _LAST = 4, 0x80


def read(source: Source) -> Iterator[Field]:
    """
    Give the comments.
    """
    for _, comments in _blocks(source):
        for _, _, field in comments.entries:
            yield field


def strip(source: Source) -> Cut:
    """
    Write the comments anew without the graphs.
    """
    gone: list[Field] = []
    edits: list[Edit] = []
    for start, comments in _blocks(source):
        doomed = [field for _, _, field in comments.entries if field.graphs()]
        if doomed:
            gone += doomed
            body = comments.without_graphs() + comments.data[comments.end :]
            edits.append(Edit(start + 1, start + 4, len(body).to_bytes(3, "big")))
            edits.append(Edit(start + 4, start + 4 + len(comments.data), body))
    return cut(gone, edits)


def _blocks(source: Source) -> Iterator[tuple[int, Comments]]:
    start = 4
    while True:
        source.step()
        head = source.read(start, 4)
        length = int.from_bytes(head[1:], "big")
        if start + 4 + length > source.size:
            missing = start + 4 + length - source.size
            raise InputError(f"cut short: {missing:,} bytes are missing")
        if head[0] & ~_LAST == _COMMENTS:
            yield start, parse_comments(source.read(start + 4, length), 0, source)
        if head[0] & _LAST:
            return
        start += 4 + length
