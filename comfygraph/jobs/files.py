"""
Result files on the disk: written beside their place under a temporary name, then put there whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path, PurePath
from threading import Lock
from urllib.parse import unquote, urlsplit

from comfygraph.errors import UsageError
from comfygraph.jobs.checks import damage
from comfygraph.jobs.names import counted, safe_name
from comfygraph.jobs.part_file import PartFile, temporary_path
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
    """Path → the last counter that was in use. What went there is ours, and is never replaced."""

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
        return replace(self, path=self.path.joinpath(*wanted.parts[:-1])), wanted.name


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
        trial = temporary_path(folder)
        trial.touch(exist_ok=False)
        trial.unlink()
    except FileExistsError:
        raise UsageError(f"{folder} is a file, not a folder") from None
    except OSError as exc:
        raise UsageError(f"cannot write to {folder}: {exc.strerror or exc}") from exc
    except ValueError as exc:
        raise UsageError(f"{str(folder)!r} is no path") from exc
    return Folder(folder, overwrite, max_bytes)


_GIVING = Lock()


class NotKept(Exception):
    """
    A body that will not be kept: it is larger than the folder takes, or was abandoned.
    """


class Damaged(NotKept):
    """
    A body that came complete and is not what the service sent.
    """


class Sink:
    """
    Takes one body: `begin` or `go_on`, `write` as often as needed, then `commit`; or `abandon`.

    Until `commit` the folder shows only a hidden temporary file. `commit` never replaces a file
    that is there, unless the folder says so: it links the complete file to a free name, which the
    file system does for one writer only. May be abandoned while another thread writes. Once the
    place of the file is known to whoever asked, `settle`: until then a process that begins anew
    finds the file there (`found`).

    Args:
        folder: Where the file goes.
        name: What the service calls it.
        token: What the body is of, the same each time: a part that came before, perhaps to another
            process, is gone on with. `""` starts from nothing.
        strict: Whether a file that did not come as it was sent is refused.
    """

    def __init__(self, folder: Folder, name: str, *, token: str = "", strict: bool = True) -> None:
        self._folder = folder
        self._name = name
        self._token = token
        self._strict = strict
        self._media_type = ""
        self._length: int | None = None
        self._digests: Mapping[str, bytes] = {}
        self._lock = Lock()
        self._part: PartFile | None = None
        self._abandoned = False
        self._placed: PartFile | None = None
        self.damage = ""
        """What is wrong with a file that was kept all the same."""

    @property
    def size(self) -> int:
        """
        How many bytes have come.
        """
        return 0 if self._part is None else self._part.size

    def found(self) -> Path | None:
        """
        Give the place of the whole file, where it went there before and nobody was told.

        Raises:
            OSError: The folder refuses.
        """
        with self._lock:
            if self._abandoned or not self._token:
                return None
            part = self._opened(make=True)
            place = part.placed_before()
            if place is not None:
                part.discard()
                self._part, self._placed = None, part
            return place

    def settle(self) -> None:
        """
        Take in that the place of the file is known.
        """
        with self._lock:
            if self._placed is not None:
                self._placed.settle()

    def wish(self) -> tuple[int, str] | None:
        """
        Give from which byte on the body is wanted, and of which version; `None` for all of it.

        Raises:
            OSError: The folder refuses.
        """
        with self._lock:
            if self._abandoned or not self._token:
                return None
            part = self._opened(make=True)
            return (part.size, part.validator) if part.size and part.validator else None

    def begin(
        self,
        media_type: str = "",
        length: int | None = None,
        *,
        validator: str = "",
        digests: Mapping[str, bytes] | None = None,
    ) -> None:
        """
        Start a body, again from nothing where one was begun.

        Args:
            media_type: The media type of the body, `""` where unknown.
            length: How many bytes are announced.
            validator: Which version it is, for a later `wish`.
            digests: Digests of the whole, as `checks.named_digests` gives them.

        Raises:
            NotKept: More is announced than the folder takes.
            OSError: The folder refuses.
        """
        with self._lock:
            self._media_type, self._length, self._digests = media_type, length, digests or {}
            self._check(length or 0)
            self._opened(make=True).restart(validator)

    def go_on(self, start: int, media_type: str = "", length: int | None = None) -> bool:
        """
        Take the rest of a body as wished for; false where it is another part, and all is forgotten.

        Args:
            start: From which byte on it comes.
            media_type: The media type of the body.
            length: How many bytes the whole has.

        Raises:
            NotKept: The whole is larger than the folder takes.
            OSError: The folder refuses.
        """
        with self._lock:
            part = self._opened()
            if start != part.size:
                part.restart("")
                return False
            self._media_type, self._length, self._digests = media_type, length, {}
            self._check(length or 0)
            part.go_on()
            return True

    def forget(self) -> None:
        """
        Forget what has come: the service has no such rest.
        """
        with self._lock:
            if self._part is not None:
                self._part.restart("")

    def write(self, data: bytes) -> None:
        """
        Take the next bytes.

        Raises:
            NotKept: The body is longer than the folder takes.
            OSError: The disk refuses.
        """
        with self._lock:
            self._check(self.size + len(data))
            self._opened().write(data)

    def commit(self) -> Path:
        """
        Put the complete file in its place, and give that place.

        Raises:
            Damaged: It is not what the service sent; it is forgotten.
            OSError: The folder refuses.
        """
        with self._lock:
            self._check(self.size)
            part = self._opened()
            part.file.flush()
            os.fsync(part.file.fileno())
            self.damage = damage(part.path, self._digests, self._length)
            if self.damage and self._strict:
                part.restart("")
                raise Damaged(self.damage)
            place = self._put(part, safe_name(self._name, media_type=self._media_type))
            part.placed()
            self._part, self._placed = None, part
            _sync_folder(self._folder.path)
            return place

    def abandon(self) -> None:
        """
        Take nothing any more, and leave nothing behind but a part that can be gone on with.
        """
        with self._lock:
            self._abandoned = True
            if self._part is not None:
                self._part.leave()
                self._part = None

    def _opened(self, make: bool = False) -> PartFile:
        if self._part is None:
            if not make:
                raise RuntimeError("the body was not begun")
            self._folder.path.mkdir(parents=True, exist_ok=True)
            self._part = PartFile(self._folder.path, self._token)
        return self._part

    def _check(self, size: int) -> None:
        if self._abandoned:
            raise NotKept("nobody wants the file any more")
        if size > self._folder.max_bytes:
            if self._part is not None:
                self._part.restart("")
            raise NotKept(f"it is larger than {self._folder.max_bytes} bytes")

    def _put(self, part: PartFile, name: str) -> Path:
        for number, place in self._candidates(name):
            if not self._folder.overwrite and os.path.lexists(place):
                continue
            part.promise(place)
            if self._folder.overwrite:
                os.replace(part.path, place)
            elif not _put_exclusively(part.path, place):
                continue
            elif number > 1:
                self._folder.taken[_key(self._folder.path / name)] = number
            return place
        raise AssertionError("counting never ends")

    def _candidates(self, name: str) -> Iterator[tuple[int, Path]]:
        """
        Yield the names that a file may get: counted on from where the search ended before. Where
        files are replaced, each is given away once.
        """
        taken = self._folder.taken
        known = _key(self._folder.path / name)
        for number in count(taken.get(known, 0) + 1):
            place = self._folder.path / counted(name, number)
            if self._folder.overwrite:
                with _GIVING:
                    if _key(place) in taken:
                        continue
                    taken[_key(place)] = 0
                    taken[known] = number
            yield number, place


def _key(place: Path) -> str:
    return str(place).casefold()  # some file systems know no capitals


def _sync_folder(folder: Path) -> None:
    """
    Have the new name on the disk too, where the system can.
    """
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
