"""
Bodies of `multipart/form-data` (RFC 7578), field names and file names as browsers write them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True, slots=True)
class Part:
    """
    One field: a text, or a file where it has a file name.
    """

    name: str
    data: bytes = field(repr=False)
    filename: str = ""
    media_type: str = ""


def multipart(parts: Sequence[Part]) -> tuple[dict[str, str], bytes]:
    """
    Give headers and body of a form; the same parts give the same bytes.
    """
    boundary = _boundary(parts)
    lines: list[bytes] = []
    for part in parts:
        head = f'Content-Disposition: form-data; name="{part.name.translate(_ESCAPES)}"'
        if part.filename:
            head += f'; filename="{part.filename.translate(_ESCAPES)}"'
        if part.media_type:
            head += f"\r\nContent-Type: {part.media_type.translate(_ESCAPES)}"
        lines += [f"--{boundary}".encode(), head.encode(errors="replace"), b"", part.data]
    lines += [f"--{boundary}--".encode(), b""]
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, b"\r\n".join(lines)


def _boundary(parts: Sequence[Part]) -> str:
    # of the content itself: no clock and no chance, and no content holds its own digest
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part.name}\n{part.filename}\n{len(part.data)}\n".encode(errors="replace"))
        digest.update(part.data)
    return f"comfygraph-{digest.hexdigest()[:40]}"
