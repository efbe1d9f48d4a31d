"""
Hashes of model files at hand, in the folders of a ComfyUI.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from comfygraph.references.forms import FileHash

_PIECE = 1 << 20


class LocalModels:
    """
    The folder `models` of a ComfyUI.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._hashes: dict[Path, FileHash | None] = {}

    def hash_of(self, folder: str | None, name: str) -> FileHash | None:
        """
        Give the SHA-256 of a file, or `None` where it is not there or cannot be read.

        Reads the whole file: some seconds for each gigabyte.

        Args:
            folder: The folder of its kind, such as `loras`.
            name: Its name below that folder; one that leads out of it is not there.
        """
        path = self.find(folder, name)
        if path is None:
            return None
        if path not in self._hashes:
            self._hashes[path] = _sha256(path)
        return self._hashes[path]

    def find(self, folder: str | None, name: str) -> Path | None:
        """
        Give the place of a file, or `None` where it is not there.
        """
        if folder is None or not name.strip():
            return None
        base = self.root / folder
        parts = name.replace("\\", "/")
        candidates = [base / parts]
        if folder == "embeddings":
            candidates += [base / f"{parts}{ending}" for ending in (".safetensors", ".pt", ".bin")]
        for path in candidates:
            try:
                inside = os.path.normpath(path).startswith(os.path.normpath(base) + os.sep)
                if inside and path.is_file():
                    return path
            except (OSError, ValueError):  # ValueError: a zero in the path
                continue
        return None


def _sha256(path: Path) -> FileHash | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError:
        return None
    return FileHash(digest.hexdigest().upper())
