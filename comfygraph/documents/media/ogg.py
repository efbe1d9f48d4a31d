"""
Ogg: the second packet of a stream holds Vorbis comments (RFC 3533; RFC 7845 for Opus).

`SaveAudioOpus` writes it. Pages carry checksums, and a number that counts up: with the packet
as long as before, only the pages that it stands on change.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from comfygraph.documents.json_text import MAX_BYTES
from comfygraph.documents.media.fields import Cut, Edit, Field, cut
from comfygraph.documents.media.source import Source
from comfygraph.documents.media.vorbis import Comments, parse_comments
from comfygraph.errors import InputError

# How the first packet begins → what stands before the comments in the second.
_CODECS = {
    b"OpusHead": b"OpusTags",
    b"\x01vorbis": b"\x03vorbis",
    b"\x80theora": b"\x81theora",
    b"Speex   ": b"",
    b"\x7fFLAC": b"\x84",
}
_FLAC_HEAD = 4  # type and length of a metadata block
_FIRST_PAGE = 0x02
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class _Page:
    start: int
    serial: int
    first: bool
    lacing: bytes
    body: int
    end: int


@dataclass(slots=True)
class _Stream:
    """What is known of a stream: its codec, and its second packet as far as it was seen."""

    codec: bytes
    pieces: list[tuple[_Page, int]] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Packet:
    codec: bytes
    comments: Comments
    pieces: tuple[tuple[_Page, int], ...]


def read(source: Source) -> Iterator[Field]:
    """
    Give the comments of all streams.
    """
    for packet in _packets(source):
        for _, _, entry in packet.comments.entries:
            yield entry


def strip(source: Source) -> Cut:
    """
    Write the comments anew without the graphs, and zeros after them.

    Raises:
        InputError: The stream is FLAC in Ogg, where there is no room for zeros.
    """
    gone: list[Field] = []
    edits: list[Edit] = []
    for packet in _packets(source):
        comments = packet.comments
        doomed = [entry for _, _, entry in comments.entries if entry.graphs()]
        if not doomed:
            continue
        if packet.codec == b"\x7fFLAC":
            raise InputError(
                "FLAC in Ogg cannot be stripped without renumbering its pages",
                hint="unpack it first: `ffmpeg -i FILE -c copy -map_metadata -1 OUT.flac`",
            )
        gone += doomed
        start = comments.vendor[0]
        data = comments.data[:start] + comments.without_graphs() + comments.data[comments.end :]
        data = data.ljust(len(comments.data), b"\0")
        for page, length in packet.pieces:
            edits.append(_page_with(source, page, data[:length]))
            data = data[length:]
    return cut(gone, edits)


def _packets(source: Source) -> Iterator[_Packet]:
    streams: dict[int, _Stream] = {}
    pending = 0
    for page in _pages(source):
        if page.first:
            head = source.peek(page.body, min(8, page.end - page.body))
            codec = next((name for name in _CODECS if head.startswith(name)), None)
            if codec is not None and page.serial not in streams:
                streams[page.serial] = _Stream(codec)
                pending += 1
        elif page.serial in streams:
            stream = streams[page.serial]
            length, complete = _leading(page.lacing)
            stream.pieces.append((page, length))
            stream.size += length
            if stream.size > MAX_BYTES:
                raise InputError(f"more than {MAX_BYTES >> 20} MB of comments")
            if complete:
                yield _packet(source, stream)
                del streams[page.serial]
                pending -= 1
        if not pending and not page.first:
            return
    if pending:
        raise InputError("cut short: the comments are missing")


def _packet(source: Source, stream: _Stream) -> _Packet:
    data = b"".join(source.read(page.body, length) for page, length in stream.pieces)
    mark = _CODECS[stream.codec]
    if stream.codec == b"\x7fFLAC":
        # The block may be the last one, or padding and pictures may follow.
        known, start = data[:1] in (b"\x04", mark), _FLAC_HEAD
    else:
        known, start = data.startswith(mark), len(mark)
    comments = (
        parse_comments(data, start, source) if known else Comments(data, (0, 0), (), len(data))
    )
    return _Packet(stream.codec, comments, tuple(stream.pieces))


def _leading(lacing: bytes) -> tuple[int, bool]:
    """Length of the packet that begins or goes on at the start of a page, and whether it ends."""
    length = 0
    for value in lacing:
        length += value
        if value < 255:
            return length, True
    return length, False


def _pages(source: Source) -> Iterator[_Page]:
    start = 0
    while start < source.size:
        source.step()
        head = source.read(start, 27)
        if head[:4] != b"OggS":
            raise InputError(f"damaged: no Ogg page at byte {start}")
        lacing = source.read(start + 27, head[26])
        body = start + 27 + len(lacing)
        end = body + sum(lacing)
        if end > source.size:
            raise InputError(f"cut short: {end - source.size:,} bytes are missing")
        serial = int.from_bytes(head[14:18], "little")
        yield _Page(start, serial, bool(head[5] & _FIRST_PAGE), lacing, body, end)
        start = end


def _page_with(source: Source, page: _Page, data: bytes) -> Edit:
    old = source.read(page.start, page.end - page.start)
    at = page.body - page.start
    new = old[:22] + bytes(4) + old[26:at] + data + old[at + len(data) :]
    return Edit(page.start, page.end, new[:22] + checksum(new).to_bytes(4, "little") + new[26:])


def checksum(page: bytes) -> int:
    """
    Give the checksum of a page whose own checksum is zero: CRC-32 with its bits the other way
    round, and nothing inverted (RFC 3533, section 6).
    """
    mirrored = zlib.crc32(page.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRROR), "big")
