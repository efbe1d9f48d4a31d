"""
What a database must be able to do to carry a ledger.

The statements (`comfygraph.jobs.ledger.statements`) are SQL that SQLite and PostgreSQL both read,
with `?` for parameters; an engine whose driver writes them otherwise replaces them. Values are
`str`, `int`, `float`, `bytes` and `None`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

Row: TypeAlias = Sequence[Any]


class Transaction(Protocol):
    """
    Statements that take effect together, or not at all.
    """

    def alone(self, name: str) -> None:
        """
        Wait until no other transaction has said the same name; until the end of this one, others
        that say it wait for us.
        """
        ...

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """
        Carry a statement out; give how many rows it changed.
        """
        ...

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """
        Carry a statement out for each row.
        """
        ...

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """
        Give what a query finds.
        """
        ...


class Engine(Protocol):
    """
    A database. May be used from several threads; other processes use the same one.
    """

    @property
    def place(self) -> str:
        """
        Where the ledger is, as a person may see it: no credentials.
        """
        ...

    @property
    def blob(self) -> str:
        """
        The type of bytes in a `CREATE TABLE`.
        """
        ...

    def write(self, *, durable: bool) -> AbstractContextManager[Transaction]:
        """
        Write: nobody else writes the same rows meanwhile.

        Args:
            durable: Whether it is on the disk, safe from a loss of power, when the block is left.

        Raises:
            LedgerError: It was not written, none of it.
        """
        ...

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """
        Give what a query finds.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        ...

    def close(self) -> None:
        """
        Let go of the database.
        """
        ...
