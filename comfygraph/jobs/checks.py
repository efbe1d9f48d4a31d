"""
Whether a file came as it was sent: its length, digests that the service names, the checksums
within a PNG.

An `ETag` is no digest, though it looks like one on some services: with encryption or an upload in
parts it is something else (Amazon S3, "Checking object integrity").
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

_PNG = b"\x89PNG\r\n\x1a\n"
_BLOCK = 1 << 20
# RFC 9530; RFC 3230 (obsolete) writes them without the colons
_DIGEST = re.compile(r"(sha-256|sha-512|md5)=:?([A-Za-z0-9+/]+={0,2}):?", re.IGNORECASE)
_SINGLE = {
    "content-md5": "md5",
    "x-amz-checksum-sha256": "sha256",
    "x-amz-checksum-sha1": "sha1",
}


def named_digests(headers: Mapping[str, str]) -> dict[str, bytes]:
    """
    Give the digests of a whole file that an answer with all of it names: algorithm → bytes.

    Args:
        headers: The headers, names in lower case.
    """
    found: dict[str, bytes] = {}
    for header in ("repr-digest", "content-digest", "digest", "x-goog-hash"):
        for name, value in _DIGEST.findall(headers.get(header, "")):
            _put(found, name.lower().replace("sha-", "sha"), value)
    for header, algorithm in _SINGLE.items():
        if header in headers:
            _put(found, algorithm, headers[header].strip())
    return found


def _put(found: dict[str, bytes], algorithm: str, value: str) -> None:
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return
    if len(digest) == hashlib.new(algorithm, usedforsecurity=False).digest_size:
        found[algorithm] = digest


def damage(path: Path, digests: Mapping[str, bytes], length: int | None) -> str:
    """
    Say what is wrong with a file; `""` for nothing that could be seen.

    Args:
        path: The complete file.
        digests: As `named_digests` gives them.
        length: Bytes that it should have, where known.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        for algorithm, digest in digests.items():
            file.seek(0)
            found = hashlib.new(algorithm, usedforsecurity=False)
            while block := file.read(_BLOCK):
                found.update(block)
            if found.digest() != digest:
                return f"it does not have the {algorithm} digest that the service names"
        size = file.seek(0, 2)
        if length is not None and size != length:
            return f"it has {size} bytes of {length}"
        file.seek(0)
        return _png_damage(file) if file.read(len(_PNG)) == _PNG else ""


def _png_damage(file: BinaryIO) -> str:
    """
    Walk over the chunks of a PNG, past its signature (PNG 1.2, 3.2).
    """
    while True:
        head = file.read(8)
        if len(head) < 8:
            return "the picture is cut off"
        left, kind = int.from_bytes(head[:4], "big"), head[4:]
        total = zlib.crc32(kind)
        while left:
            block = file.read(min(left, _BLOCK))
            if not block:
                return "the picture is cut off"
            total = zlib.crc32(block, total)
            left -= len(block)
        told = file.read(4)
        if len(told) < 4:
            return "the picture is cut off"
        if told != total.to_bytes(4, "big"):
            return "a checksum within the picture is wrong"
        if kind == b"IEND":
            return ""
