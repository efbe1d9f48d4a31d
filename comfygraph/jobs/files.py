"""
Result files on the disk: written beside their place under a temporary name, then put there whole.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path, PurePath
from threading import Lock
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from comfygraph.errors import UsageError
from comfygraph.jobs.names import counted, safe_name
from comfygraph.targets.events import OutputFile

MAX_FILE_BYTES = 8 * 1024**3
"""The largest file that is fetched where the caller does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Folder:
    """
    Where the files of a job go.

    Args:
        path: The folder; `open_folder` makes it.
        overwrite: Whether a file of the same name is replaced; else the new one is counted.
        max_bytes: The largest file to keep.
        namer: Names files, in place of the service: gives a path below the folder for a file and
            its number within the job, from 1.
    """

    path: Path
    overwrite: bool = False
    max_bytes: int = MAX_FILE_BYTES
    namer: Callable[[OutputFile, int], PurePath] | None = None
    taken: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    """Name → the last counter that was in use: where the search for a free name starts."""

    def place_for(self, file: OutputFile, number: int) -> tuple[Folder, str]:
        """
        Give the folder that a file goes to, and what it is to be called there.

        Args:
            file: The file.
            number: Its number within the job, from 1.
        """
        if self.namer is None:
            return self, file.name or unquote(urlsplit(file.url).path)
        wanted = self.namer(file, number)
        if not wanted.parts[1:]:
            return self, wanted.name
        return replace(self, path=self.path.joinpath(*wanted.parts[:-1]), taken={}), wanted.name


def open_folder(
    path: str | os.PathLike[str], *, overwrite: bool = False, max_bytes: int = MAX_FILE_BYTES
) -> Folder:
    """
    Make a folder for results and try whether it can be written to, before anything is bought.

    Raises:
        UsageError: It cannot be made or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = _temporary_path(folder)
        trial.touch(exist_ok=False)
        trial.unlink()
    except FileExistsError:
        raise UsageError(f"{folder} is a file, not a folder") from None
    except OSError as exc:
        raise UsageError(f"cannot write to {folder}: {exc.strerror or exc}") from exc
    except ValueError as exc:
        raise UsageError(f"{str(folder)!r} is no path") from exc
    return Folder(folder, overwrite, max_bytes)


class NotKept(Exception):
    """
    A body that will not be kept: it is larger than the folder takes, or was abandoned.
    """


class Sink:
    """
    Takes one body: `begin`, `write` as often as needed, then `commit`; or `abandon`.

    Until `commit` the folder shows only a hidden temporary file. `commit` never replaces a file
    that is there, unless the folder says so: it links the complete file to a free name, which the
    file system does for one writer only. May be abandoned while another thread writes.

    Args:
        folder: Where the file goes.
        name: What the service calls it.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder = folder
        self._name = name
        self._media_type = ""
        self._lock = Lock()
        self._file: BinaryIO | None = None
        self._temporary: Path | None = None
        self._abandoned = False
        self.size = 0

    def begin(self, media_type: str = "", length: int | None = None) -> None:
        """
        Start a body, again from nothing where one was begun.

        Args:
            media_type: The media type of the body, `""` where unknown.
            length: How many bytes are announced.

        Raises:
            NotKept: More is announced than the folder takes.
            OSError: The folder refuses.
        """
        with self._lock:
            self._discard()
            self._media_type = media_type
            self._check(length or 0)
            self._folder.path.mkdir(parents=True, exist_ok=True)
            self._temporary = _temporary_path(self._folder.path)
            self._file = self._temporary.open("xb")

    def write(self, data: bytes) -> None:
        """
        Take the next bytes.

        Raises:
            NotKept: The body is longer than the folder takes.
            OSError: The disk refuses.
        """
        with self._lock:
            self._check(self.size + len(data))
            self._opened()[0].write(data)
            self.size += len(data)

    def commit(self) -> Path:
        """
        Put the complete file in its place, and give that place.

        Raises:
            OSError: The folder refuses.
        """
        with self._lock:
            self._check(self.size)
            file, temporary = self._opened()
            file.flush()
            os.fsync(file.fileno())
            file.close()
            name = safe_name(self._name, media_type=self._media_type)
            if self._folder.overwrite:
                place = self._folder.path / name
                os.replace(temporary, place)
            else:
                place = self._put_beside(temporary, name)
            self._file = self._temporary = None
            return place

    def abandon(self) -> None:
        """
        Leave nothing behind that is not complete, and take nothing any more.
        """
        with self._lock:
            self._abandoned = True
            self._discard()

    def _discard(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        if self._temporary is not None:
            with suppress(OSError):
                self._temporary.unlink()
        self._file = self._temporary = None
        self.size = 0

    def _opened(self) -> tuple[BinaryIO, Path]:
        if self._file is None or self._temporary is None:
            raise RuntimeError("the body was not begun")
        return self._file, self._temporary

    def _check(self, size: int) -> None:
        if self._abandoned:
            raise NotKept("nobody wants the file any more")
        if size > self._folder.max_bytes:
            raise NotKept(f"it is larger than {self._folder.max_bytes} bytes")

    def _put_beside(self, temporary: Path, name: str) -> Path:
        for number in count(self._folder.taken.get(name, 1)):
            place = self._folder.path / counted(name, number)
            if _put_exclusively(temporary, place):
                self._folder.taken[name] = number
                return place
        raise AssertionError("counting never ends")


def _temporary_path(folder: Path) -> Path:
    return folder / f".comfygraph-{secrets.token_hex(8)}.part"


def _put_exclusively(temporary: Path, place: Path) -> bool:
    try:
        os.link(temporary, place)
    except FileExistsError:
        return False
    except OSError:
        # no hard links here (FAT, some network drives): take the name, then replace what holds it
        try:
            place.touch(exist_ok=False)
        except FileExistsError:
            return False
        os.replace(temporary, place)
        return True
    temporary.unlink()
    return True
