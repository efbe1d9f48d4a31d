"""
What models are called here and there: the table that a person writes, once it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from comfygraph.references.air import Air
from comfygraph.references.forms import (
    CivitaiVersionId,
    FileHash,
    FileName,
    Reference,
    TamsId,
)


class Names(NamedTuple):
    """
    What one model is called.

    Args:
        file: Its file in ComfyUI's folders.
        air: Its AIR.
        tams: Its number on TensorArt.
        version: The number of its version on Civitai.
        hash: A hash of its file.
    """

    file: FileName | None = None
    air: Air | None = None
    tams: TamsId | None = None
    version: CivitaiVersionId | None = None
    hash: FileHash | None = None

    def merged(self, other: Names) -> Names:
        """
        Give these names, completed with those of `other`.
        """
        return Names(
            self.file or other.file,
            self.air or other.air,
            self.tams or other.tams,
            self.version or other.version,
            self.hash or other.hash,
        )

    @property
    def version_id(self) -> int | None:
        """The number of the version on Civitai, by itself or in the AIR, or `None`."""
        if self.version is not None:
            return self.version.id
        return self.air.version_id if self.air is not None else None


def names_of(reference: Reference) -> Names:
    """
    Give the one name that a reference is.
    """
    match reference:
        case FileName():
            return Names(file=reference)
        case Air():
            return Names(air=reference)
        case TamsId():
            return Names(tams=reference)
        case FileHash():
            return Names(hash=reference)


class ModelTable:
    """
    Models by any of their names. Where several entries share one, the first that has it holds.

    Args:
        entries: The models, in the order of the file.
        path: How messages call the table.
    """

    def __init__(self, entries: tuple[Names, ...] = (), path: str = "") -> None:
        self.entries = entries
        self.path = path
        self._by_key: dict[tuple[str, str], Names] = {}
        for entry in entries:
            for key in _keys(entry):
                self._by_key.setdefault(key, entry)

    def find(self, reference: Reference) -> Names | None:
        """
        Give all names of a model, or `None` for one that is not in the table.

        Files are found by their path, then without case and with either slash, then by their
        name alone, so that `sdxl\\Detail.safetensors` is found as `detail.safetensors`.
        """
        for key in _keys(names_of(reference)):
            found = self._by_key.get(key)
            if found is not None:
                return found
        return None


def _keys(names: Names) -> Iterator[tuple[str, str]]:
    """What a model is found by, the surest first."""
    if names.file is not None:
        plain = names.file.name.replace("\\", "/")
        yield "file", plain
        yield "folded", plain.casefold()
        yield "base", plain.casefold().rpartition("/")[2]
    if names.air is not None:
        yield "air", names.air.key
        if names.air.file_id is not None:
            yield "version", str(names.air.version_id)
    if names.version_id is not None:
        yield "version", str(names.version_id)
    if names.tams is not None:
        yield "tams", names.tams.id
    if names.hash is not None:
        yield "hash", names.hash.digits
        yield "hash", names.hash.digits[:10]
