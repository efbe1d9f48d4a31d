"""
Reading a ledger: jobs, their graphs, events and files; batches; what was learned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from comfygraph.errors import UsageError
from comfygraph.jobs.ledger import statements as sql
from comfygraph.jobs.ledger.base import (
    BatchRecord,
    Holder,
    JobRecord,
    Query,
    ResultRecord,
    State,
)
from comfygraph.jobs.ledger.codec import column_of, from_text, record_of, unpack
from comfygraph.jobs.ledger.engine import Engine
from comfygraph.jobs.ledger.queries import conditions
from comfygraph.targets.base import JobRef, Submission

_PAGE = 500


class NoSuchJob(UsageError):
    """
    The ledger has no such job, or the beginning of an id fits several.
    """


class Reading:
    """
    What can be read of a ledger.

    Args:
        engine: The database.
        clock: Seconds since 1970, for what people read; no decision hangs on it.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self.engine = engine
        self.clock = clock

    @property
    def place(self) -> str:
        """
        Where the ledger is.
        """
        return self.engine.place

    def get(self, job: str) -> JobRecord:
        """
        Give a job by its id.

        Raises:
            NoSuchJob: There is none.
        """
        rows = self.engine.read(f"{sql.SELECT_JOBS} WHERE id = ?", (job,))
        if not rows:
            raise NoSuchJob(f"the ledger has no job `{job}`", hint="`comfygraph jobs list`")
        return record_of(rows[0])

    def find(self, prefix: str) -> JobRecord:
        """
        Give a job by the beginning of its id, or by the whole of the service's id or of its key.

        Raises:
            NoSuchJob: None fits, or more than one.
        """
        if prefix and all(char in "0123456789abcdef" for char in prefix):
            rows = self.engine.read(
                f"{sql.SELECT_JOBS} WHERE id >= ? AND id < ? ORDER BY id LIMIT 4",
                (prefix, prefix + "g"),
            )
        else:
            rows = []
        if not rows and prefix:
            rows = self.engine.read(
                f"{sql.SELECT_JOBS} WHERE job_id = ? OR key = ? ORDER BY id LIMIT 4",
                (prefix, prefix),
            )
        if not rows:
            raise NoSuchJob(
                f"the ledger has no job `{prefix}`", hint="`comfygraph jobs list` shows them"
            )
        records = [record_of(row) for row in rows]
        if len(records) > 1 and records[0].id != prefix:
            some = ", ".join(record.id[:12] for record in records[:3])
            raise NoSuchJob(f"`{prefix}` fits several jobs: {some}", hint="give more of the id")
        return records[0]

    def of(self, ref: JobRef) -> JobRecord:
        """
        Give the job that a reference stands for; the latest, where a key was used more than once.

        Raises:
            NoSuchJob: There is none.
        """
        place = Query(target=ref.target, base_url=ref.base_url, key=ref.key, newest_first=True)
        for record in self.jobs(place):
            if not ref.job_id or record.job_id in ("", ref.job_id):
                return record
        raise NoSuchJob(f"the ledger has no job `{ref.job_id or ref.key}` of {ref.target}")

    def jobs(self, query: Query = Query()) -> Iterator[JobRecord]:  # noqa: B008  # a value
        """
        Yield the jobs that are meant, in the order in which they were planned; a page at a time.
        """
        where, values = conditions(query)
        sign, order = ("<", "DESC") if query.newest_first else (">", "ASC")
        left = query.limit
        start: tuple[Any, ...] = ()
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            after = f" AND (created, variant, id) {sign} (?, ?, ?)" if start else ""
            rows = self.engine.read(
                f"{sql.SELECT_JOBS} WHERE {where}{after} "
                f"ORDER BY created {order}, variant {order}, id {order} LIMIT {size}",
                (*values, *start),
            )
            for row in rows:
                yield record_of(row)
            if len(rows) < size:
                return
            last = record_of(rows[-1])
            start = (last.created, column_of(last.variant), last.id)
            left = None if left is None else left - len(rows)

    def counts(self, query: Query = Query()) -> dict[State, int]:  # noqa: B008  # a value
        """
        Count the jobs that are meant by state; states without any are left out.
        """
        where, values = conditions(query)
        rows = self.engine.read(
            f"SELECT state, COUNT(*) FROM jobs WHERE {where} GROUP BY state", values
        )
        return {State(state): int(count) for state, count in rows}

    def cost(self, query: Query = Query()) -> float:  # noqa: B008  # a value
        """
        Add up what the jobs that are meant have cost, as far as the services said.
        """
        where, values = conditions(query)
        rows = self.engine.read(f"SELECT SUM(cost) FROM jobs WHERE {where}", values)
        return float(rows[0][0] or 0.0)

    def outlay(self, batch: str) -> tuple[float, float, int, int]:
        """
        Give what the jobs of a batch have cost, what the dearest has, how many may cost something
        yet (under way, or claimed to be sent), and of how many nobody knows whether they exist.
        """
        ((spent, dearest, under_way, doubtful),) = self.engine.read(sql.OUTLAY, (batch,))
        return float(spent), float(dearest), int(under_way), int(doubtful)

    def submission(self, job: str) -> Submission:
        """
        Give the graph of a job with its key and options, fit to be sent.

        Raises:
            NoSuchJob: There is no such job.
        """
        rows = self.engine.read(sql.READ_PAYLOAD, (job,))
        if not rows:
            raise NoSuchJob(f"the ledger has no job `{job}`")
        return unpack(bytes(rows[0][0]), rows[0][1])

    def events(self, job: str) -> list[tuple[float, dict[str, Any]]]:
        """
        Give the events of a job with their times, as `event_to_json` writes them; steps and
        pictures of nodes at work are not kept.
        """
        return [(at, from_text(body)) for at, body in self.engine.read(sql.READ_EVENTS, (job,))]

    def results(self, job: str) -> list[ResultRecord]:
        """
        Give the files of a job.
        """
        rows = self.engine.read(sql.READ_RESULTS, (job,))
        return [
            ResultRecord(key, name, node_id, kind, url, path, size, sha256, bool(preview))
            for key, name, node_id, kind, url, path, size, sha256, preview in rows
        ]

    def replacements(self) -> dict[str, str]:
        """
        Give the jobs that were retried: id → the id of the latest job in its place.
        """
        return dict(tuple(row) for row in self.engine.read(sql.READ_REPLACEMENTS))

    def witnesses(self, record: JobRecord, limit: int = 3) -> list[JobRecord]:
        """
        Give jobs that the same service took before this one was about to be sent, newest first.

        A service that keeps jobs in memory and still knows one of them would know this one too.
        """
        rows = self.engine.read(
            f"{sql.SELECT_JOBS} WHERE base_url = ? AND target = ? AND accepted_mark > 0 "
            f"AND accepted_mark < ? AND id <> ? ORDER BY accepted_mark DESC LIMIT {limit}",
            (record.base_url, record.target, record.intended_mark, record.id),
        )
        return [record_of(row) for row in rows]

    def holder(self, holder: str) -> Holder | None:
        """
        Give who holds a claim by `JobRecord.holder`; `None` where they have signed off.
        """
        rows = self.engine.read(sql.READ_HOLDER, (holder,)) if holder else []
        return Holder(*rows[0]) if rows else None

    def batches(self) -> list[BatchRecord]:
        """
        Give all batches, oldest first.
        """
        rows = self.engine.read(f"{sql.READ_BATCHES} ORDER BY created, id")
        return [BatchRecord(batch, label, from_text(spec), at) for batch, label, spec, at in rows]

    def paces(self, target: str, scope: str = "") -> dict[str, float]:
        """
        Give what was learned: seconds for each unit of work, by node id for a graph's shape, by
        class for the scope `""`.
        """
        rows = self.engine.read(sql.READ_PACES, (target, scope))
        return {name: seconds / work for name, seconds, work in rows if work > 0}
