"""
`Source`: reading pieces of a file that may come from anybody, within limits.
"""

from __future__ import annotations

import os
import zlib
from typing import BinaryIO

from comfygraph.documents.json_text import MAX_BYTES
from comfygraph.errors import InputError

MOST_READ = 4 * MAX_BYTES
"""All metadata that is read of one file, in bytes."""

MOST_STEPS = 200_000
"""Chunks, boxes and the like that are looked at in one file; hours of film have fewer."""


class Source:
    """
    Random access to a seekable file, with a budget of bytes and of steps.

    Args:
        file: Opened for reading in binary mode.
    """

    __slots__ = ("_file", "_inflated", "_read", "_steps", "size")

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._read = 0
        self._steps = 0
        self._inflated = 0
        try:
            self.size = file.seek(0, os.SEEK_END)
        except OSError as exc:
            raise InputError(exc.strerror or str(exc)) from exc

    def read(self, start: int, count: int, *, most: int = MAX_BYTES) -> bytes:
        """
        Read exactly `count` bytes.

        Raises:
            InputError: The file ends before, or the piece is larger than metadata ever is.
        """
        if count > most:
            raise InputError(f"{count:,} bytes of metadata in one piece, more than is sensible")
        if start + count > self.size:
            raise InputError(f"cut short: {start + count - self.size:,} bytes are missing")
        self.spend(count)
        return self._raw(start, count)

    def peek(self, start: int, count: int) -> bytes:
        """
        Read up to `count` bytes; fewer at the end of the file.
        """
        self.spend(count)
        return self._raw(start, count)

    def copy(self, start: int, end: int, out: BinaryIO) -> None:
        """
        Copy a range of the file, of any size.
        """
        while start < end:
            piece = self._raw(start, min(1 << 20, end - start))
            if not piece:
                raise InputError("the file became shorter while it was read")
            out.write(piece)
            start += len(piece)

    def step(self, count: int = 1) -> None:
        """
        Count a step of a loop whose length the file decides.

        Raises:
            InputError: There were too many.
        """
        self._steps += count
        if self._steps > MOST_STEPS:
            raise InputError(f"more than {MOST_STEPS:,} parts, that is no ordinary file")

    def spend(self, count: int) -> None:
        """
        Count bytes of metadata that are looked at, the same ones perhaps many times.

        Raises:
            InputError: There were too many.
        """
        self._read += count
        if self._read > MOST_READ:
            raise InputError(f"more than {MOST_READ >> 20} MB of metadata")

    def inflate(self, data: bytes) -> bytes:
        """
        Unpack zlib data, all of one file together to no more than `MAX_BYTES`.

        Raises:
            InputError: It is damaged, or would become too large.
        """
        left = MAX_BYTES - self._inflated
        unpacker = zlib.decompressobj()
        try:
            out = unpacker.decompress(data, left + 1)
        except zlib.error as exc:
            raise InputError(f"damaged compressed text: {exc}") from exc
        if len(out) > left:
            raise InputError(f"compressed text unpacks to more than {MAX_BYTES >> 20} MB")
        if not unpacker.eof:
            raise InputError("damaged compressed text: it ends too early")
        self._inflated += len(out)
        return out

    def _raw(self, start: int, count: int) -> bytes:
        try:
            self._file.seek(start)
            return self._file.read(count)
        except OSError as exc:
            raise InputError(exc.strerror or str(exc)) from exc


class Cursor:
    """
    Numbers and pieces one after another out of bytes.
    """

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def take(self, count: int) -> bytes:
        """
        Give the next `count` bytes.

        Raises:
            InputError: There are fewer.
        """
        end = self.at + count
        if end > len(self.data):
            raise InputError(f"cut short: {end - len(self.data):,} bytes are missing")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def skip(self, count: int) -> None:
        """
        Pass over `count` bytes without a copy.

        Raises:
            InputError: There are fewer.
        """
        if self.at + count > len(self.data):
            raise InputError(f"cut short: {self.at + count - len(self.data):,} bytes are missing")
        self.at += count

    def big(self, count: int) -> int:
        """
        Give the next `count` bytes as a number, the highest byte first.
        """
        return int.from_bytes(self.take(count), "big")

    def little(self, count: int) -> int:
        """
        Give the next `count` bytes as a number, the lowest byte first.
        """
        return int.from_bytes(self.take(count), "little")
