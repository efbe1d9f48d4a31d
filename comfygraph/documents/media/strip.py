"""
Taking the graph out of a file: every other byte stays what it is.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from comfygraph.documents.media.containers import container_of, module_of
from comfygraph.documents.media.fields import Cut, Edit, printable
from comfygraph.documents.media.reading import labelled, open_seekable
from comfygraph.documents.media.source import Source
from comfygraph.errors import InputError

_ZEROS = bytes(1 << 16)


@dataclass(frozen=True, slots=True)
class Stripped:
    """
    What was done to a file.

    Args:
        container: Its format, such as `png`.
        removed: The metadata fields that are gone, as the file spells them; empty where there
            was no graph, and the file is as it was.
        size_before: Bytes before.
        size_after: Bytes after; the same where the place of a graph was overwritten with zeros.
    """

    container: str
    removed: tuple[str, ...]
    size_before: int
    size_after: int


def strip_bytes(data: bytes, *, name: str = "<bytes>") -> tuple[bytes, Stripped]:
    """
    Take the graphs out of the bytes of a file.

    Args:
        data: An image, a sound or a film.
        name: What messages call it.

    Returns:
        The file without graphs, and what was done.

    Raises:
        InputError: It is no format that we know, damaged, or cannot be stripped safely.
    """
    out = BytesIO()
    done = strip_stream(BytesIO(data), out, name=name)
    return out.getvalue(), done


def strip_stream(file: BinaryIO, out: BinaryIO, *, name: str) -> Stripped:
    """
    Take the graphs out of a seekable file, whatever its size, and write the rest.

    Args:
        file: Opened for reading.
        out: Empty, opened for reading and writing, seekable.
        name: What messages call the file.

    Raises:
        InputError: As `strip_bytes`; what is in `out` is then of no use.
    """
    with labelled(name):
        container, source, plan = _plan(file)
        _apply(source, plan.edits, out)
        if plan.removed:
            # What the readers of this format see now is the proof.
            left = _plan(out)[2].removed
            if left:
                raise InputError(f"cannot be stripped: {', '.join(map(printable, left))} is left")
        return Stripped(container, plan.removed, source.size, Source(out).size)


def strip_file(
    source: str | Path | BinaryIO, target: str | Path | None = None, *, name: str | None = None
) -> Stripped:
    """
    Take the graphs out of a file; the result appears all at once or not at all.

    Args:
        source: Its path, or a seekable file.
        target: Where to write; default is in place. A file without a graph is then not touched.
        name: What messages call it; default is the path.

    Raises:
        InputError: As `strip_bytes`, or it cannot be read or written.
        ValueError: An open file has no place.
    """
    if not isinstance(source, str | Path):
        if target is None:
            raise ValueError("an open file needs a target")
        return _strip_to(source, Path(os.path.realpath(target)), name or "<file>", str(target))
    label = name or str(source)
    with open_seekable(source) as file:
        if target is None:
            with labelled(label):
                container, known, plan = _plan(file)
            if not plan.removed:
                return Stripped(container, (), known.size, known.size)
            target = source
        return _strip_to(file, Path(os.path.realpath(target)), label, str(target))


def _strip_to(file: BinaryIO, place: Path, name: str, place_name: str) -> Stripped:
    if place.exists() and not place.is_file():  # a rename would put a file in a device's place
        raise InputError(f"{place_name}: cannot be written: it is no regular file")
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{place.name[:100]}.", dir=place.parent)
        with os.fdopen(handle, "w+b") as out:
            done = strip_stream(file, out, name=name)
        file.close()  # An open file cannot be replaced on Windows.
        Path(temporary).chmod(_mode(place))
        Path(temporary).replace(place)
    except OSError as exc:
        raise InputError(f"{place_name}: cannot be written: {exc.strerror or exc}") from exc
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
    return done


def _plan(file: BinaryIO) -> tuple[str, Source, Cut]:
    source = Source(file)
    container = container_of(source.peek(0, 64))
    return container, source, module_of(container).strip(source)


def _apply(source: Source, edits: tuple[Edit, ...], out: BinaryIO) -> None:
    at = 0
    for edit in edits:
        if edit.start < at or edit.end < edit.start:
            raise InputError("damaged: parts of the file overlap")
        source.copy(at, edit.start, out)
        out.write(edit.data)
        for done in range(0, edit.zeros, len(_ZEROS)):
            out.write(_ZEROS[: edit.zeros - done])
        at = edit.end
    source.copy(at, source.size, out)


def _mode(place: Path) -> int:
    try:
        return stat.S_IMODE(place.stat().st_mode)
    except OSError:
        current = os.umask(0o077)
        os.umask(current)
        return 0o666 & ~current
