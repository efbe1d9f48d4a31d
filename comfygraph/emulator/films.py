"""
Placeholder films: pictures one after the other, MJPEG in an MP4 (ISO 14496-12) or a Matroska
file, written without any codec.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TypeAlias

Notes: TypeAlias = Mapping[str, str]
"""What a file carries beside its content: name → JSON text."""


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _tags(notes: Notes) -> bytes:
    # QuickTime's keyed metadata, as ffmpeg writes it with `use_metadata_tags`.
    names = [_box(b"mdta", name.encode()) for name in notes]
    values = [
        _box(place.to_bytes(4, "big"), _box(b"data", struct.pack(">II", 1, 0), text.encode()))
        for place, text in enumerate(notes.values(), 1)
    ]
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    keys = _box(b"keys", struct.pack(">II", 0, len(names)), *names)
    return _box(b"meta", bytes(4), handler, keys, _box(b"ilst", *values))


def mp4(frames: list[bytes], width: int, height: int, fps: float, notes: Notes) -> bytes:
    """
    Put JPEG pictures into an MP4.

    Args:
        frames: JPEG files of the same size, at least one.
        width: Pixels.
        height: Pixels.
        fps: Frames a second, above 0.
        notes: Name → text, kept as metadata.
    """
    head = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2mp41")
    scale, step = 90000, max(1, int(90000 / fps))
    length = step * len(frames)

    def movie(offset: int) -> bytes:
        entry = _box(
            b"jpeg",
            bytes(6) + struct.pack(">H", 1) + bytes(16),
            struct.pack(">HHIII", width, height, 0x480000, 0x480000, 0),
            struct.pack(">H", 1) + bytes(32) + struct.pack(">Hh", 24, -1),
        )
        table = _box(
            b"stbl",
            _box(b"stsd", struct.pack(">II", 0, 1), entry),
            _box(b"stts", struct.pack(">IIII", 0, 1, len(frames), step)),
            _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, len(frames), 1)),
            _box(
                b"stsz",
                struct.pack(">III", 0, 0, len(frames)),
                b"".join(struct.pack(">I", len(frame)) for frame in frames),
            ),
            _box(b"stco", struct.pack(">III", 0, 1, offset)),
        )
        reference = _box(b"dref", struct.pack(">II", 0, 1), _box(b"url ", struct.pack(">I", 1)))
        media = _box(
            b"mdia",
            _box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, scale, length, 0x55C4, 0)),
            _box(b"hdlr", bytes(8) + b"vide" + bytes(12) + b"VideoHandler\0"),
            _box(
                b"minf",
                _box(b"vmhd", struct.pack(">I", 1) + bytes(8)),
                _box(b"dinf", reference),
                table,
            ),
        )
        track = struct.pack(">IIIIII", 3, 0, 0, 1, 0, length) + bytes(16) + _MATRIX
        return _box(
            b"moov",
            _box(
                b"mvhd",
                struct.pack(">IIIIIIH", 0, 0, 0, scale, length, 0x10000, 0x100) + bytes(10),
                _MATRIX + bytes(24) + struct.pack(">I", 2),
            ),
            _box(
                b"trak",
                _box(b"tkhd", track, struct.pack(">II", width << 16, height << 16)),
                media,
            ),
            _tags(notes),
        )

    offset = len(head) + len(movie(0)) + 8
    return head + movie(offset) + _box(b"mdat", *frames)


def _element(identity: int, body: bytes) -> bytes:
    name = identity.to_bytes((identity.bit_length() + 7) // 8, "big")
    return name + (len(body) | 1 << 56).to_bytes(8, "big") + body


def _number(identity: int, value: int) -> bytes:
    return _element(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def webm(frames: list[bytes], width: int, height: int, fps: float, notes: Notes) -> bytes:
    """
    Put JPEG pictures into a Matroska file. Strictly WebM knows no MJPEG; most players do.

    Args:
        frames: JPEG files of the same size, at least one.
        width: Pixels.
        height: Pixels.
        fps: Frames a second, above 0.
        notes: Name → text, kept as tags; Matroska writes their names in capitals.
    """
    head = _element(0x1A45DFA3, _element(0x4282, b"matroska") + _number(0x4287, 4))
    info = _element(0x1549A966, _number(0x2AD7B1, 1_000_000) + _element(0x4D80, b"comfygraph"))
    video = _element(0xE0, _number(0xB0, width) + _number(0xBA, height))
    entry = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1)
    tracks = _element(0x1654AE6B, _element(0xAE, entry + _element(0x86, b"V_MJPEG") + video))
    tags = [
        _element(0x67C8, _element(0x45A3, name.upper().encode()) + _element(0x4487, text.encode()))
        for name, text in notes.items()
    ]
    tracks += _element(0x1254C367, _element(0x7373, _element(0x63C0, b"") + b"".join(tags)))
    clusters = []
    for number, frame in enumerate(frames):
        moment = int(number * 1000 / fps)
        block = _element(0xA3, b"\x81" + struct.pack(">hB", 0, 0x80) + frame)
        clusters.append(_element(0x1F43B675, _number(0xE7, moment) + block))
    return head + _element(0x18538067, info + tracks + b"".join(clusters))
