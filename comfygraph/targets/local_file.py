"""
A file of the person's own that a graph names, on its way to a service.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass, field

from comfygraph.targets.reading import kind_of

_TYPES = {"webp": "image/webp", "avif": "image/avif", "flac": "audio/flac", "opus": "audio/ogg"}
"""What the tables of some systems lack."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """
    The content of a file, read.

    Args:
        name: Its name without folders.
        data: Its bytes.
        media_type: By its ending, such as `"image/png"`; `"application/octet-stream"` where that
            says nothing.
        kind: `"image"`, `"video"`, `"audio"`, `"model3d"` or `"file"`.
        digest: SHA-256 of the bytes, 64 hex digits.
    """

    name: str
    data: bytes = field(repr=False)
    media_type: str
    kind: str
    digest: str

    @classmethod
    def of(cls, name: str, data: bytes) -> LocalFile:
        """
        Make one of a name and its bytes.
        """
        ending = name.rpartition(".")[2].lower()
        media_type = _TYPES.get(ending) or mimetypes.guess_type(name)[0]
        digest = hashlib.sha256(data).hexdigest()
        return cls(name, data, media_type or "application/octet-stream", kind_of(name), digest)
