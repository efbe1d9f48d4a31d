"""
Carrying one variant of a batch to its end, from wherever whoever had it before has left it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from comfygraph.errors import (
    ComfyGraphError,
    DeadlinePassed,
    ServiceUnavailable,
    SubmissionUncertain,
    UsageError,
)
from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.batch.api import target_of
from comfygraph.jobs.batch.conduct import Conduct
from comfygraph.jobs.batch.history import History
from comfygraph.jobs.batch.meter import Meter
from comfygraph.jobs.batch.outcomes import may_go_on, stops_all
from comfygraph.jobs.batch.planning import BatchPlan, retry_of
from comfygraph.jobs.batch.servers import Servers
from comfygraph.jobs.batch.spending import Purse, Room
from comfygraph.jobs.cluster.queue import workers_of
from comfygraph.jobs.ledger import (
    UNFINISHED,
    Claim,
    ClaimLost,
    Held,
    JobRecord,
    Ledger,
    LedgerError,
    NoSuchJob,
    Query,
    State,
)
from comfygraph.jobs.ledger.leases import SILENCE, Life, Watch, describe, life_of
from comfygraph.jobs.pool import fellows
from comfygraph.jobs.settings import Settings
from comfygraph.targets import URL_SETTINGS
from comfygraph.targets.base import Target

T = TypeVar("T")

_LOOK = 1.0
_SOON, _HELD, _LATER, _MUCH_LATER = 2.0, 5.0, 15.0, 60.0
_LONGEST = 300.0
_GIVEN_UP_AFTER = 5
"""Failures in a row after which a service is taken for out of reach."""


class Later(Exception):
    """
    The variant is left for now; anybody may take it up in `seconds`.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Leaving:
    """
    That a worker is to end: `asked` leaves jobs as soon as that does no harm, `at_once` at once.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()


@dataclass(slots=True)
class _Work:
    """
    What is needed for the jobs of one batch.
    """

    plan: BatchPlan
    target: Target
    conduct: Conduct
    purse: Purse
    failures: int = 0
    shut_until: float = 0.0


@dataclass(slots=True)
class Carrier:
    """
    Carries variants out.

    Args:
        ledger: Has the jobs; in PostgreSQL.
        config: Settings and credentials of the services, as in the environment.
        clients: Connections that all jobs share.
        settings: Clock, chance, rate limits.
        concurrency: How many variants are carried out at the same time.
        leaving: When to leave.
        silence: Seconds without a beat after which a process elsewhere is taken for dead.
        out: A folder that takes the place of the batches' own.
        tell: Is told, in one line, what a person should know.
        report: Is told of each variant that is over, by its last job.
    """

    ledger: Ledger
    config: Mapping[str, str]
    clients: Clients
    settings: Settings
    concurrency: int
    leaving: Leaving
    tell: Callable[[str], None]
    report: Callable[[JobRecord], None]
    out: str | None = None
    silence: float = SILENCE
    fatal: ComfyGraphError | None = None
    """What would go wrong with every other job too."""
    _works: dict[str, _Work] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _watch: Watch = field(default_factory=lambda: Watch(time.monotonic))

    async def carry(self, job: str) -> None:
        """
        Carry a variant to its end, with further jobs where one failed in a way that may pass.

        Args:
            job: The id of its first job.

        Raises:
            Later: It is not over.
        """
        try:
            record = self.ledger.get(job)
            work = self._work_of(record.batch)
            await self._carry(record, work)
        except NoSuchJob:
            return  # somebody has removed it from the ledger
        except LedgerError as exc:
            self._tell_once(exc.message)
            raise Later(_LATER) from exc

    async def _carry(self, record: JobRecord, work: _Work) -> None:
        attempt, carried = 1, False
        while True:
            if not record.state.ended:
                record, carried = await self._one(record, work), True
            if not may_go_on(record):
                break
            attempt += 1
            again = retry_of(self.ledger, record, attempt)
            if not self._has(again.id):
                # what never came to be has another try whenever somebody asks for the variant anew
                asked_anew = record.state is State.REFUSED and not carried
                if not asked_anew and not self._may_try(record.batch, attempt, work.plan):
                    break
                self.ledger.plan([again])
                if carried:
                    pause = work.target.policy.backoff_base * 4.0 ** (attempt - 1)
                    await self._unless_leaving(asyncio.sleep(min(pause, _MUCH_LATER)))
            record = self.ledger.get(again.id)
        if record.state is State.PLANNED:
            return
        if carried:
            self.report(record)
        self._close_batch(record.batch, work)

    def _has(self, job: str) -> bool:
        try:
            self.ledger.get(job)
        except NoSuchJob:
            return False
        return True

    def _may_try(self, batch: str, attempt: int, plan: BatchPlan) -> bool:
        if attempt > plan.retries + 1:
            return False
        made = sum(self.ledger.counts(Query(batch=batch)).values())
        return made - plan.jobs < plan.most_retries

    async def _one(self, record: JobRecord, work: _Work) -> JobRecord:
        """
        Carry one job out; give what is known of it then.
        """
        if self.settings.clock() < work.shut_until:
            raise Later(work.shut_until - self.settings.clock())
        claim = await self._claim(record.id)
        try:
            record = claim.record()  # somebody may have had it in between
            if record.state.ended:
                return record
            if record.state is State.PLANNED and not self._affordable(record, work):
                return record
            known = await self._unless_leaving(
                work.conduct.carry(claim, self.clients, _ignore), record.id
            )
        except (Held, ClaimLost) as exc:
            raise Later(_HELD) from exc
        except LedgerError:
            raise
        except ComfyGraphError as exc:
            known = self.ledger.get(record.id)
            self._bear(exc, known, work)
        else:
            work.failures = 0
        finally:
            claim.release()
        return known

    def _bear(self, exc: ComfyGraphError, record: JobRecord, work: _Work) -> None:
        """
        See what an exception means: for this worker, for the service, for the variant.
        """
        if stops_all(exc):
            self.fatal = exc
            self.leaving.asked.set()
            raise Later(_SOON) from exc
        if isinstance(exc, ServiceUnavailable):
            work.failures += 1
            if work.failures >= _GIVEN_UP_AFTER:
                pause = min(_LATER * 2.0 ** (work.failures - _GIVEN_UP_AFTER), _LONGEST)
                work.shut_until = self.settings.clock() + pause
                self.tell(f"{work.plan.target} is out of reach, next try in {pause:.0f} s")
        if record.state.ended:
            return
        name = f"job {record.id[:8]}"
        if isinstance(exc, SubmissionUncertain):
            self.tell(f"{name} is uncertain: {exc.message}")
        elif isinstance(exc, DeadlinePassed):
            self.tell(f"{name} is left as it is, it may still run: {exc.message}")
        else:
            self.tell(f"{name} is left for now: {exc.message}")
            raise Later(_MUCH_LATER) from exc

    async def _claim(self, job: str) -> Claim:
        """
        Claim a job; one that a process elsewhere has is taken over once that has been silent.
        """
        beat: int | None = None
        while True:
            try:
                return self.ledger.claim(job)
            except Held as exc:
                holder = exc.holder
            if life_of(holder) is not Life.ELSEWHERE or beat not in (None, holder.beat):
                raise Later(_HELD)
            beat = holder.beat
            if self._watch.silent(holder, self.silence):
                self.tell(f"job {job[:8]} is taken over from {describe(holder)}")
                try:
                    return self.ledger.claim(job, instead_of=holder)
                except Held as exc:
                    raise Later(_HELD) from exc
            await self._unless_leaving(asyncio.sleep(_LOOK))

    def _affordable(self, record: JobRecord, work: _Work) -> bool:
        """
        Whether a job that is claimed may be sent.
        """
        match work.purse.room():
            case Room.YES:
                return True
            case Room.LATER:
                raise Later(_SOON * (0.5 + random.random()))
            case Room.NO:
                self._tell_once(
                    f"batch {record.batch}: --max-cost {work.plan.max_cost:g} is reached"
                )
                # whoever puts the rest into the queue again may have raised it
                self._works.pop(record.batch, None)
                return False

    async def _unless_leaving(self, doing: Coroutine[Any, Any, T], job: str | None = None) -> T:
        """
        Do something, unless the worker is to end: then leave it, though not in the middle of a
        submit, which might leave a job that nobody can be sure of.
        """
        main = asyncio.ensure_future(doing)
        asked = asyncio.ensure_future(self.leaving.asked.wait())
        try:
            await asyncio.wait((main, asked), return_when=asyncio.FIRST_COMPLETED)
            while job and not main.done() and not self.leaving.at_once.is_set():
                if self.ledger.get(job).state is not State.INTENDED:
                    break
                await asyncio.wait((main,), timeout=0.1)
            if not main.done():
                raise Later(0.0)
            return main.result()
        finally:
            asked.cancel()
            main.cancel()
            await asyncio.gather(asked, main, return_exceptions=True)

    def _work_of(self, batch: str) -> _Work:
        """
        Give what is needed for a batch.

        Raises:
            NoSuchJob: The ledger has it no more.
            Later: It cannot be carried out here, for want of settings.
        """
        if batch not in self._works:
            try:
                self._works[batch] = self._open(batch)
            except NoSuchJob:
                raise
            except UsageError as exc:
                self._tell_once(f"batch {batch} is left to other workers: {exc.message}")
                raise Later(_MUCH_LATER) from exc
        return self._works[batch]

    def _open(self, name: str) -> _Work:
        batch = next((item for item in self.ledger.batches() if item.id == name), None)
        if batch is None:
            raise NoSuchJob(f"the ledger has no batch `{name}`")
        plan = BatchPlan.of(batch)
        if self.out is not None:
            plan = replace(plan, out=self.out)
        target = target_of(self.ledger, batch, self.config)
        conduct = Conduct(
            self.ledger,
            batch.id,
            plan,
            Servers([target, *self._fellows(target)], self.settings.clock),
            settings=self.settings,
            meter=Meter(plan.jobs, plan.weight, clock=self.settings.clock),
            concurrency=self.concurrency * workers_of(self.ledger),
            force=False,
        )
        look = partial(self.ledger.outlay, batch.id)
        purse = Purse(look, plan.max_cost, expected=plan.expected, rest=0.0)
        return _Work(plan, target, conduct, purse)

    def _fellows(self, target: Target) -> list[Target]:
        setting = URL_SETTINGS[target.name]
        return fellows(target, {setting: target.base_url, **self.config})

    def _close_batch(self, batch: str, work: _Work) -> None:
        """
        Write the manifest, where that was the last job.
        """
        folder = work.conduct.folder
        unfinished = Query(batch=batch, states=UNFINISHED, limit=1)
        if folder is None or next(self.ledger.jobs(unfinished), None) is not None:
            return
        history = History(self.ledger, batch, work.plan)
        try:
            history.manifest(folder).rewrite(history.rows(folder))
        except (OSError, ComfyGraphError) as exc:
            self.tell(f"the manifest of batch {batch} was not written: {exc}")

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self.tell(line)


def _ignore(event: object) -> None:
    return
