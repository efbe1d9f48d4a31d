"""
Placeholder sounds: silence, written without any codec.

FLAC with constant subframes (RFC 9639); MP3 with empty frames
(ISO 11172-3); Opus with packets of no sound (RFC 6716, RFC 7845). The graph is in their tags,
as ComfyUI's own nodes have it (`comfy_extras/nodes_audio.py`).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TypeAlias

Notes: TypeAlias = Mapping[str, str]
"""What a file carries beside its content: name → JSON text."""

_RATE = 44100
_VENDOR = b"comfygraph"


def flac(seconds: float, notes: Notes) -> bytes:
    """
    Give silence as a mono FLAC of 16 bits at 44.1 kHz, a few bytes for every 4096 samples.

    Args:
        seconds: How long, 0 to a few minutes.
        notes: Kept as Vorbis comments.
    """
    block = 4096
    blocks = max(1, int(seconds * _RATE) // block)
    info = struct.pack(">HH", block, block) + bytes(6)
    info += ((_RATE << 44) | (15 << 36) | (blocks * block)).to_bytes(8, "big") + bytes(16)
    comments = _comments(notes)
    frames = [b"fLaC", b"\0" + len(info).to_bytes(3, "big"), info]
    frames += [b"\x84" + len(comments).to_bytes(3, "big"), comments]
    for number in range(blocks):
        # Block size 4096 (0b1100), 44.1 kHz (0b1001), mono, 16 bits a sample (0b100).
        head = b"\xff\xf8\xc9\x08" + chr(number).encode("utf-8")
        head += bytes([_crc(head, 0x07, 8)])
        frame = head + b"\0\0\0"
        frames.append(frame + _crc(frame, 0x8005, 16).to_bytes(2, "big"))
    return b"".join(frames)


def _comments(notes: Notes) -> bytes:
    parts = [struct.pack("<I", len(_VENDOR)), _VENDOR, struct.pack("<I", len(notes))]
    for name, text in notes.items():
        comment = f"{name}={text}".encode()
        parts += [struct.pack("<I", len(comment)), comment]
    return b"".join(parts)


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    top, mask, value = 1 << (bits - 1), (1 << bits) - 1, 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = ((value << 1) ^ polynomial if value & top else value << 1) & mask
    return value


def mp3(seconds: float, notes: Notes) -> bytes:
    """
    Give silence as MPEG-1 layer III, mono, 128 kbit/s at 44.1 kHz: frames without any sound.

    Args:
        seconds: How long.
        notes: Kept as `TXXX` frames of an ID3v2.4 tag.
    """
    body = b""
    for name, text in notes.items():
        content = b"\3" + name.encode() + b"\0" + text.encode()
        body += b"TXXX" + _syncsafe(len(content)) + b"\0\0" + content
    frame = b"\xff\xfb\x90\xc4" + bytes(413)
    sound = frame * max(1, int(seconds * _RATE / 1152))
    return b"ID3\4\0\0" + _syncsafe(len(body)) + body + sound


def _syncsafe(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def opus(seconds: float, notes: Notes) -> bytes:
    """
    Give silence as mono Opus in Ogg, 50 packets a second.

    Args:
        seconds: How long.
        notes: Kept as comments.
    """
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48000, 0, 0)
    packets = max(1, int(seconds * 50))
    pages = [_page([head], 0, 0, 2), *_paged(b"OpusTags" + _comments(notes))]
    first = len(pages)
    for place in range(0, packets, 250):
        some = min(250, packets - place)
        last = place + some >= packets
        # CELT, 20 ms, mono, code 0: two bytes that decode to nothing.
        sound = [b"\xf8\xff\xfe"] * some
        number = first + place // 250
        pages.append(_page(sound, (place + some) * 960, number, 4 if last else 0))
    return b"".join(pages)


def _paged(packet: bytes) -> list[bytes]:
    """Lay one packet over as many pages as it needs."""
    size = 255 * 255
    if len(packet) < size:
        return [_page([packet], 0, 1, 0)]
    pages = []
    for place in range(0, len(packet) + 1, size):
        part = packet[place : place + size]
        pages.append(_page([part], 0, 1 + place // size, 1 if place else 0, whole=False))
    return pages


def _page(
    packets: list[bytes], position: int, number: int, flags: int, *, whole: bool = True
) -> bytes:
    lacing = b""
    for packet in packets:
        full, rest = divmod(len(packet), 255)
        lacing += b"\xff" * full + (bytes([rest]) if whole or rest or full < 255 else b"")
    head = b"OggS" + struct.pack("<BBqIII", 0, flags, position, 1, number, 0)
    page = head + bytes([len(lacing)]) + lacing + b"".join(packets)
    return page[:22] + _crc(page, 0x04C11DB7, 32).to_bytes(4, "little") + page[26:]
