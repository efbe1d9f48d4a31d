"""
The queue: Procrastinate's tables in the schema of the ledger, and putting jobs into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from comfygraph.errors import UsageError
from comfygraph.jobs.batch.outcomes import may_go_on
from comfygraph.jobs.ledger import JobRecord, Ledger, Query
from comfygraph.jobs.ledger import statements as sql
from comfygraph.jobs.ledger.postgres import SCHEMA, PostgresEngine

if TYPE_CHECKING:
    import psycopg

TASK = "comfygraph.carry"
"""The name of the one task: carry a variant to its end."""
_VERSION = "queue"
"""Under which name the ledger notes the last migration of Procrastinate that was applied."""
_AT_ONCE = 500
_CREATE_LIMITS = (
    "CREATE TABLE IF NOT EXISTS limits (key TEXT PRIMARY KEY, free_at DOUBLE PRECISION NOT NULL)"
)
_LIVE = "status IN ('todo', 'doing')"
_TAKEN = f"SELECT lock FROM procrastinate_jobs WHERE {_LIVE} AND lock = ANY(?)"
_LEFT = f"SELECT COUNT(*) FROM procrastinate_jobs WHERE {_LIVE} AND queue_name = ANY(?)"
_OF_BATCH = (
    f"SELECT COUNT(*) FROM procrastinate_jobs WHERE {_LIVE} "
    "AND lock IN (SELECT key FROM jobs WHERE batch = ?)"
)
_WORKERS = "SELECT COUNT(*) FROM procrastinate_workers"


def engine_of(ledger: Ledger) -> PostgresEngine:
    """
    Give the database of a ledger that several machines share.

    Raises:
        UsageError: It is a file.
    """
    if not isinstance(ledger.engine, PostgresEngine):
        raise UsageError(
            f"the ledger {ledger.place} is a file, which other machines do not see",
            hint="name one in PostgreSQL: --ledger postgresql://user@host/database",
        )
    return ledger.engine


def prepare(ledger: Ledger) -> None:
    """
    Make what the queue needs, or bring it up to date; several processes may do so at once.

    Raises:
        UsageError: The ledger is a file.
        LedgerError: The database refuses.
    """
    engine = engine_of(ledger)
    folder = resources.files("procrastinate.sql")
    steps = sorted(
        item.name for item in (folder / "migrations").iterdir() if item.name.endswith(".sql")
    )
    if _done(engine.read(sql.READ_META, (_VERSION,))) >= steps[-1]:
        return
    with engine.write(durable=True) as write:
        write.alone("queue")
        done = _done(write.rows(sql.READ_META, (_VERSION,)))
        if not done:
            write.run(_CREATE_LIMITS)
            write.connection.execute((folder / "schema.sql").read_bytes())
        else:
            for name in (name for name in steps if name > done):
                write.connection.execute((folder / "migrations" / name).read_bytes())
        if done < steps[-1]:
            write.run(sql.WRITE_META, (_VERSION, steps[-1]))


def _done(rows: Sequence[Sequence[Any]]) -> str:
    return str(rows[0][0]) if rows else ""


def defer_batch(ledger: Ledger, batch: str) -> int:
    """
    Put the variants of a batch that are not over into the queue; those that are in it stay.

    Args:
        ledger: Has the batch; its queue is prepared.
        batch: The id of the batch.

    Returns:
        How many were put into it.

    Raises:
        UsageError: The ledger is a file.
        LedgerError: The database refuses; what was put into the queue until then stays.
    """
    count = 0
    page: list[JobRecord] = []
    for record in ledger.jobs(Query(batch=batch)):
        # a further try is found through the first
        if not record.retry_of and (not record.state.ended or may_go_on(record)):
            page.append(record)
        if len(page) >= _AT_ONCE:
            count += _defer(ledger, page)
            page = []
    return count + _defer(ledger, page)


def _defer(ledger: Ledger, records: Iterable[JobRecord]) -> int:
    manager = JobManager(SyncPsycopgConnector())
    keys = [record.key for record in records]
    with engine_of(ledger).write(durable=True) as write:
        # a task that is tried again must find its lock free: one task for a key, waiting or not
        write.alone("defer")
        taken = {row[0] for row in write.rows(_TAKEN, (keys,))}
        jobs = [
            Job(
                queue=record.target,
                lock=record.key,
                queueing_lock=record.key,
                task_name=TASK,
                task_kwargs={"job": record.id},
            )
            for record in records
            if record.key not in taken
        ]
        if jobs:
            manager.batch_defer_jobs(jobs, connection=write.connection)
    return len(jobs)


def left_in(ledger: Ledger, queues: Sequence[str]) -> int:
    """
    Count what waits in these queues or is being carried out.
    """
    return int(engine_of(ledger).read(_LEFT, (list(queues),))[0][0])


def left_of(ledger: Ledger, batch: str) -> int:
    """
    Count the variants of a batch that wait in the queue or are being carried out.
    """
    return int(engine_of(ledger).read(_OF_BATCH, (batch,))[0][0])


def workers_of(ledger: Ledger) -> int:
    """
    Count the workers, at least one; a dead one counts until it is taken for dead.
    """
    return max(int(engine_of(ledger).read(_WORKERS)[0][0]), 1)


def open_app(ledger: Ledger, connections: int) -> App:
    """
    Give Procrastinate on the database of a ledger; it is to be opened.
    """
    connector = PsycopgConnector(
        conninfo=engine_of(ledger).conninfo,
        min_size=1,
        max_size=connections,
        configure=_configure,
    )
    return App(connector=connector)


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    before = connection.autocommit
    await connection.set_autocommit(True)
    await connection.execute(f"SET search_path = {SCHEMA}".encode())
    await connection.set_autocommit(before)
