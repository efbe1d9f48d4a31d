"""
Which container format a file has, told by its first bytes and never by its name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from comfygraph.errors import InputError

if TYPE_CHECKING:
    from comfygraph.documents.media.fields import Container

LABELS = {
    "png": "PNG",
    "webp": "WebP",
    "jpeg": "JPEG",
    "avif": "AVIF",
    "flac": "FLAC",
    "ogg": "Ogg",
    "mp3": "MP3",
    "mp4": "MP4",
    "webm": "Matroska",
}
"""The formats, as people spell them. The module of the same name reads each."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"\x1a\x45\xdf\xa3", "webm"),
)
_PICTURE_BRANDS = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"mif2", b"msf1"}
)
_FILM_BOXES = frozenset({b"moov", b"mdat", b"wide"})  # QuickTime files before `ftyp` was there


def sniff(head: bytes) -> str | None:
    """
    Name the container format of a file by its first bytes, 12 at least; `None` if it is none.
    """
    for magic, container in _MAGIC:
        if head.startswith(magic):
            return container
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    # The first box is a small one, so a zero comes first, which text with a mark never has.
    if head[:1] == b"\0" and head[4:8] == b"ftyp":
        return "avif" if head[8:12] in _PICTURE_BRANDS else "mp4"
    if head[:1] == b"\0" and head[4:8] in _FILM_BOXES:
        return "mp4"
    # The start of a frame of sound: eleven bits, then a version and a layer that exist, which
    # no mark of UTF-16 is (ISO/IEC 11172-3, 2.4.2.3).
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08:
        return "mp3"
    return None


def container_of(head: bytes) -> str:
    """
    Name the container format.

    Raises:
        InputError: It is none that we know.
    """
    container = sniff(head)
    if container is None:
        known = ", ".join(LABELS.values())
        raise InputError("no image, sound or film that can carry a graph", hint=f"known: {known}")
    return container


def module_of(container: str) -> Container:
    """
    Give the module that reads a format.
    """
    return cast("Container", import_module(f"comfygraph.documents.media.{container}"))
