"""
A ledger in a PostgreSQL database: several machines, one ledger.

Everything stands in a schema of its own, `comfygraph`, beside whatever else the database holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import RLock
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from comfygraph.jobs.ledger.base import LedgerError
from comfygraph.jobs.ledger.engine import Row
from comfygraph.jobs.ledger.postgres_words import in_our_words, read_url, unreached

T = TypeVar("T")
Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

SCHEMA = "comfygraph"
"""The schema of our tables."""
PATIENCE = 30.0
"""Seconds to wait for a server that is started anew, and for a lock that another process has."""
_PAUSE = 0.25
_LOCKS = 0x63674C31
"""The first half of our advisory locks, `cgL1`; the second half is made of their names."""
_SESSION = (
    f"SET search_path = {SCHEMA}",
    f"SET lock_timeout = '{PATIENCE:.0f}s'",
    # a process that is stopped in the middle of writing must not hold up all others
    "SET idle_in_transaction_session_timeout = '60s'",
)
_CONNECT = {
    "connect_timeout": "10", "application_name": "comfygraph", "client_encoding": "utf8",
    "keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}  # fmt: skip
"""How we connect where the URL does not say; a server that vanishes is noticed in 30 s."""


class PostgresEngine:
    """
    A PostgreSQL database, by one connection that is made anew when it breaks.

    Args:
        url: `postgresql://user@host/database`, as libpq reads it; also a service
            (`postgresql://?service=night`). The password may stand in `PGPASSWORD` or `~/.pgpass`.
        clock: Seconds, never going back.
        sleep: Waits.

    Raises:
        UsageError: The URL cannot be read.
        LedgerError: The server cannot be reached, or the schema cannot be made.
    """

    blob = "BYTEA"

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.place, self.conninfo = read_url(url, _CONNECT)
        self._clock = clock
        self._sleep = sleep
        self._lock = RLock()
        self._closed = False
        self._lost = False
        self._connection = self._connect()
        try:
            with in_our_words(self.place):
                self._make_schema()
        except BaseException:
            self._connection.close()
            raise

    def __repr__(self) -> str:
        return f"PostgresEngine({self.place!r})"

    @contextmanager
    def write(self, *, durable: bool) -> Iterator[PostgresTransaction]:
        """
        Write: rows that another process writes are waited for.
        """
        with self._lock, in_our_words(self.place):
            number = self._patiently(lambda: self._begin(durable=durable))
            connection = self._connection
            try:
                yield PostgresTransaction(connection)
            except BaseException:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")
                raise
            try:
                connection.execute("COMMIT")
            except psycopg.OperationalError:
                # the server may have carried it out before the connection broke: it knows
                if not connection.closed or not self._patiently(lambda: self._has(number)):
                    raise

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """
        Give what a query finds.
        """
        with self._lock, in_our_words(self.place):
            return self._patiently(lambda: _rows(self._connection, sql, values))

    def close(self) -> None:
        """
        Close the connection.
        """
        with self._lock:
            self._closed = True
            self._connection.close()

    def _connect(self) -> Connection:
        try:
            connection = psycopg.connect(self.conninfo, autocommit=True)
        except psycopg.Error as exc:
            raise unreached(self.place, exc) from exc
        with in_our_words(self.place):
            for statement in _SESSION:
                connection.execute(statement.encode())
        return connection

    def _make_schema(self) -> None:
        ((encoding, there),) = _rows(
            self._connection,
            "SELECT current_setting('server_encoding'), to_regnamespace(?) IS NOT NULL",
            (SCHEMA,),
        )
        if encoding != "UTF8":
            raise LedgerError(
                f"the ledger {self.place} is a database in {encoding}, which cannot hold all texts",
                hint="make one with `createdb --encoding UTF8 --template template0`",
            )
        if not there:
            with self.write(durable=True) as write:
                write.alone("schema")
                write.run(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")

    def _begin(self, *, durable: bool) -> int:
        wait = "on" if durable else "off"
        begin = f"BEGIN; SET LOCAL synchronous_commit = {wait}; SELECT txid_current()"
        cursor = self._connection.execute(begin.encode())
        cursor.nextset()
        cursor.nextset()
        found = cursor.fetchone()
        assert found is not None
        return int(found[0])

    def _has(self, number: int) -> bool:
        while True:
            ((state,),) = _rows(
                self._connection, "SELECT txid_status(CAST(? AS BIGINT))", (number,)
            )
            if state != "in progress":
                return bool(state == "committed")
            self._sleep(_PAUSE)

    def _patiently(self, act: Callable[[], T]) -> T:
        """
        Do something that has no effect unless it succeeds; where the connection is broken, once
        more with a new one. A server that stays away is waited for once, and not again each time.
        """
        until = self._clock() + (0.0 if self._lost else PATIENCE)
        anew = False
        while True:
            try:
                if self._connection.closed and not self._closed:
                    anew = True
                    self._connection = self._connect()
                found = act()
            except (psycopg.OperationalError, LedgerError):
                if not self._connection.closed or self._closed:
                    raise
                if anew and self._clock() >= until:
                    self._lost = True
                    raise
                if anew:
                    self._sleep(_PAUSE)
            else:
                self._lost = False
                return found


class PostgresTransaction:
    """
    Statements between `BEGIN` and `COMMIT`.

    Args:
        connection: Is in a transaction.
    """

    def __init__(self, connection: Connection) -> None:
        assert connection.info.transaction_status is TransactionStatus.INTRANS
        self.connection = connection

    def alone(self, name: str) -> None:
        """
        Wait until no other transaction has said the same name.
        """
        self.connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCKS, name))

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """
        Carry a statement out; give how many rows it changed.
        """
        return self.connection.execute(_translated(sql), _plain(values)).rowcount

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """
        Carry a statement out for each row.
        """
        with self.connection.cursor() as cursor:
            cursor.executemany(_translated(sql), [_plain(row) for row in rows])

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """
        Give what a query finds.
        """
        return _rows(self.connection, sql, values)


def _rows(connection: Connection, sql: str, values: Sequence[Any]) -> list[Row]:
    found: list[Row] = list(connection.execute(_translated(sql), _plain(values)).fetchall())
    return found


def _translated(sql: str) -> bytes:
    """
    Write the parameters of a statement of ours as psycopg does; none has a `?` within a text.
    """
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _plain(values: Sequence[Any]) -> tuple[Any, ...]:
    """
    Replace what no text of PostgreSQL may hold, and what UTF-8 cannot.
    """
    return tuple(
        value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
        if isinstance(value, str)
        else value
        for value in values
    )
