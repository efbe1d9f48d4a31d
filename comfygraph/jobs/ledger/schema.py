"""
Making the tables of a ledger, or bringing those of an older one up to date.
"""

from __future__ import annotations

from contextlib import suppress

from comfygraph.jobs.ledger import statements as sql
from comfygraph.jobs.ledger.base import LedgerError
from comfygraph.jobs.ledger.engine import Engine, Row


def set_up(engine: Engine) -> None:
    """
    Make what is missing; several processes may do so at once.

    Raises:
        LedgerError: A newer comfygraph has made the ledger, or it cannot be written.
    """
    # one that is up to date is only read: nobody waits for a process that writes
    with suppress(LedgerError):
        if _version(engine.read(sql.READ_META, ("schema",))) == len(sql.STEPS):
            return
    with engine.write(durable=True) as write:
        write.alone("schema")
        write.run(sql.CREATE_META)
        version = _version(write.rows(sql.READ_META, ("schema",)))
        if version > len(sql.STEPS):
            raise LedgerError(
                f"the ledger {engine.place} was made by a newer comfygraph",
                hint="update comfygraph, or name another ledger with --ledger",
            )
        for step in sql.STEPS[version:]:
            for statement in step:
                write.run(statement.replace("{blob}", engine.blob))
        if version < len(sql.STEPS):
            write.run(sql.WRITE_META, ("schema", str(len(sql.STEPS))))


def _version(rows: list[Row]) -> int:
    return int(rows[0][0]) if rows else 0
