"""
PNG and APNG: text chunks (`tEXt`, `zTXt`, `iTXt`), ComfyUI's own `comf`, and `eXIf`.

`SaveImage` writes `tEXt` (nodes.py), `SaveAnimatedPNG` writes `comf` chunks after the pixels
(comfy_extras/nodes_images.py), both as `keyword NUL text`. Chunks: PNG specification, 5.3.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from comfygraph.documents.media import exif
from comfygraph.documents.media.fields import Cut, Edit, Field, cut, decode, may_hold_graph
from comfygraph.documents.media.source import Source
from comfygraph.errors import InputError

_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt", b"comf"})
_KEYWORD = 80  # PNG specification, 11.3.3.2: 1 to 79 bytes, and the NUL


@dataclass(frozen=True, slots=True)
class _Chunk:
    type: bytes
    start: int
    end: int

    @property
    def body(self) -> int:
        return self.start + 8

    @property
    def length(self) -> int:
        return self.end - self.start - 12


def read(source: Source) -> Iterator[Field]:
    """
    Give the texts of the text chunks, and of EXIF.
    """
    for chunk in _chunks(source):
        if chunk.type in _TEXTS:
            yield _text(source, chunk)
        elif chunk.type == b"eXIf":
            yield from exif.read(source.read(chunk.body, chunk.length), source)


def strip(source: Source) -> Cut:
    """
    Drop the chunks that carry a graph.
    """
    gone: list[Field] = []
    edits: list[Edit] = []
    for chunk in _chunks(source):
        if chunk.type in _TEXTS:
            field = _text(source, chunk)
            if field.graphs():
                gone.append(field)
                edits.append(Edit(chunk.start, chunk.end))
        elif chunk.type == b"eXIf":
            body = source.read(chunk.body, chunk.length)
            clean = exif.strip(body, source)
            if clean is not None:
                gone += clean.removed
                edits.append(Edit(chunk.start, chunk.end, _exif_chunk(clean)))
    return cut(gone, edits)


def _exif_chunk(clean: exif.Clean) -> bytes:
    if clean.empty:
        return b""
    typed = b"eXIf" + clean.data
    return len(clean.data).to_bytes(4, "big") + typed + zlib.crc32(typed).to_bytes(4, "big")


def _chunks(source: Source) -> Iterator[_Chunk]:
    start = 8
    while True:
        source.step()
        head = source.read(start, 8)
        end = start + 12 + int.from_bytes(head[:4], "big")
        if end > source.size:
            raise InputError(f"cut short: {end - source.size:,} bytes are missing")
        yield _Chunk(head[4:], start, end)
        if head[4:] == b"IEND":
            return
        start = end


def _text(source: Source, chunk: _Chunk) -> Field:
    head = source.read(chunk.body, min(chunk.length, _KEYWORD))
    keyword, nul, _ = head.partition(b"\0")
    name = decode(keyword)
    if not nul or not may_hold_graph(name):
        return Field(name)
    data = source.read(chunk.body, chunk.length)[len(keyword) + 1 :]
    if chunk.type == b"zTXt":  # compression method, 0 is zlib
        data = source.inflate(data[1:])
    elif chunk.type == b"iTXt":  # compression flag and method, language, translated keyword
        packed = data[:1] == b"\1"
        data = data[2:].partition(b"\0")[2].partition(b"\0")[2]
        if packed:
            data = source.inflate(data)
    return Field(name, decode(data))
