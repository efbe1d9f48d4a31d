"""
The ledger: what is known about every job, kept by an engine.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Self

from comfygraph.errors import ComfyGraphError, ExitCode
from comfygraph.jobs.ledger import statements as sql
from comfygraph.jobs.ledger.base import (
    ENDED,
    BatchRecord,
    Holder,
    Intent,
    LedgerError,
    Query,
    State,
    request_digest_of,
)
from comfygraph.jobs.ledger.claims import Claim
from comfygraph.jobs.ledger.codec import column_of, pack, to_text
from comfygraph.jobs.ledger.engine import Engine
from comfygraph.jobs.ledger.leases import BEAT_EVERY, Life, describe, here, life_of
from comfygraph.jobs.ledger.queries import conditions
from comfygraph.jobs.ledger.reading import Reading
from comfygraph.jobs.ledger.schema import set_up
from comfygraph.targets.base import graph_digest

_PAGE = 500
_AT_ONCE = 500
"""Jobs that are planned in one transaction."""


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


class Ledger(Reading):
    """
    A ledger. Safe to share between threads; several processes may have the same one open.

    Args:
        engine: The database; it is closed with the ledger.
        clock: Seconds since 1970, for what people read; no decision hangs on it.

    Raises:
        LedgerError: It cannot be read or written, or a newer comfygraph made it.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(engine, clock)
        self._me: Holder | None = None
        self._lock = RLock()
        self._closing = Event()
        self._beats: Thread | None = None
        set_up(engine)

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

    def plan_unless(self, intent: Intent, known: Sequence[Query]) -> bool:
        """
        Write a job down unless the ledger has one that is meant; say whether that was done. Of
        several processes that do so at the same time, one does it.
        """
        return self._plan([intent], known)

    def _plan(self, intents: list[Intent], unless: Sequence[Query] = ()) -> bool:
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
            for query in unless:
                where, values = conditions(query)
                if write.rows(f"SELECT id FROM jobs WHERE {where} LIMIT 1", values):
                    return False
            write.run_many(sql.INSERT_PAYLOAD, payloads.items())
            write.run_many(sql.INSERT_JOB, jobs)
        return True

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

    def revise_batch(self, batch: BatchRecord) -> None:
        """
        Have a batch be gone on with by another spec.
        """
        with self.engine.write(durable=True) as write:
            write.run(sql.REVISE_BATCH, (to_text(batch.spec), batch.id))

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
