"""
The emulator's files: its `output`, `temp` and `input` folders, and nothing outside of them.

Names are counted as `folder_paths.get_save_image_path` of ComfyUI counts them
(`prefix_00001_.png`), and read as `folder_paths.annotated_filepath` reads them
(`name.png [output]`).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("output", "temp", "input")


class OutsideFolderError(ValueError):
    """A name that leads out of the folder it is for."""


class UnknownFolderError(ValueError):
    """A folder type other than output, temp and input."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """
    A file that a node wrote.

    Args:
        filename: Its name, without folders.
        subfolder: The folder under `folder`, with `/`; `""` for none.
        folder: `output`, `temp` or `input`.
        path: Where it lies.
        media: The key of the node's `ui` that lists it: `images`, `audio`, `latents`, ...
        kind: `image`, `video`, `audio`, `model3d` or `file`.
        format: `png`, `jpeg`, `mp4`, ...
        width: Pixels, or `None` where it is no picture.
        height: Pixels, likewise.
        seconds: Of a sound, or `None`.
    """

    filename: str
    subfolder: str
    folder: str
    path: Path
    media: str = "images"
    kind: str = "image"
    format: str = "png"
    width: int | None = None
    height: int | None = None
    seconds: float | None = None

    def reference(self) -> dict[str, str]:
        """
        Give it as a node's `ui` lists it.
        """
        return {"filename": self.filename, "subfolder": self.subfolder, "type": self.folder}


class FileStore:
    """
    Holds the folders, and counts the names in them. Safe to use from several threads.

    Args:
        root: Where the folders are made; a temporary folder, removed by `close`, if `None`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._own = root is None
        self.root = Path(tempfile.mkdtemp(prefix="comfygraph-emulator-")) if root is None else root
        self.root = self.root.absolute()
        for name in FOLDERS:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.nicknames: dict[str, Path] = {}
        """Names that services give to files in place of their own."""
        self._counts: dict[tuple[str, str], int] = {}
        self._closed = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """
        Take no more files, and remove the folders if they are temporary.
        """
        # A thread may still be drawing; what it saves must not bring the folders back.
        with self._lock:
            self._closed = True
            if self._own:
                shutil.rmtree(self.root, ignore_errors=True)

    def folder(self, kind: str) -> Path:
        """
        Give the folder of one kind.

        Raises:
            UnknownFolderError: `kind` is none of output, temp and input.
        """
        if kind not in FOLDERS:
            raise UnknownFolderError(kind)
        return self.root / kind

    def locate(self, kind: str, subfolder: str, name: str) -> Path:
        """
        Give the path of a file, there or not.

        Raises:
            OutsideFolderError: The names lead out of the folder.
            UnknownFolderError: `kind` is none of output, temp and input.
        """
        base = self.folder(kind)
        try:
            path = Path(os.path.abspath(base / subfolder / name))
            inside = path.is_relative_to(base) and path.resolve().is_relative_to(base.resolve())
        except (ValueError, OSError) as exc:
            raise OutsideFolderError(f"{subfolder}/{name}") from exc
        if not inside:
            raise OutsideFolderError(f"{subfolder}/{name}")
        return path

    def save(
        self, kind: str, prefix: str, extension: str, data: bytes, *, underscore: bool = True
    ) -> tuple[str, str, Path]:
        """
        Write a file under the next free number.

        Args:
            kind: `output` or `temp`.
            prefix: What `filename_prefix` says; may name a subfolder, and `%year%` and the like.
            extension: Without a dot.
            data: The content.
            underscore: Whether the number is followed by `_`, as older nodes have it.

        Returns:
            File name, subfolder and path.

        Raises:
            OutsideFolderError: The prefix leads out of the folder.
            OSError: The file cannot be written, for example because its name is too long.
        """
        prefix = os.path.normpath(_filled(prefix))
        subfolder, stem = os.path.dirname(prefix), os.path.basename(prefix)
        folder = self.locate(kind, subfolder, ".")
        with self._lock:
            if self._closed:
                raise OSError("the emulator has stopped")
            folder.mkdir(parents=True, exist_ok=True)
            number = self._counts.get((str(folder), stem)) or _highest(folder, stem)
            number += 1
            self._counts[str(folder), stem] = number
            name = f"{stem}_{number:05}{'_' if underscore else ''}.{extension}"
            path = folder / name
            path.write_bytes(data)
        return name, subfolder.replace(os.sep, "/"), path

    def read_input(self, name: str) -> bytes | None:
        """
        Read the file that a loader names: `name.png`, `sub/name.png` or `name.png [output]`.
        """
        name, kind = annotated(name)
        try:
            return self.locate(kind or "input", "", name).read_bytes()
        except (OutsideFolderError, OSError, ValueError):
            return None


def annotated(name: str) -> tuple[str, str | None]:
    """
    Split `name.png [output]` into name and folder; the folder is `None` where none is given.
    """
    for kind in FOLDERS:
        if name.endswith(f"[{kind}]"):
            return name[: -len(kind) - 3], kind
    return name, None


def _filled(prefix: str) -> str:
    if "%" not in prefix:
        return prefix
    now = time.localtime()
    values = {
        "year": str(now.tm_year),
        "month": f"{now.tm_mon:02}",
        "day": f"{now.tm_mday:02}",
        "hour": f"{now.tm_hour:02}",
        "minute": f"{now.tm_min:02}",
        "second": f"{now.tm_sec:02}",
    }
    return re.sub(r"%(\w+)%", lambda found: values.get(found[1], found[0]), prefix)


def _highest(folder: Path, stem: str) -> int:
    numbered = re.compile(re.escape(stem) + r"_(\d+)_?\.[^.]+$")
    found = (numbered.match(name) for name in os.listdir(folder))
    return max((int(match[1]) for match in found if match), default=0)
