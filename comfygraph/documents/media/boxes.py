"""
Boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2), which AVIF and MP4 share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from comfygraph.documents.media.source import Source
from comfygraph.errors import InputError


@dataclass(frozen=True, slots=True)
class Box:
    """
    A box: `start` is that of its header, `body` what follows the header.
    """

    type: bytes
    start: int
    body: int
    end: int


def boxes(source: Source, start: int, end: int) -> Iterator[Box]:
    """
    Give the boxes between two places, without a look into them.

    Raises:
        InputError: A box is smaller than its header or larger than what is around it.
    """
    while start + 8 <= end:
        source.step()
        head = source.read(start, 8)
        size, body = int.from_bytes(head[:4], "big"), start + 8
        if size == 1:
            size, body = int.from_bytes(source.read(body, 8), "big"), body + 8
        after = start + size if size else end  # 0: up to the end
        if after < body:
            raise InputError(f"damaged: a box of {size} bytes at byte {start}")
        if after > end:
            where = "in the file" if end == source.size else "in the box around it"
            raise InputError(
                f"cut short or damaged: the box at byte {start} lacks {after - end:,} bytes {where}"
            )
        yield Box(head[4:], start, body, after)
        start = after


def pack(kind: bytes, body: bytes) -> bytes:
    """
    Give the bytes of a box.
    """
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def meta_children(source: Source, meta: Box) -> int:
    """
    Say where the boxes in a `meta` box begin: QuickTime's has no version before them.
    """
    return meta.body if source.peek(meta.body + 4, 4) == b"hdlr" else meta.body + 4
