"""
From the name of a ledger to the ledger: the argument, then `COMFYGRAPH_LEDGER`, then our own place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from comfygraph.errors import UsageError
from comfygraph.jobs.ledger.engine import Engine
from comfygraph.jobs.ledger.store import Ledger

VARIABLE = "COMFYGRAPH_LEDGER"
_SCHEMES = ("postgresql://", "postgres://")


def default_place(environ: Mapping[str, str] = os.environ) -> str:
    """
    Give the ledger's place where nobody names one: `COMFYGRAPH_LEDGER`, else a file under the
    folder that the system has for such things.
    """
    named = environ.get(VARIABLE, "").strip()
    if named:
        return named
    import platformdirs

    return str(Path(platformdirs.user_data_dir("comfygraph", appauthor=False)) / "ledger.db")


def open_ledger(
    place: str | os.PathLike[str] | None = None, *, clock: Callable[[], float] = time.time
) -> Ledger:
    """
    Open a ledger; it is made where there is none.

    Args:
        place: A file, or a PostgreSQL database as `postgresql://user@host/database`; default is
            `default_place`.
        clock: Seconds since 1970, for what people read.

    Raises:
        UsageError: The URL cannot be read, or what it needs is not installed.
        LedgerError: It cannot be read or written.
    """
    place = place or default_place()
    engine = _engine(place)
    try:
        return Ledger(engine, clock=clock)
    except BaseException:
        engine.close()
        raise


def is_shared(place: str | os.PathLike[str]) -> bool:
    """
    Whether a ledger is on a server, for several machines.
    """
    return isinstance(place, str) and place.startswith(_SCHEMES)


def _engine(place: str | os.PathLike[str]) -> Engine:
    if isinstance(place, str) and is_shared(place):
        try:
            from comfygraph.jobs.ledger.postgres import PostgresEngine
        except ImportError as exc:
            raise UsageError(
                "a ledger in PostgreSQL needs psycopg",
                hint="pip install 'comfygraph[cluster]'",
            ) from exc
        return PostgresEngine(place)
    from comfygraph.jobs.ledger.sqlite import SqliteEngine

    return SqliteEngine(place)
