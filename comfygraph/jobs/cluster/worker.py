"""
A worker: takes tasks out of the queue and carries them out, beside any number of others.

Each worker tells the database that it lives. The tasks of one that has been silent for long enough
are put back into the queue by whichever other sees it first; the ledger then says what is to be
done, and its claims see to it that one does it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.worker import Worker

from comfygraph.errors import UsageError
from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.cluster.carrying import Carrier, Later, Leaving
from comfygraph.jobs.cluster.limits import SharedLimits
from comfygraph.jobs.cluster.queue import TASK, engine_of, left_in, open_app, prepare
from comfygraph.jobs.ledger import JobRecord, Ledger, LedgerError
from comfygraph.jobs.settings import Settings
from comfygraph.targets import URL_SETTINGS, get_target

BEAT, SILENCE = 5.0, 20.0
"""Seconds between two signs of life, and without one after which a worker is taken for dead."""
CONCURRENCY = 8
_GRACE = 60.0
"""Seconds that submits under way may take when a worker is to end."""
_CONNECTIONS = 4
_AWAY = 3.0
_REPAIR = 300.0
_EMPTY_EVERY = 0.5
_TROUBLE = (ConnectorException, LedgerError, psycopg.Error)
_SERVER_TIME = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"


@dataclass(frozen=True, slots=True)
class WorkerTerms:
    """
    How a worker works.

    Args:
        queues: The services whose jobs it takes.
        concurrency: How many variants it carries out at the same time.
        once: Whether it ends when the queue is empty.
        out: A folder that takes the place of the batches' own.
        beat: Seconds between two signs of life.
        silence: Seconds without one after which another worker is taken for dead.
    """

    queues: Sequence[str]
    concurrency: int = CONCURRENCY
    once: bool = False
    out: str | None = None
    beat: float = BEAT
    silence: float = SILENCE


class ClusterWorker:
    """
    Carries out what is in the queue of a ledger. Make it where the event loop runs.

    Args:
        ledger: The ledger, in PostgreSQL.
        terms: How.
        config: Settings and credentials of the services, as in the environment.
        tell: Is told, in one line, what a person should know.
        report: Is told of each variant that is over, by its last job.
        settings: Clock, chance, patience; the rate limits are shared by all workers.

    Raises:
        UsageError: The ledger is a file.
        LedgerError: The queue cannot be made.
    """

    def __init__(
        self,
        ledger: Ledger,
        terms: WorkerTerms,
        *,
        config: Mapping[str, str],
        tell: Callable[[str], None],
        report: Callable[[JobRecord], None],
        settings: Settings | None = None,
    ) -> None:
        prepare(ledger)
        for name in ("procrastinate", "psycopg"):
            # what they complain about is told in our words; whoever logs gets all of it
            logging.getLogger(name).addHandler(logging.NullHandler())
        self._ledger = ledger
        self._terms = terms
        self._tell = tell
        self._leaving = Leaving()
        self._running: set[int] = set()
        given = settings or Settings()
        limits = SharedLimits(engine_of(ledger), clock=given.clock)
        self._clients = Clients()
        self._carrier = Carrier(
            ledger,
            config,
            self._clients,
            Settings(given.clock, given.chance, limits, given.uploads, given.patience),
            terms.concurrency,
            self._leaving,
            tell,
            report,
            terms.out,
            terms.silence,
        )

    def ask_stop(self) -> None:
        """
        Take no more tasks and leave those under way to others; a second call waits for nothing.
        """
        if self._leaving.asked.is_set():
            self._leaving.at_once.set()
        self._leaving.asked.set()

    async def run(self) -> None:
        """
        Work until asked to stop; or, where the terms say so, until the queue is empty.

        Raises:
            ComfyGraphError: What would go wrong with every job, such as bad credentials.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._tell_failure(context))
        try:
            while not self._leaving.asked.is_set():
                try:
                    async with open_app(self._ledger, _CONNECTIONS).open_async() as app:
                        await self._work(app)
                except _TROUBLE as exc:
                    self._tell(f"the queue is out of reach, trying again: {_why(exc)}")
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._leaving.asked.wait(), _AWAY)
        finally:
            await self._clients.close()
        if self._carrier.fatal is not None:
            raise self._carrier.fatal

    async def _work(self, app: App) -> None:
        app.task(name=TASK, pass_context=True, retry=_Again())(self._carry)
        terms = self._terms
        worker = Worker(
            app,
            queues=list(terms.queues),
            concurrency=terms.concurrency,
            delete_jobs="always",
            install_signal_handlers=False,
            shutdown_graceful_timeout=_GRACE,
            update_heartbeat_interval=terms.beat,
            stalled_worker_timeout=terms.silence,
            fetch_job_polling_interval=min(5.0, terms.beat),
        )
        beside = [
            asyncio.create_task(self._rescue(app, worker)),
            asyncio.create_task(self._stop_in_time(worker)),
        ]
        try:
            await worker.run()  # type: ignore[no-untyped-call]  # it gives nothing
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _carry(self, context: JobContext, job: str) -> None:
        number = context.job.id or 0
        self._running.add(number)
        try:
            await self._carrier.carry(job)
        except Later as exc:
            raise Postponed(self._server_time(exc.seconds)) from exc
        except Exception as exc:
            # a fault of ours costs no job: somebody may take it up when that is repaired
            self._tell(f"job {job[:8]}: internal error: {type(exc).__name__}: {exc}")
            raise Postponed(self._server_time(_REPAIR)) from exc
        finally:
            self._running.discard(number)

    def _server_time(self, ahead: float) -> datetime | None:
        """
        Give a moment by the clock of the server, by which the queue goes; `None` for at once.
        """
        if ahead <= 0:
            return None
        try:
            ((now,),) = engine_of(self._ledger).read(_SERVER_TIME)
        except LedgerError:
            return None
        return datetime.fromtimestamp(float(now), UTC) + timedelta(seconds=ahead)

    async def _stop_in_time(self, worker: Worker) -> None:
        while not self._leaving.asked.is_set():
            if self._terms.once:
                with suppress(LedgerError):
                    if not left_in(self._ledger, self._terms.queues):
                        self._leaving.asked.set()
                        break
            with suppress(TimeoutError):
                pause = _EMPTY_EVERY if self._terms.once else None
                await asyncio.wait_for(self._leaving.asked.wait(), pause)
        worker.stop()  # type: ignore[no-untyped-call]  # it gives nothing

    async def _rescue(self, app: App, worker: Worker) -> None:
        """
        Put tasks back into the queue that nobody carries out: those of workers that are silent, and
        those of our own whose end could not be told for want of a connection.
        """
        suspects: set[int] = set()
        while True:
            await asyncio.sleep(self._terms.beat)
            with suppress(*_TROUBLE):
                silence = self._terms.silence
                stalled = await app.job_manager.get_stalled_jobs(
                    task_name=TASK, seconds_since_heartbeat=silence
                )
                for job in stalled:
                    await self._put_back(app, job)
                if worker.worker_id is None:
                    continue
                mine = await app.job_manager.list_jobs_async(
                    task=TASK, status="doing", worker_id=worker.worker_id
                )
                idle = {job.id: job for job in mine if job.id and job.id not in self._running}
                for number in idle.keys() & suspects:
                    await self._put_back(app, idle[number])
                suspects = set(idle)

    async def _put_back(self, app: App, job: Job) -> None:
        with suppress(ConnectorException):  # another worker was quicker
            await app.job_manager.retry_job(job)

    def _tell_failure(self, context: dict[str, Any]) -> None:
        exc = context.get("exception")
        if not isinstance(exc, ConnectorException):  # the rescue deals with those
            self._tell(f"{context.get('message')}: {exc}")


class Postponed(Exception):
    """
    A task is to be taken up again at `at`, `None` for at once.
    """

    def __init__(self, at: datetime | None) -> None:
        super().__init__(at)
        self.at = at


class _Again(BaseRetryStrategy):
    """
    When a task is taken up again.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """
        Say when: at once, where the task was broken off.
        """
        return RetryDecision(retry_at=exception.at if isinstance(exception, Postponed) else None)


def _why(exc: BaseException) -> str:
    """
    Say in one line what is wrong with the database. Its messages name no passwords.
    """
    if isinstance(exc, LedgerError):
        return exc.message
    cause = exc.__cause__ or exc
    return str(cause).strip().split("\n")[0] or type(cause).__name__


def queues_for(config: Mapping[str, str]) -> dict[str, str]:
    """
    Give the services that can be used with some settings.

    Returns:
        Service → `""`, or what is missing.
    """
    found = {}
    for name, setting in URL_SETTINGS.items():
        try:
            get_target(name, {setting: "http://localhost", **config})
        except UsageError as exc:
            found[name] = exc.message
        else:
            found[name] = ""
    return found
