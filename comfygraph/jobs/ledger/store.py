"""
The ledger: what is known about every job, kept by an engine.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Any, Self

from comfygraph.errors import ComfyGraphError, ExitCode, UsageError
from comfygraph.jobs.ledger import statements as sql
from comfygraph.jobs.ledger.base import (
    ENDED,
    BatchRecord,
    Holder,
    Intent,
    JobRecord,
    LedgerError,
    Query,
    ResultRecord,
    State,
    request_digest_of,
)
from comfygraph.jobs.ledger.claims import Claim
from comfygraph.jobs.ledger.codec import column_of, from_text, pack, record_of, to_text, unpack
from comfygraph.jobs.ledger.engine import Engine
from comfygraph.jobs.ledger.leases import BEAT_EVERY, Life, describe, here, life_of
from comfygraph.jobs.ledger.queries import conditions
from comfygraph.jobs.ledger.schema import set_up
from comfygraph.targets.base import Submission, graph_digest

_PAGE = 500
_AT_ONCE = 500
"""Jobs that are planned in one transaction."""


class NoSuchJob(UsageError):
    """
    The ledger has no such job, or the beginning of an id fits several.
    """


class Held(ComfyGraphError):
    """
    Another process carries the job out; `holder` says who.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, job: str, holder: Holder) -> None:
        super().__init__(
            f"job {job[:8]} is being carried out by {describe(holder)}",
            hint="follow it with `comfygraph jobs watch`, or end that process first",
        )
        self.holder = holder


class Ledger:
    """
    A ledger. Safe to share between threads; several processes may have the same one open.

    Args:
        engine: The database; it is closed with the ledger.
        clock: Seconds since 1970, for what people read; no decision hangs on it.

    Raises:
        LedgerError: It cannot be read or written, or a newer comfygraph made it.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self.clock = clock
        self._me: Holder | None = None
        self._lock = RLock()
        self._closing = Event()
        self._beats: Thread | None = None
        set_up(engine)

    @property
    def place(self) -> str:
        """
        Where the ledger is.
        """
        return self.engine.place

    def plan(self, intents: Iterable[Intent]) -> None:
        """
        Write jobs down that are to be sent; they are on the disk when this returns.

        Ids that are there already are left as they are.
        """
        page: list[Intent] = []
        for intent in intents:
            page.append(intent)
            if len(page) >= _AT_ONCE:
                self._plan(page)
                page = []
        if page:
            self._plan(page)

    def _plan(self, intents: list[Intent]) -> None:
        now = self.clock()
        payloads, jobs = {}, []
        for intent in intents:
            submission = intent.submission
            payload, body = pack(submission)
            payloads[payload] = body
            digest = graph_digest(submission.prompt)
            jobs.append(
                (
                    intent.id, State.PLANNED.value, intent.target, intent.base_url,
                    submission.key, digest,
                    request_digest_of(intent.target, intent.base_url, submission, digest),
                    payload, intent.label, intent.out, intent.batch, column_of(intent.variant),
                    to_text(intent.parameters), intent.retry_of, now, now,
                )
            )  # fmt: skip
        with self.engine.write(durable=True) as write:
            write.alone("payloads")  # or somebody who forgets jobs takes one for loose
            write.run_many(sql.INSERT_PAYLOAD, payloads.items())
            write.run_many(sql.INSERT_JOB, jobs)

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

    def claim(self, job: str, *, instead_of: Holder | None = None) -> Claim:
        """
        Take a job for this process; nobody else may carry it out until the claim is released.

        A claim of a process of this machine that is gone is taken over.

        Args:
            job: The id of the job.
            instead_of: A holder elsewhere that was silent for long enough (`leases.Watch`).

        Raises:
            Held: Somebody else has it.
            NoSuchJob: There is no such job.
        """
        me = self._register()
        with self.engine.write(durable=False) as write:
            if write.run(sql.CLAIM_FREE, (me.id, job)):
                return Claim(self, job, me.id)
        record = self.get(job)
        holder = self.holder(record.holder)
        gone = holder is not None and life_of(holder) is Life.GONE
        if holder is not None and not gone and holder != instead_of:
            raise Held(job, holder)
        with self.engine.write(durable=False) as write:
            seen = -1 if holder is None else holder.beat
            if write.run(sql.CLAIM_STALE, (me.id, job, record.holder, seen)):
                return Claim(self, job, me.id)
        return self.claim(job)  # it was released or taken in between

    def holder(self, holder: str) -> Holder | None:
        """
        Give who holds a claim by `JobRecord.holder`; `None` where they have signed off.
        """
        rows = self.engine.read(sql.READ_HOLDER, (holder,)) if holder else []
        return Holder(*rows[0]) if rows else None

    def forget(self, jobs: Iterable[str]) -> int:
        """
        Remove jobs with all that belongs to them; give how many there were.
        """
        gone = 0
        batches: set[str] = set()
        with self.engine.write(durable=True) as write:
            write.alone("payloads")
            for job in jobs:
                batches.update(row[0] for row in write.rows(sql.READ_BATCH_OF, (job,)))
                write.run(sql.DELETE_EVENTS, (job,))
                write.run(sql.DELETE_RESULTS, (job,))
                gone += write.run(sql.DELETE_JOB, (job,))
            write.run(sql.DELETE_LOOSE_PAYLOADS)
            # others without jobs may be about to be given theirs
            for batch in sorted(batches):
                write.run(sql.DELETE_EMPTY_BATCH, (batch,))
        return gone

    def prune(self, query: Query) -> int:
        """
        Remove the jobs that are meant and have ended; give how many there were.
        """
        ended = query.states & ENDED if query.states else ENDED
        gone = 0
        while ended:
            page = [record.id for record in self.jobs(replace(query, states=ended, limit=_PAGE))]
            if not page:
                break
            gone += self.forget(page)
        return gone

    def add_batch(self, batch: BatchRecord) -> None:
        """
        Write a batch down, before its jobs are planned; one that is there is left as it is.
        """
        row = (batch.id, batch.label, to_text(batch.spec), self.clock())
        with self.engine.write(durable=True) as write:
            write.run(sql.INSERT_BATCH, row)

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

    def learn(self, target: str, scope: str, spent: Mapping[str, tuple[float, float]]) -> None:
        """
        Add what was seen: name → seconds and work.
        """
        with self.engine.write(durable=False) as write:
            write.run_many(
                sql.ADD_PACE,
                [(target, scope, name, *pair) for name, pair in sorted(spent.items())],
            )

    def close(self) -> None:
        """
        Release what is claimed and let go of the database.
        """
        self._closing.set()
        if self._beats is not None:
            self._beats.join()
        with self._lock:
            if self._me is not None:
                try:
                    with self.engine.write(durable=False) as write:
                        write.run(sql.RELEASE_ALL, (self._me.id,))
                        write.run(sql.DELETE_HOLDER, (self._me.id,))
                except LedgerError:
                    pass  # others will see that we are gone
                self._me = None
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _register(self) -> Holder:
        with self._lock:
            if self._me is None:
                self._me = Holder(uuid.uuid4().hex, here(), 0)
                with self.engine.write(durable=False) as write:
                    write.run(sql.INSERT_HOLDER, (self._me.id, self._me.place))
                self._beats = Thread(target=self._beat, name="comfygraph-ledger", daemon=True)
                self._beats.start()
            return self._me

    def _beat(self) -> None:
        while not self._closing.wait(BEAT_EVERY):
            try:
                with self.engine.write(durable=False) as write:
                    write.run(sql.BEAT, (self._me.id if self._me else "",))
            except LedgerError:
                continue  # a beat that is missed is no harm
