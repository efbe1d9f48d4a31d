"""
Answers that are kept between runs: one SQLite file in the user's cache.

A cache that cannot be read or written costs time and nothing else: its errors are swallowed.
Only what services say is kept, never a credential.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from comfygraph.targets.http import HttpRequest, HttpResponse

MOST = 5_000
"""Answers that are kept; the oldest go first."""
MAX_BYTES = 4 << 20
_PATIENCE = 2.0
_BROKEN = (sqlite3.Error, OSError, zlib.error, TypeError, ValueError, OverflowError)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, status INTEGER NOT NULL, body BLOB NOT NULL,
    stored REAL NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID
"""


def default_cache() -> Path:
    """
    Give the place of the cache.
    """
    import platformdirs

    return Path(platformdirs.user_cache_dir("comfygraph")) / "references.sqlite3"


def key_of(request: HttpRequest) -> str:
    """
    Give what a question is kept under: method, address and body, without credentials.
    """
    text = f"{request.method} {request.url}\n".encode() + request.body
    return hashlib.sha256(text).hexdigest()


class AnswerCache:
    """
    Answers by the question.

    Args:
        path: The file; made with the first answer.
        clock: Seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock

    def get(self, key: str, *, stale: bool = False) -> HttpResponse | None:
        """
        Give an answer that has not expired, or `None`.

        Args:
            key: Of `key_of`.
            stale: Take an expired one too.
        """
        # SQLite takes values of any type, so somebody else's row may hold anything
        with contextlib.suppress(*_BROKEN):
            row = self._row(key)
            if row is not None and (stale or row[2] > self._clock()):
                unpacked = zlib.decompressobj()
                body = unpacked.decompress(row[1], MAX_BYTES)
                return HttpResponse(int(row[0]), {}, body) if unpacked.eof else None
        return None

    def _row(self, key: str) -> Any:
        if not self.path.exists():
            return None
        with self._open() as database:
            found = database.execute(
                "SELECT status, body, expires FROM answers WHERE key = ?", (key,)
            )
            return found.fetchone()

    def drop(self, key: str) -> None:
        """
        Forget an answer.
        """
        with contextlib.suppress(sqlite3.Error, OSError), self._open() as database:
            database.execute("DELETE FROM answers WHERE key = ?", (key,))

    def put(self, key: str, response: HttpResponse, seconds: float) -> None:
        """
        Keep an answer for so many seconds.
        """
        if len(response.body) > MAX_BYTES:
            return
        now = self._clock()
        row = (key, response.status, zlib.compress(response.body), now, now + seconds)
        try:
            self._write(row)
        except sqlite3.DatabaseError as exc:
            if not isinstance(exc, sqlite3.OperationalError):
                # Not a database, or a broken one: begin anew.
                with contextlib.suppress(sqlite3.Error, OSError):
                    self.path.unlink()
                    self._write(row)
        except OSError:
            pass

    def _write(self, row: tuple[str, int, bytes, float, float]) -> None:
        os.makedirs(self.path.parent, exist_ok=True)
        with self._open() as database:
            database.execute(_SCHEMA)
            database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)
            database.execute(
                "DELETE FROM answers WHERE key NOT IN "
                "(SELECT key FROM answers ORDER BY stored DESC LIMIT ?)", (MOST,),
            )  # fmt: skip

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.path, timeout=_PATIENCE)
        try:
            with database:
                yield database
        finally:
            database.close()
