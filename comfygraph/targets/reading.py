"""
Small tolerant readers: what is not shaped as expected is absent, never an exception.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from comfygraph.core.values import JsonValue
from comfygraph.errors import clean

_LONGEST = 400
_LONGEST_ID = 4096
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")

_KINDS = {
    "image": "png jpg jpeg webp gif bmp tif tiff avif exr svg apng",
    "video": "mp4 webm mov mkv avi m4v",
    "audio": "mp3 flac opus wav ogg m4a aac",
    "model3d": "glb gltf obj ply stl fbx usdz splat spz ksplat",
}
_KIND_OF = {ending: kind for kind, endings in _KINDS.items() for ending in endings.split()}


def mapping(value: JsonValue) -> dict[str, JsonValue]:
    """
    Give an object, or an empty one for anything else.
    """
    return value if isinstance(value, dict) else {}


def items(value: JsonValue) -> list[JsonValue]:
    """
    Give a list, or an empty one for anything else.
    """
    return value if isinstance(value, list) else []


def mappings(value: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """
    Yield the objects of a list.
    """
    return (item for item in items(value) if isinstance(item, dict))


def pick(container: JsonValue, *names: str) -> JsonValue:
    """
    Give the first of these keys that an object has with a value that is not null, else `None`.
    """
    if isinstance(container, dict):
        for name in names:
            value = container.get(name)
            if value is not None:
                return value
    return None


def text(value: JsonValue) -> str:
    """
    Give a text, or an empty one for anything else.
    """
    return value if isinstance(value, str) else ""


def identifier(value: JsonValue) -> str:
    """
    Give an id as a text; integers are written out, so that 64 bits survive. Empty for anything
    else, and for a text that is too long for an id.
    """
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_ID else ""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 128:
        return str(value)
    return ""


def number(value: JsonValue) -> float | None:
    """
    Give a finite number, also where it is written as a text; `None` for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def integer(value: JsonValue) -> int | None:
    """
    Give a whole number, also where it is written as a text; `None` for anything else.
    """
    result = number(value)
    return int(result) if result is not None and result == int(result) else None


def one_line(value: JsonValue, limit: int = _LONGEST) -> str:
    """
    Give a service's text on one line: control characters and colours gone, shortened.
    """
    plain = clean(_BLANKS.sub(" ", _ANSI.sub("", text(value)[: 8 * limit]))).strip()
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def url_name(url: str) -> str:
    """
    Give the last part of a URL's path, unquoted; empty where it has none.
    """
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return unquote(path).rstrip("/").rpartition("/")[2]


def is_web_url(url: str) -> bool:
    """
    Whether a text is an absolute `http:` or `https:` URL that can be taken apart.
    """
    if not url.lower().startswith(("http://", "https://")):
        return False
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port >= 0)
    except ValueError:
        return False


def kind_of(name: str, otherwise: str = "file") -> str:
    """
    Give the kind of a file (`"image"`, `"video"`, `"audio"`, `"model3d"`) by its name's ending.
    """
    return _KIND_OF.get(name.rpartition(".")[2].lower(), otherwise)
