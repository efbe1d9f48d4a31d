"""
MP3: `TXXX` frames of ID3v2 (id3.org, versions 2.2 to 2.4). `SaveAudioMP3` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from comfygraph.documents.media.fields import Cut, Edit, Field, cut, decode, may_hold_graph
from comfygraph.documents.media.source import Source
from comfygraph.errors import InputError

_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_COMPRESSED = 0x40  # of version 2.2, which never said how
_TEXT_FRAMES = {b"TXXX": 0, b"TXX": 0, b"COMM": 3, b"COM": 3}  # bytes of language before the name
_LIKE_SOUND = re.compile(rb"\xff(?=[\x00\xe0-\xff]|\Z)")
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


@dataclass(frozen=True, slots=True)
class _Frame:
    start: int
    end: int
    field: Field | None


@dataclass(frozen=True, slots=True)
class _Tag:
    """
    An ID3v2 tag of the file; `body` is without its header and extended header, `frames` are
    places in it.
    """

    start: int
    end: int
    head: bytes
    body: bytes
    frames: tuple[_Frame, ...]


def read(source: Source) -> Iterator[Field]:
    """
    Give the texts that have a name, and the comments.
    """
    for tag in _tags(source):
        for frame in tag.frames:
            if frame.field is not None:
                yield frame.field


def strip(source: Source) -> Cut:
    """
    Write the tag anew without the graphs, or drop it where nothing else is in it.
    """
    gone: list[Field] = []
    edits: list[Edit] = []
    for tag in _tags(source):
        doomed = [frame for frame in tag.frames if frame.field and frame.field.graphs()]
        if doomed:
            gone += [frame.field for frame in doomed if frame.field]
            edits.append(Edit(tag.start, tag.end, _without(tag, doomed)))
    return cut(gone, edits)


def _without(tag: _Tag, doomed: list[_Frame]) -> bytes:
    if len(doomed) == len(tag.frames):
        return b""
    # The extended header is left out: it may hold a checksum.
    version, flags = tag.head[3], tag.head[5] & ~_EXTENDED
    ends = [0, *(frame.end for frame in doomed)]
    starts = [*(frame.start for frame in doomed), len(tag.body)]
    data = b"".join(tag.body[end:start] for end, start in zip(ends, starts, strict=True))
    if flags & _UNSYNCHRONISED and version < 4:
        data = _unsynchronise(data)
    head = tag.head[:5] + bytes([flags]) + _safe_bytes(len(data))
    return head + data + (b"3DI" + head[3:] if version == 4 and flags & _FOOTER else b"")


def _tags(source: Source) -> Iterator[_Tag]:
    start = 0
    while True:
        source.step()
        head = source.peek(start, 10)
        if len(head) < 10 or head[:3] != b"ID3" or head[3] not in (2, 3, 4):
            return
        size = _safe_number(head[6:])
        version, flags = head[3], head[5]
        data = source.read(start + 10, size)
        end = start + 10 + size + (10 if version == 4 and flags & _FOOTER else 0)
        if end > source.size:
            raise InputError(f"cut short: {end - source.size:,} bytes are missing")
        if flags & _UNSYNCHRONISED and version < 4:
            data = data.replace(b"\xff\0", b"\xff")
        if flags & _EXTENDED and version > 2:
            # Version 2.3 does not count the four bytes of the size, 2.4 does.
            extended = data[:4]
            data = data[
                4 + int.from_bytes(extended, "big") if version == 3 else _safe_number(extended) :
            ]
        readable = version > 2 or not flags & _COMPRESSED
        frames = tuple(_frames(data, version, flags, source)) if readable else ()
        yield _Tag(start, end, head, data, frames)
        start = end


def _frames(data: bytes, version: int, flags: int, source: Source) -> Iterator[_Frame]:
    head = 6 if version == 2 else 10
    start = 0
    while start + head <= len(data) and data[start]:  # zero: padding
        source.step()
        if version == 2:
            name, size, kind = data[start : start + 3], data[start + 3 : start + 6], b"\0\0"
        else:
            name, size = data[start : start + 4], data[start + 4 : start + 8]
            kind = data[start + 8 : start + 10]
        # Some programs write plain sizes in version 2.4 as well.
        plain = version < 4 or max(size) > 0x7F
        length = int.from_bytes(size, "big") if plain else _safe_number(size)
        end = start + head + length
        if end > len(data):
            raise InputError(f"damaged: an ID3 frame lacks {end - len(data):,} bytes")
        field = None
        if name in _TEXT_FRAMES:
            source.spend(length)
            body = _content(data[start + head : end], version, kind[1], flags, source)
            field = _field(name, body) if body is not None else None
        yield _Frame(start, end, field)
        start = end


def _content(data: bytes, version: int, kind: int, flags: int, source: Source) -> bytes | None:
    """The content of a frame, unpacked; `None` where it is encrypted."""
    if version == 3:
        packed, encrypted, grouped, mixed = kind & 0x80, kind & 0x40, kind & 0x20, 0
        extra = 4 if packed else 0
    else:
        packed, encrypted, grouped = kind & 0x08, kind & 0x04, kind & 0x40
        extra = 4 if kind & 0x01 else 0
        mixed = kind & 0x02 or flags & _UNSYNCHRONISED if version == 4 else 0
    if encrypted:
        return None
    if mixed:
        data = data.replace(b"\xff\0", b"\xff")
    data = data[extra + (1 if grouped else 0) :]
    return source.inflate(data) if packed else data


def _field(name: bytes, body: bytes) -> Field | None:
    encoding = _ENCODINGS[body[0]] if body and body[0] < len(_ENCODINGS) else None
    if encoding is None:
        return None
    rest = body[1 + _TEXT_FRAMES[name] :]
    wide = encoding.startswith("utf-16")
    end = _terminator(rest, 2 if wide else 1)
    label = rest[:end].decode(encoding, "replace")
    if name in (b"COMM", b"COM"):
        label = label if may_hold_graph(label) else "comment"
    if not may_hold_graph(label):
        return Field(label)
    value = rest[end + (2 if wide else 1) :]
    text = value.decode(encoding, "replace") if wide else decode(value)
    return Field(label, text)


def _terminator(data: bytes, width: int) -> int:
    at = data.find(bytes(width))
    while at >= 0 and at % width:
        at = data.find(bytes(width), at + 1)
    return at if at >= 0 else len(data)


def _safe_number(data: bytes) -> int:
    """Seven bits a byte, so that no byte looks like the start of sound."""
    if any(byte > 0x7F for byte in data):
        raise InputError("damaged: no size of an ID3 tag")
    value = 0
    for byte in data:
        value = value << 7 | byte
    return value


def _safe_bytes(value: int) -> bytes:
    return bytes((value >> shift) & 0x7F for shift in (21, 14, 7, 0))


def _unsynchronise(data: bytes) -> bytes:
    """Put a zero after each 0xFF that a zero or three bits follow (ID3v2.3, section 5)."""
    return _LIKE_SOUND.sub(b"\xff\0", data)
