"""
Example media: the recorded files, and builders for what the recordings do not show.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path

from PIL import Image

RECORDED = Path(__file__).parent.parent / "data" / "media"

PROMPT = '{"1": {"class_type": "EmptyImage", "inputs": {"width": 64}, "is_changed": [NaN]}}'
WORKFLOW = '{"nodes": [{"id": 1, "type": "EmptyImage"}], "links": []}'
BOTH = f'{{"prompt": {PROMPT}, "workflow": {WORKFLOW}}}'

FORMATS = {
    "adv_00001.png": "png",
    "anim_00001_.webp": "webp",
    "apng_00001_.png": "png",
    "flac_00001.flac": "flac",
    "mp3_00001.mp3": "mp3",
    "opus_00001.opus": "ogg",
    "still_00001_.png": "png",
    "video_00001_.mp4": "mp4",
    "webm_00001_.webm": "webm",
}


def recorded(name: str) -> bytes:
    """
    Give a file as a save node of ComfyUI wrote it.
    """
    return (RECORDED / name).read_bytes()


def exif(*, software: bool = False, user_comment: bytes | None = None) -> Image.Exif:
    """
    Give EXIF as ComfyUI's WebP nodes write it, or with a `UserComment` instead.
    """
    out = Image.Exif()
    if user_comment is not None:
        out.get_ifd(0x8769)[0x9286] = user_comment
    else:
        out[0x010F] = f"workflow:{WORKFLOW}"
        out[0x0110] = f"prompt:{PROMPT}"
    if software:
        out[0x0131] = "a camera"
        out[0x0112] = 1
    return out


def picture(format: str, **params: object) -> bytes:
    """
    Save a small picture with Pillow.
    """
    image = Image.linear_gradient("L").resize((24, 16)).convert("RGB")
    out = io.BytesIO()
    image.save(out, format, **params)
    return out.getvalue()


def pixels(data: bytes) -> list[bytes]:
    """
    Decode all frames.
    """
    image = Image.open(io.BytesIO(data))
    frames = []
    for frame in range(getattr(image, "n_frames", 1)):
        image.seek(frame)
        frames.append(image.convert("RGBA").tobytes())
    return frames


def chunk(kind: bytes, body: bytes) -> bytes:
    """
    Give a chunk of a PNG.
    """
    sum_ = zlib.crc32(kind + body)
    return len(body).to_bytes(4, "big") + kind + body + sum_.to_bytes(4, "big")


def png(*chunks: bytes) -> bytes:
    """
    Give a PNG with these chunks before its pixels.
    """
    data = picture("PNG")
    at = 8 + 25  # after IHDR
    return data[:at] + b"".join(chunks) + data[at:]


def box(kind: bytes, *parts: bytes, wide: bool = False) -> bytes:
    """
    Give a box of an MP4, with a size of 64 bits where `wide`.
    """
    body = b"".join(parts)
    if wide:
        return b"\0\0\0\1" + kind + (16 + len(body)).to_bytes(8, "big") + body
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def handler(kind: bytes) -> bytes:
    """
    Give the `hdlr` box of a `meta` box.
    """
    return box(b"hdlr", bytes(8), kind, bytes(13))


def value(text: str) -> bytes:
    """
    Give the `data` box of an `ilst` item.
    """
    return box(b"data", b"\0\0\0\1", bytes(4), text.encode())


def keyed_meta(*items: tuple[str, str], full: bool = True) -> bytes:
    """
    Give a `meta` box with `keys`; not `full`, it has no version, as QuickTime writes it.
    """
    keys = b"".join(box(b"mdta", name.encode()) for name, _ in items)
    entries = b"".join(
        box(index.to_bytes(4, "big"), value(text)) for index, (_, text) in enumerate(items, 1)
    )
    return box(
        b"meta",
        bytes(4) if full else b"",
        handler(b"mdta"),
        box(b"keys", bytes(4), len(items).to_bytes(4, "big"), keys),
        box(b"ilst", entries),
    )


def mp4(*boxes: bytes) -> bytes:
    """
    Give a film without pictures.
    """
    return box(b"ftyp", b"isom", bytes(4), b"isom") + b"".join(boxes)


def element(id_: int, *parts: bytes, size: int | None = None, unknown: bool = False) -> bytes:
    """
    Give an EBML element.
    """
    body = b"".join(parts)
    head = id_.to_bytes((id_.bit_length() + 7) // 8, "big")
    if unknown:
        return head + b"\x01" + b"\xff" * 7 + body
    length = len(body) if size is None else size
    return head + b"\x01" + length.to_bytes(7, "big") + body


def simple_tag(name: str, text: str, *inner: bytes) -> bytes:
    """
    Give a `SimpleTag` of Matroska.
    """
    return element(0x67C8, element(0x45A3, name.encode()), element(0x4487, text.encode()), *inner)


def webm(*elements: bytes, unknown: bool = False) -> bytes:
    """
    Give a Matroska file of these elements in one segment.
    """
    header = element(0x1A45DFA3, element(0x4282, b"webm"))
    return header + element(0x18538067, *elements, unknown=unknown)


def id3(
    version: int,
    *frames: tuple[bytes, bytes],
    flags: int = 0,
    padding: int = 0,
    frame_flags: int = 0,
) -> bytes:
    """
    Give an ID3v2 tag of frames (name, content).
    """
    body = b""
    for name, content in frames:
        if version == 2:
            body += name + len(content).to_bytes(3, "big") + content
        else:
            size = syncsafe(len(content)) if version == 4 else len(content).to_bytes(4, "big")
            body += name + size + frame_flags.to_bytes(2, "big") + content
    body += bytes(padding)
    if version < 4 and flags & 0x80:
        body = body.replace(b"\xff", b"\xff\0")
    return b"ID3" + bytes([version, 0, flags]) + syncsafe(len(body)) + body


def syncsafe(number: int) -> bytes:
    """
    Write a number with seven bits a byte.
    """
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


SOUND = b"\xff\xfb\x90\x64" + bytes(413)
"""A frame of MP3."""


def comments(*items: tuple[str, str]) -> bytes:
    """
    Give a block of Vorbis comments.
    """
    out = (4).to_bytes(4, "little") + b"test" + len(items).to_bytes(4, "little")
    for name, text in items:
        entry = f"{name}={text}".encode()
        out += len(entry).to_bytes(4, "little") + entry
    return out


def ogg_page(serial: int, number: int, lacing: list[int], body: bytes, flags: int = 0) -> bytes:
    """
    Give a page of Ogg with its checksum, computed bit by bit.
    """
    head = b"OggS" + bytes([0, flags]) + bytes(8)
    head += serial.to_bytes(4, "little") + number.to_bytes(4, "little")
    tail = bytes([len(lacing), *lacing]) + body
    crc = slow_checksum(head + bytes(4) + tail)
    return head + crc.to_bytes(4, "little") + tail


def slow_checksum(data: bytes) -> int:
    """
    Compute the checksum of an Ogg page as RFC 3533 defines it.
    """
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
        crc &= 0xFFFFFFFF
    return crc


def ogg_packet_pages(serial: int, number: int, packet: bytes, more: bytes = b"") -> list[bytes]:
    """
    Lay a packet out on pages of at most four segments; a second, short packet may follow on the
    last page.
    """
    lacing = [255] * (len(packet) // 255) + [len(packet) % 255]
    if more:
        lacing.append(len(more))
    body = packet + more
    pages = []
    while lacing:
        now, lacing = lacing[:4], lacing[4:]
        pages.append(ogg_page(serial, number, now, body[: sum(now)], flags=1 if pages else 0))
        body = body[sum(now) :]
        number += 1
    return pages


def samples() -> dict[str, bytes]:
    """
    Give one file of every kind that carries a graph.
    """
    out = {name: recorded(name) for name in FORMATS}
    unicode_comment = b"UNICODE\0" + BOTH.encode("utf-16-be")
    out["jpeg"] = picture("JPEG", exif=exif())
    out["jpeg-camera"] = picture("JPEG", exif=exif(software=True))
    out["jpeg-comment"] = picture("JPEG", exif=exif(user_comment=unicode_comment))
    out["jpeg-com"] = picture("JPEG", comment=BOTH.encode())
    out["webp-still"] = picture("WEBP", exif=exif(), lossless=True)
    out["webp-camera"] = picture("WEBP", exif=exif(software=True), lossless=True)
    out["avif"] = picture("AVIF", exif=exif())
    out["avif-camera"] = picture("AVIF", exif=exif(software=True))
    out["png-exif"] = picture("PNG", exif=exif())
    packed = zlib.compress(PROMPT.encode())
    out["png-ztxt"] = png(chunk(b"zTXt", b"prompt\0\0" + packed))
    out["png-itxt"] = png(chunk(b"iTXt", b"prompt\0\1\0en\0Eingabe\0" + packed))
    out["png-itxt-plain"] = png(chunk(b"iTXt", b"workflow\0\0\0\0\0" + WORKFLOW.encode()))
    out["mp4-comment"] = mp4(
        box(b"mdat", b"pictures"),
        box(b"moov", box(b"udta", box(
            b"meta", bytes(4), handler(b"mdir"),
            box(b"ilst", box(b"\xa9nam", value("title")), box(b"\xa9cmt", value(BOTH))),
        ))),
    )  # fmt: skip
    out["mp4-own-name"] = mp4(
        box(b"moov", box(b"udta", box(
            b"meta", bytes(4), handler(b"mdir"),
            box(b"ilst", box(
                b"----", box(b"mean", bytes(4), b"com.example"),
                box(b"name", bytes(4), b"workflow"), value(WORKFLOW),
            )),
        ))),
        box(b"mdat", b"pictures", wide=True),
    )  # fmt: skip
    out["mov"] = mp4(
        box(b"moov", keyed_meta(("title", "t"), ("prompt", PROMPT), ("x", "y"), full=False)),
        box(b"mdat", b"pictures"),
    )
    quicktime = BOTH.encode()
    out["mov-comment"] = mp4(
        box(b"moov", box(b"udta", box(
            b"\xa9cmt", len(quicktime).to_bytes(2, "big"), b"\0\0", quicktime, wide=True,
        ))),
    )  # fmt: skip
    out["mkv-live"] = webm(
        element(0x1254C367, element(0x7373, simple_tag("PROMPT", PROMPT))),
        element(0x1F43B675, element(0xE7, b"\1"), element(0xA3, b"pictures"), unknown=True),
        element(0x1F43B675, element(0xE7, b"\2"), element(0xA3, b"pictures"), unknown=True),
        unknown=True,
    )
    private = (b"PRIV", b"like sound\0\xff\xe0\xff\0")
    plain = (b"TXXX", b"\x03prompt\0" + PROMPT.encode())
    wide = "workflow\0".encode("utf-16") + WORKFLOW.encode("utf-16")
    title = (b"TIT2", b"\x03title")
    out["mp3-2.2"] = id3(2, (b"TXX", b"\0prompt\0" + PROMPT.encode()), padding=20) + SOUND
    out["mp3-2.3"] = id3(3, (b"TXXX", b"\1" + wide), title, padding=10) + SOUND
    out["mp3-2.3-unsync"] = id3(3, title, private, plain, flags=0x80) + SOUND
    out["mp3-2.4-packed"] = id3(
        4, (b"TXXX", syncsafe(99) + zlib.compress(b"\3prompt\0" + PROMPT.encode())), title,
        frame_flags=0x09,
    ) + SOUND  # fmt: skip
    out["mp3-comment"] = id3(4, (b"COMM", b"\3eng\0" + BOTH.encode())) + SOUND
    block = comments(("prompt", PROMPT), ("ARTIST", "nobody"))
    setup = b"\x05vorbis setup"
    out["ogg-vorbis"] = b"".join(
        [
            ogg_page(7, 0, [20], b"\x01vorbis".ljust(20, b"\0"), flags=2),
            *ogg_packet_pages(7, 1, b"\x03vorbis" + block + b"\1" + bytes(1000), setup),
            ogg_page(7, 9, [5], b"sound", flags=4),
        ]
    )
    return out


def flac_in_ogg() -> bytes:
    """
    Give FLAC in Ogg, which can be read but not stripped.
    """
    block = comments(("prompt", PROMPT))
    return ogg_page(1, 0, [13], b"\x7fFLAC\1\0\0\1fLaC", flags=2) + b"".join(
        ogg_packet_pages(1, 1, b"\x84" + len(block).to_bytes(3, "big") + block)
    )
