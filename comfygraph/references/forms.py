"""
The forms in which a graph, or a person, names a model.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias
from urllib.parse import parse_qs, urlsplit

from comfygraph.core.nearest import shorten
from comfygraph.errors import UsageError
from comfygraph.references.air import Air, is_air

_TAMS_ID = re.compile(r"[0-9]{15,20}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_ANY_HASH = re.compile(r"[0-9a-fA-F]{8}|[0-9a-fA-F]{10}|[0-9a-fA-F]{12}|[0-9a-fA-F]{64}")
_HASH_NAMES = ("sha256", "autov1", "autov2", "autov3", "crc32", "blake3", "hash")
_CIVITAI_HOSTS = ("civitai.com", "civitai.green", "civitai.red")
_NUMBER = re.compile(r"[0-9]{1,12}")


class FileName(NamedTuple):
    """A file in a folder of ComfyUI, with the folders below that one: `sdxl/detail.safetensors`."""

    name: str

    def __str__(self) -> str:
        return self.name


class TamsId(NamedTuple):
    """A model on TensorArt or Tusi: 15 to 20 digits, which no float can hold."""

    id: str

    def __str__(self) -> str:
        return self.id


class FileHash(NamedTuple):
    """
    A hash of a file, upper case: SHA-256 (64 digits), AutoV2 (its first 10), AutoV1 or CRC32 (8),
    AutoV3 (12). Civitai finds a file by any of them.
    """

    digits: str

    def __str__(self) -> str:
        return self.digits


class CivitaiVersionId(NamedTuple):
    """A version of a model on Civitai, by its number."""

    id: int

    def __str__(self) -> str:
        return f"civitai:{self.id}"


Reference: TypeAlias = FileName | Air | TamsId | FileHash
"""What a graph holds."""

FORM_NAMES = {FileName: "file", Air: "air", TamsId: "tams", FileHash: "hash"}
"""Form → the word for it in JSON."""


def read_reference(text: str) -> Reference:
    """
    Tell in which form a graph names a model. What begins like an AIR and is none is a file name.
    """
    plain = text.strip()
    if is_air(plain):
        try:
            return Air.parse(plain)
        except UsageError:
            return FileName(text)
    if _TAMS_ID.fullmatch(plain):
        return TamsId(plain)
    if _SHA256.fullmatch(plain):
        return FileHash(plain.upper())
    return FileName(text)


def read_hash(text: str) -> FileHash:
    """
    Read a hash, with or without its kind before it (`sha256:…`).

    Raises:
        UsageError: It is none of 8, 10, 12 or 64 hexadecimal digits.
    """
    kind, colon, digits = text.strip().partition(":")
    if colon and kind.casefold() not in _HASH_NAMES:
        raise UsageError(f"`{shorten(text)}` is no hash", hint="write it as sha256:DIGITS")
    plain = digits.strip() if colon else kind
    if not _ANY_HASH.fullmatch(plain):
        raise UsageError(
            f"`{shorten(text)}` is no hash",
            hint="Civitai's hashes have 8, 10, 12 or 64 hexadecimal digits",
        )
    return FileHash(plain.upper())


def read_civitai_version(text: str) -> CivitaiVersionId | None:
    """
    Read the number of a version on Civitai: `128713`, `civitai:4384@128713`, an AIR, or the
    address of a page with `modelVersionId`; `None` for anything else.
    """
    plain = text.strip()
    if _NUMBER.fullmatch(plain):
        return CivitaiVersionId(int(plain))
    if "://" in plain:
        return _version_in_url(plain)
    air = Air.read(plain)
    if air is None or air.version_id is None:
        return None
    return CivitaiVersionId(air.version_id)


def _version_in_url(url: str) -> CivitaiVersionId | None:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if host not in _CIVITAI_HOSTS:
        return None
    found = parse_qs(parts.query).get("modelVersionId", [])
    segments = parts.path.rstrip("/").split("/")
    if not found and segments[-2:-1] in (["models"], ["model-versions"]) and "api" in segments:
        found = segments[-1:]  # …/api/download/models/128713, …/api/v1/model-versions/128713
    return CivitaiVersionId(int(found[0])) if found and _NUMBER.fullmatch(found[0]) else None
