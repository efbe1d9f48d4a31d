"""
PostgreSQL in our words: addresses without passwords, failures with a way out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import conninfo, errors

from comfygraph.errors import UsageError
from comfygraph.jobs.ledger.base import LedgerError

_PORTS = re.compile(r"[0-9]{0,5}(,[0-9]{0,5})*")
_HINT = "is the address right, and does PostgreSQL run there?"


def read_url(url: str, usual: Mapping[str, str]) -> tuple[str, str]:
    """
    Read a URL of libpq.

    Args:
        url: The URL.
        usual: Settings where the URL gives none.

    Returns:
        The URL as a person may see it, and what `psycopg.connect` takes.

    Raises:
        UsageError: It cannot be read.
    """
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0]
    if authority.count("@") > 1:
        # libpq would take the rest of the password for the host, and name it in its messages
        raise UsageError(
            "the URL of the ledger has more than one `@` before its host",
            hint="write an `@` in a password as %40, a `/` as %2F",
        )
    try:
        given = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        given = None
    ports = str(given.get("port") or "0") if given is not None else ""
    if given is None or _PORTS.fullmatch(ports) is None or "@" in str(given.get("dbname") or ""):
        # messages of libpq would quote what may be part of a password
        raise UsageError(
            "the URL of the ledger cannot be read",
            hint="write it like postgresql://user@host:5432/database, "
            "an `@` in a password as %40, a `/` as %2F",
        )
    settings = {**usual, **{name: str(value) for name, value in given.items()}}
    return _shown(settings), conninfo.make_conninfo(**settings)


def _shown(settings: Mapping[str, str]) -> str:
    user = settings.get("user", "")
    host = settings.get("host") or settings.get("hostaddr") or ""
    port = settings.get("port", "")
    shown = "postgresql://" + (f"{user}@" if user else "")
    extra = []
    if host.startswith("/"):  # the folder of a socket
        extra.append(f"host={host}")
        extra += [f"port={port}"] if port else []
    else:
        shown += (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    shown += f"/{settings.get('dbname', '')}"
    if settings.get("service"):
        extra.append(f"service={settings['service']}")
    return shown + (f"?{'&'.join(extra)}" if extra else "")


def unreached(place: str, exc: psycopg.Error) -> LedgerError:
    """
    Say why there is no connection. Messages of libpq name host and user, never a password.
    """
    first = str(exc).strip().split("\n")[0]
    why = first.rpartition("failed: ")[2] or first or type(exc).__name__
    hint = _HINT
    if "password" in why or "authentication" in why:
        hint = "the password stands in the URL, in PGPASSWORD or in ~/.pgpass"
    elif "does not exist" in why and "database" in why:
        hint = "make it with `createdb --encoding UTF8`"
    return LedgerError(f"the ledger {place} cannot be reached: {why}", hint=hint)


@contextmanager
def in_our_words(place: str) -> Iterator[None]:
    """
    Raise what goes wrong with the database as a `LedgerError`.
    """
    try:
        yield
    except errors.InsufficientPrivilege as exc:
        raise LedgerError(
            f"the ledger {place} may not be written to: {_primary(exc)}",
            hint="GRANT CREATE ON DATABASE ... TO that user, once, and let it make the tables",
        ) from exc
    except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure) as exc:
        raise LedgerError(
            f"another process keeps the ledger {place} locked", hint="try again"
        ) from exc
    except errors.DiskFull as exc:
        raise LedgerError(f"no space for the ledger {place}", hint="free some space") from exc
    except errors.ReadOnlySqlTransaction as exc:
        raise LedgerError(
            f"the ledger {place} is a copy that cannot be written to",
            hint="name the primary server; target_session_attrs=read-write finds it",
        ) from exc
    except psycopg.Error as exc:
        raise LedgerError(f"the ledger {place} fails: {_primary(exc)}", hint=_HINT) from exc


def _primary(exc: psycopg.Error) -> str:
    # the detail would quote values
    return exc.diag.message_primary or str(exc).strip().split("\n")[0] or type(exc).__name__
