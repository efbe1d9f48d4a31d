"""
Placeholder sounds and films: small files that players open, written without any codec.

A sound is silence: WAV by the standard library, FLAC with constant subframes (RFC 9639), MP3
with empty frames (ISO 11172-3). A film is MJPEG in an MP4 (ISO 14496-12) or Matroska file.
"""

from __future__ import annotations

import struct
import wave
from io import BytesIO

_RATE = 44100


def wav(seconds: float) -> bytes:
    """
    Give silence as a mono WAV of 16 bits at 44.1 kHz.
    """
    out = BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(bytes(2 * int(seconds * _RATE)))
    return out.getvalue()


def flac(seconds: float) -> bytes:
    """
    Give silence as a mono FLAC of 16 bits at 44.1 kHz, a few bytes for every 4096 samples.
    """
    block = 4096
    blocks = max(1, int(seconds * _RATE) // block)
    info = struct.pack(">HH", block, block) + bytes(6)
    info += ((_RATE << 44) | (15 << 36) | (blocks * block)).to_bytes(8, "big") + bytes(16)
    frames = [b"fLaC", b"\x80" + len(info).to_bytes(3, "big"), info]
    for number in range(blocks):
        # Block size 4096 (0b1100), 44.1 kHz (0b1001), mono, 16 bits a sample (0b100).
        head = b"\xff\xf8\xc9\x08" + _utf8_number(number)
        head += bytes([_crc(head, 0x07, 8)])
        frame = head + b"\x00" + b"\x00\x00"
        frames.append(frame + _crc(frame, 0x8005, 16).to_bytes(2, "big"))
    return b"".join(frames)


def _utf8_number(number: int) -> bytes:
    return chr(number).encode("utf-8") if number < 0xD800 else b"\x00"


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    top, mask, value = 1 << (bits - 1), (1 << bits) - 1, 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = ((value << 1) ^ polynomial if value & top else value << 1) & mask
    return value


def mp3(seconds: float) -> bytes:
    """
    Give silence as MPEG-1 layer III, mono, 128 kbit/s at 44.1 kHz: frames without any sound.
    """
    frame = b"\xff\xfb\x90\xc4" + bytes(413)
    return frame * max(1, int(seconds * _RATE / 1152))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def mp4(frames: list[bytes], width: int, height: int, fps: float) -> bytes:
    """
    Put JPEG pictures into an MP4.

    Args:
        frames: JPEG files of the same size, at least one.
        width: Pixels.
        height: Pixels.
        fps: Frames a second, above 0.
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
        )

    offset = len(head) + len(movie(0)) + 8
    return head + movie(offset) + _box(b"mdat", *frames)


def _element(identity: int, body: bytes) -> bytes:
    name = identity.to_bytes((identity.bit_length() + 7) // 8, "big")
    return name + (len(body) | 1 << 56).to_bytes(8, "big") + body


def _number(identity: int, value: int) -> bytes:
    return _element(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def webm(frames: list[bytes], width: int, height: int, fps: float) -> bytes:
    """
    Put JPEG pictures into a Matroska file. Strictly WebM knows no MJPEG; most players do.

    Args:
        frames: JPEG files of the same size, at least one.
        width: Pixels.
        height: Pixels.
        fps: Frames a second, above 0.
    """
    head = _element(0x1A45DFA3, _element(0x4282, b"matroska") + _number(0x4287, 4))
    info = _element(0x1549A966, _number(0x2AD7B1, 1_000_000) + _element(0x4D80, b"comfygraph"))
    video = _element(0xE0, _number(0xB0, width) + _number(0xBA, height))
    entry = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1)
    tracks = _element(0x1654AE6B, _element(0xAE, entry + _element(0x86, b"V_MJPEG") + video))
    clusters = []
    for number, frame in enumerate(frames):
        moment = int(number * 1000 / fps)
        block = _element(0xA3, b"\x81" + struct.pack(">hB", 0, 0x80) + frame)
        clusters.append(_element(0x1F43B675, _number(0xE7, moment) + block))
    return head + _element(0x18538067, info + tracks + b"".join(clusters))
