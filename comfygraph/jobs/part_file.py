"""
Bodies of which only a part has come: kept beside their place, to be gone on with later.

A part is gone on with only where the service names the exact version that it is of (a strong
`ETag`, or `Last-Modified`; RFC 9110, 13.1.5), which stands in a small file beside it.

Before a complete file goes to its place, that place is noted too: a process that ends before
anybody heard of it leaves a file that the next one recognises.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_START = ".comfygraph-"
_LONGEST_VALIDATOR = 500


class PartFile:
    """
    A hidden temporary file.

    Args:
        folder: Where it is.
        token: What the body is of, the same each time; `""` for a file that nobody goes on with.

    Raises:
        OSError: The folder refuses.
    """

    def __init__(self, folder: Path, token: str = "") -> None:
        found = _open_shared(folder, token) if token else None
        if found is None:
            self.path = temporary_path(folder)
            self.file: BinaryIO = self.path.open("x+b")
            self._note: Path | None = None
            self._promise: Path | None = None
        else:
            self.path, self.file = found
            self._note = self.path.with_suffix(".note")
            self._promise = self.path.with_suffix(".placed")
        self.size = os.fstat(self.file.fileno()).st_size
        self.validator = self._read_note() if self.size else ""
        if not self.validator:
            self.restart("")

    def restart(self, validator: str) -> None:
        """
        Start from nothing, with the version that is to come.
        """
        self.file.seek(0)
        self.file.truncate()
        self.size = 0
        self.validator = ""
        if self._note is None:
            return
        with suppress(FileNotFoundError):
            self._note.unlink()
        if validator and len(validator) <= _LONGEST_VALIDATOR and validator.isprintable():
            self._note.write_text(validator, encoding="utf-8")
            self.validator = validator

    def go_on(self) -> None:
        """
        Write on where it ends.
        """
        self.file.seek(self.size)

    def write(self, data: bytes) -> None:
        """
        Take the next bytes.
        """
        self.file.write(data)
        self.size += len(data)

    def leave(self) -> None:
        """
        Close it; it stays where it can be gone on with.
        """
        with suppress(OSError):
            self.file.flush()
        if self.size and self.validator:
            with suppress(OSError):
                self.file.close()
        else:
            self.discard()

    def discard(self) -> None:
        """
        Close and remove it.
        """
        for path in (self.path, self._note):
            if path is not None:
                with suppress(OSError):
                    path.unlink()
        with suppress(OSError):
            self.file.close()

    def promise(self, place: Path) -> None:
        """
        Note where the complete file is about to go, until `settle`.
        """
        if self._promise is not None:
            told = os.fstat(self.file.fileno())
            body = json.dumps([place.name, told.st_size, told.st_mtime_ns])
            self._promise.write_text(body, encoding="utf-8")

    def placed_before(self) -> Path | None:
        """
        Give the place of the whole file, where it went there before and nobody was told.
        """
        if self._promise is None:
            return None
        try:
            name, size, changed = json.loads(self._promise.read_text("utf-8"))
            place = self._promise.with_name(name)
            there = place.lstat()
        except (OSError, ValueError, TypeError):
            return None
        same = place.parent == self._promise.parent
        return place if same and (there.st_size, there.st_mtime_ns) == (size, changed) else None

    def settle(self) -> None:
        """
        Forget the place of the file: it is known to whoever asked for it.
        """
        if self._promise is not None:
            with suppress(OSError):
                self._promise.unlink()

    def placed(self) -> None:
        """
        Take in that the file has gone to its place.
        """
        if self._note is not None:
            with suppress(OSError):
                self._note.unlink()
        with suppress(OSError):
            self.file.close()

    def _read_note(self) -> str:
        if self._note is None:
            return ""
        try:
            return self._note.read_text("utf-8")[:_LONGEST_VALIDATOR]
        except (OSError, ValueError):
            return ""


def temporary_path(folder: Path) -> Path:
    """
    Give a hidden name that nobody else has.
    """
    return folder / f"{_START}{secrets.token_hex(8)}.part"


def _open_shared(folder: Path, token: str) -> tuple[Path, BinaryIO] | None:
    """
    Open the part of a body, for us alone; `None` where somebody has it, or locks are unknown.
    """
    if sys.platform == "win32":  # no such locks: each process starts from nothing
        return None
    path = folder / f"{_START}{hashlib.sha256(token.encode()).hexdigest()[:24]}.part"
    found = _locked(path)
    if found is not None and os.fstat(found.fileno()).st_nlink > 1:
        # it has a second name: it went to its place, where nobody may write into it
        path.unlink()
        found.close()
        found = _locked(path)
    return None if found is None else (path, found)


def _locked(path: Path) -> BinaryIO | None:
    import fcntl

    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # it may have gone to its place between the two calls
        mine = os.fstat(descriptor)
        there = os.stat(path)
        if (mine.st_ino, mine.st_dev) != (there.st_ino, there.st_dev):
            raise OSError("it is another file now")
    except OSError:
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "r+b")
