"""
File names that a service gave, made safe: they are data from outside and never paths.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 180
"""Bytes of UTF-8 in a name; file systems take 255, the rest is room for counters and suffixes."""

_SEPARATORS = re.compile(r"[/\\]")
_FORBIDDEN = re.compile(r'[<>:"|?*]')
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file, plus the two console devices
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])\s*(?:\.|$)", re.I)
_COUNTER = re.compile(r"(.*_)([0-9]{5,12})_", re.DOTALL)
_DRIVE = re.compile(r"^[A-Za-z]:")

_ENDINGS = {
    "image/png": ".png",
    "image/apng": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/svg+xml": ".svg",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "audio/mpeg": ".mp3",
    "audio/flac": ".flac",
    "audio/x-flac": ".flac",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "model/gltf-binary": ".glb",
    "application/json": ".json",
    "text/plain": ".txt",
}


def safe_name(name: str, *, media_type: str = "", fallback: str = "file") -> str:
    """
    Make one file name of whatever a service calls a file.

    The result is a single path component on Linux, macOS and Windows: no separators, drive
    letters, control or invisible characters, reserved device names, leading dots, trailing dots
    or blanks; NFC; at most `LONGEST` bytes of UTF-8, the ending kept.

    Args:
        name: The service's name; may be empty, a path or a URL's tail.
        media_type: The media type of the body, for an ending where the name has none.
        fallback: The name where nothing usable is left.
    """
    plain = unicodedata.normalize("NFC", name.encode(errors="replace").decode())
    plain = _SEPARATORS.split(_DRIVE.sub("", plain))[-1]
    plain = "".join(char if char.isprintable() else " " if char.isspace() else "" for char in plain)
    plain = _FORBIDDEN.sub("_", plain).strip().lstrip(".").rstrip(". ").strip()
    stem, ending = split_ending(plain)
    if not ending:
        ending = _ENDINGS.get(media_type.partition(";")[0].strip().lower(), "")
    stem = _shorten(stem or fallback, LONGEST - len(ending.encode()))
    return f"_{stem}{ending}" if _RESERVED.match(stem + ending) else stem + ending


def counted(name: str, number: int) -> str:
    """
    Give the name for 1, then `name_2.png`, `name_3.png` and so on.

    Names that count already, as ComfyUI's `name_00001_.png`, count on: `name_00002_.png`.
    """
    if number == 1:
        return name
    stem, ending = split_ending(name)
    own = _COUNTER.fullmatch(stem)
    if own:
        return f"{own[1]}{int(own[2]) + number - 1:0{len(own[2])}}_{ending}"
    return f"{stem}_{number}{ending}"


def split_ending(name: str) -> tuple[str, str]:
    """
    Split `a.b.png` into `a.b` and `.png`; an ending has at most ten letters and digits.
    """
    stem, dot, ending = name.rpartition(".")
    if dot and stem and 0 < len(ending) <= 10 and ending.isascii() and ending.isalnum():
        return stem, f".{ending}"
    return name, ""


def _shorten(text: str, limit: int) -> str:
    data = text.encode()
    if len(data) <= limit:
        return text
    return data[:limit].decode(errors="ignore").rstrip(". ")
