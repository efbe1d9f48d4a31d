"""
A ledger in a SQLite file: one file, many processes of one machine, nothing to set up.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any

from comfygraph.jobs.ledger.base import LedgerError
from comfygraph.jobs.ledger.engine import Row

BUSY = 30.0
"""Seconds to wait for another process that writes."""

_APPLICATION_ID = 0x63674C31
"""`cgL1` in the header of the file (`PRAGMA application_id`), so that we know our own."""


class SqliteEngine:
    """
    A SQLite file in WAL mode: readers never wait, and a writer that is killed leaves no half.

    Args:
        path: The file; it is made where there is none, readable for its owner alone.

    Raises:
        LedgerError: It cannot be opened, or is something else.
    """

    blob = "BLOB"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.place = str(path)
        self._lock = RLock()
        self._durable: bool | None = None
        _make_private(Path(path))
        with _in_our_words(self.place):
            self._connection = sqlite3.connect(
                path, timeout=BUSY, isolation_level=None, check_same_thread=False
            )
            try:
                self._set_up()
            except BaseException:
                self._connection.close()
                raise

    def _set_up(self) -> None:
        run = self._connection.execute
        (application,) = run("PRAGMA application_id").fetchone()
        (tables,) = run("SELECT count(*) FROM sqlite_master").fetchone()
        if application != _APPLICATION_ID:
            if tables:
                raise LedgerError(
                    f"{self.place} is a database of something else", hint="choose another file"
                )
            run(f"PRAGMA application_id = {_APPLICATION_ID}")
        run("PRAGMA journal_mode = WAL")

    @contextmanager
    def write(self, *, durable: bool) -> Iterator[SqliteTransaction]:
        """
        Write, alone among all processes.
        """
        with self._lock, _in_our_words(self.place):
            if durable is not self._durable:
                # WAL: FULL waits for the disk at every commit, NORMAL at checkpoints only
                self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # some failures have rolled it back already
                    self._connection.execute("ROLLBACK")
                raise

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """
        Give what a query finds.
        """
        with self._lock, _in_our_words(self.place):
            return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        """
        Close the file.
        """
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()


class SqliteTransaction:
    """
    Statements between `BEGIN` and `COMMIT`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def alone(self, name: str) -> None:
        """
        Do nothing: whoever writes is alone.
        """

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """
        Carry a statement out; give how many rows it changed.
        """
        return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """
        Carry a statement out for each row.
        """
        self._connection.executemany(sql, rows)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """
        Give what a query finds.
        """
        return self._connection.execute(sql, values).fetchall()


def _make_private(path: Path) -> None:
    """
    Make the file and its folder where they are missing: graphs hold what people write.
    """
    if str(path) == ":memory:":
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as exc:
        why = (exc.strerror or str(exc)).lower()
        raise LedgerError(
            f"the ledger {path} cannot be opened: {why}", hint="name another file with --ledger"
        ) from exc
    except ValueError as exc:
        raise LedgerError(f"{str(path)!r} is no path") from exc


@contextmanager
def _in_our_words(place: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        hint = "free some space, or name another file with --ledger"
        match exc.sqlite_errorcode & 0xFF if hasattr(exc, "sqlite_errorcode") else 0:
            case sqlite3.SQLITE_FULL:
                raise LedgerError(f"no space for the ledger {place}", hint=hint) from exc
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                raise LedgerError(
                    f"another process keeps the ledger {place} locked", hint="try again"
                ) from exc
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                raise LedgerError(
                    f"{place} is no ledger, or is damaged", hint="name another with --ledger"
                ) from exc
            case sqlite3.SQLITE_CANTOPEN:
                raise LedgerError(
                    f"the ledger {place} cannot be opened",
                    hint="--ledger names a file, in a folder that may be written to",
                ) from exc
            case sqlite3.SQLITE_READONLY:
                raise LedgerError(f"the ledger {place} may not be written to", hint=hint) from exc
            case _:
                raise LedgerError(f"the ledger {place} fails: {exc}", hint=hint) from exc
