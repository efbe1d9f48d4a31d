"""
From the name of a ledger to the ledger: the argument, then `COMFYGRAPH_LEDGER`, then our own place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from comfygraph.jobs.ledger.store import Ledger

VARIABLE = "COMFYGRAPH_LEDGER"


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
        place: A file; default is `default_place`.
        clock: Seconds since 1970, for what people read.

    Raises:
        LedgerError: It cannot be read or written.
    """
    from comfygraph.jobs.ledger.sqlite import SqliteEngine

    return Ledger(SqliteEngine(place or default_place()), clock=clock)
