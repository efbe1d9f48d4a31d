"""
Carrying a batch out: so many jobs at a time, each through the ledger, tried again where that helps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from comfygraph.errors import (
    ComfyGraphError,
    DeadlinePassed,
    ServiceUnavailable,
    SubmissionUncertain,
    UsageError,
)
from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.batch.conduct import Conduct, index_of
from comfygraph.jobs.batch.events import (
    BatchEnded,
    BatchEvent,
    BatchNotice,
    BatchProgress,
    BatchStarted,
    VariantEnded,
    VariantRetried,
    VariantSent,
)
from comfygraph.jobs.batch.history import History, row_of
from comfygraph.jobs.batch.meter import Meter
from comfygraph.jobs.batch.outcomes import may_retry, stops_all
from comfygraph.jobs.batch.planning import (
    BatchPlan,
    default_concurrency,
    is_complete,
    retry_of,
)
from comfygraph.jobs.batch.servers import Servers
from comfygraph.jobs.batch.spending import Purse
from comfygraph.jobs.ledger import (
    BatchRecord,
    ClaimLost,
    Held,
    JobRecord,
    Ledger,
    LedgerError,
    State,
)
from comfygraph.jobs.settings import Settings
from comfygraph.targets.base import Target

_TELL_EVERY = 0.5
_AHEAD = 1000
_GIVEN_UP_AFTER = 5
_LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class _State:
    """
    What changes while a batch is carried out.
    """

    stopping: bool = False
    reason: str = ""
    retries_left: int = 0
    out_of_reach: int = 0
    error: BaseException | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a job has ended, for those that wait for money."""


class BatchRunner:
    """
    Carries out what a ledger has of a batch.

    It may be left at any moment, by cancelling its task or by killing the process, and gone on with
    by another runner of the same batch.

    Args:
        ledger: Has the batch and its jobs.
        batch: The batch.
        target: The service.
        others: More servers that are like it; new jobs are spread over all of them.
        clients: Connections for all jobs; default is some of its own.
        settings: Clock, chance, rate limits.
        concurrency: How many jobs are under way at the same time, where not as the batch says.
        force: Whether what is uncertain is sent again where it is not found.

    Raises:
        UsageError: The batch was not written completely, or its folder cannot be written to.
    """

    def __init__(
        self,
        ledger: Ledger,
        batch: BatchRecord,
        target: Target,
        *,
        others: Sequence[Target] = (),
        clients: Clients | None = None,
        settings: Settings | None = None,
        concurrency: int = 0,
        force: bool = False,
    ) -> None:
        self.batch = batch
        self.plan = BatchPlan.of(batch)
        self.ledger = ledger
        self._target = target
        self._clients = clients
        self._settings = settings or Settings()
        usual = default_concurrency(target) * (1 + len(others))
        self._concurrency = concurrency or self.plan.concurrency or usual
        if not is_complete(ledger, batch.id, self.plan):
            raise UsageError(
                f"the batch `{batch.id}` was never written down completely, and nothing was sent",
                hint="submit it anew",
            )
        self.history = History(ledger, batch.id, self.plan)
        self._queue: asyncio.Queue[BatchEvent | None] = asyncio.Queue(_AHEAD)
        self._state = _State(retries_left=self.plan.most_retries)
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        before = self.history.before()
        self._state.retries_left = max(self.plan.most_retries - before.retries, 0)
        self._purse = Purse(
            self.plan.max_cost, expected=self.plan.expected, spent=before.cost or 0.0
        )
        self._meter = Meter(
            self.plan.jobs,
            self.plan.weight,
            clock=self._settings.clock,
            succeeded=before.succeeded,
            failed=before.failed,
            cost=before.cost,
        )
        self._conduct = Conduct(
            ledger,
            batch.id,
            self.plan,
            Servers([target, *others], self._settings.clock),
            settings=self._settings,
            meter=self._meter,
            concurrency=self._concurrency,
            force=force,
        )

    @property
    def folder(self) -> Path | None:
        """
        The folder of files and manifest, or `None`.
        """
        return self._conduct.folder

    def ask_stop(self) -> None:
        """
        Send nothing more; follow what is under way to its end. Fit for a signal handler.
        """
        self._stop("interrupted")
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._state.ended.set)

    async def run(self) -> AsyncGenerator[BatchEvent]:
        """
        Carry the batch out and yield what happens; the last event is its end.

        Raises:
            LedgerError: The ledger cannot be written; nothing was sent after that.
            TargetError: No job can be handed in, such as for want of credentials.
        """
        self._loop = asyncio.get_running_loop()
        manifest = self.history.manifest(self.folder) if self.folder is not None else None
        if manifest is not None:
            manifest.rewrite(self.history.rows(self.folder))
        yield BatchStarted(self.batch.id, self.plan.jobs, self._meter.done)
        work = iter(self.history.pending())
        own = self._clients is None
        clients = self._clients or Clients()
        main = asyncio.create_task(self._work_all(work, clients))
        try:
            async for event in self._events():
                yield event
                if manifest is not None and isinstance(event, VariantEnded):
                    manifest.append([row_of(event, self.folder)])
            await main
        finally:
            await _ended(main, self._tasks)
            if own:
                await clients.close()
            if manifest is not None:
                manifest.rewrite(self.history.rows(self.folder))
        if self._state.error is not None:
            raise self._state.error
        yield self._meter.reading()
        yield BatchEnded(
            self.batch.id,
            self._meter.succeeded,
            self._meter.failed,
            self.plan.jobs - self._meter.done,
            self._meter.cost,
            self._state.reason,
        )

    async def _events(self) -> AsyncIterator[BatchEvent]:
        """
        Yield what the workers tell, and how far everything is each half second.
        """
        clock = self._settings.clock
        told = clock()
        last: BatchProgress | None = None
        while True:
            try:
                async with asyncio.timeout(max(told + _TELL_EVERY - clock(), 0.0)):
                    event = await self._queue.get()
            except TimeoutError:
                pass
            else:
                if event is None:
                    return
                yield event
            if clock() - told >= _TELL_EVERY:
                told = clock()
                reading = self._meter.reading()
                if reading != last:
                    last = reading
                    yield reading

    async def _work_all(self, work: Iterator[JobRecord], clients: Clients) -> None:
        count = max(min(self._concurrency, self.plan.jobs), 1)
        self._tasks = [asyncio.create_task(self._work(work, clients)) for _ in range(count)]
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._queue.put(None)

    async def _work(self, work: Iterator[JobRecord], clients: Clients) -> None:
        while not self._state.stopping:
            try:
                record = next(work, None)
                if record is None:
                    return
                if record.state is State.PLANNED and not await self._afford():
                    return
                await self._variant(record, clients)
            except BaseException as exc:
                self._stop("")
                self._state.ended.set()
                if isinstance(exc, Exception):
                    self._state.error = self._state.error or exc
                raise

    async def _afford(self) -> bool:
        """
        Wait until there is money for another job; false where there will be none.
        """
        while not self._purse.may_send():
            if not self._purse.waits:
                self._stop(f"--max-cost {self.plan.max_cost:g} is reached")
                return False
            self._state.ended.clear()
            await self._state.ended.wait()
            if self._state.stopping:
                return False
        return True

    async def _variant(self, record: JobRecord, clients: Clients) -> None:
        """
        Carry a variant to its end, with another job where the first one failed and may be replaced.
        """
        attempt = self.history.attempts(record)
        while True:
            ended, exc = await self._attempt(record, attempt, clients)
            if ended is None:
                return
            if not self._worth_a_try(ended, attempt):
                break
            wait = self._pause_before(attempt)
            self._state.retries_left -= 1
            await self._tell(VariantRetried(index_of(ended), _words(ended, exc), attempt + 1, wait))
            self._meter.spend(ended.cost)
            again = retry_of(self.ledger, ended, attempt + 1)
            self.ledger.plan([again])
            await asyncio.sleep(wait)
            if self._state.stopping or not await self._afford():
                self._leave(ended)
                return
            record = self.ledger.get(again.id)
            attempt += 1
        success = ended.state is State.SUCCEEDED
        self._meter.ended(index_of(ended), success=success, cost=ended.cost)
        await self._tell(self.history.event_of(ended, attempt, _words(ended, exc)))

    async def _attempt(
        self, record: JobRecord, attempt: int, clients: Clients
    ) -> tuple[JobRecord | None, ComfyGraphError | None]:
        """
        Carry one job out; give what is known of it then, `None` where it is left as it is.
        """
        self._purse.sent()
        await self._tell(VariantSent(index_of(record), record.parameters, attempt))
        failure: ComfyGraphError | None = None
        known = record
        try:
            known = await self._conduct.carry(record, clients, self._tell_if_room)
            self._state.out_of_reach = 0
        except (ClaimLost, Held) as exc:
            await self._tell(
                BatchNotice(f"variant {index_of(record)} is left alone: {exc.message}")
            )
            self._leave(record)
            return None, exc
        except LedgerError:
            raise
        except ComfyGraphError as exc:
            failure = exc
            known = self.ledger.get(record.id)
        finally:
            self._purse.ended(known.cost)
            self._state.ended.set()
        if failure is not None and not await self._bear(failure, known):
            return None, failure
        return known, failure

    async def _bear(self, exc: ComfyGraphError, record: JobRecord) -> bool:
        """
        See what an exception means for the batch; false where the variant is not over.
        """
        if stops_all(exc):
            self._stop(exc.message)
            self._state.error = self._state.error or exc
        if isinstance(exc, ServiceUnavailable | SubmissionUncertain):
            self._state.out_of_reach += 1
            if self._state.out_of_reach >= _GIVEN_UP_AFTER + self._concurrency:
                self._stop(f"the service is out of reach: {exc.message}")
        if record.state.ended or isinstance(exc, SubmissionUncertain):
            return True
        said = "may still run" if isinstance(exc, DeadlinePassed) else exc.message
        await self._tell(BatchNotice(f"variant {index_of(record)} is left as it is: {said}"))
        self._leave(record)
        return False

    def _worth_a_try(self, record: JobRecord, attempt: int) -> bool:
        return (
            may_retry(record)
            and attempt <= self.plan.retries
            and self._state.retries_left > 0
            and not self._state.stopping
        )

    def _pause_before(self, attempt: int) -> float:
        policy = self._target.policy
        full = min(policy.backoff_base * 4.0**attempt, _LONGEST_PAUSE)
        return full * (0.5 + 0.5 * self._settings.chance())

    def _leave(self, record: JobRecord) -> None:
        self._meter.left(index_of(record))

    def _stop(self, reason: str) -> None:
        if not self._state.stopping:
            self._state.stopping = True
            self._state.reason = reason

    async def _tell(self, event: BatchEvent) -> None:
        await self._queue.put(event)

    def _tell_if_room(self, event: BatchEvent) -> None:
        # what happens within a job only informs: nothing waits for a slow reader
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(event)


def _words(record: JobRecord, exc: ComfyGraphError | None) -> str:
    return record.message or (exc.message if exc is not None else "")


async def _ended(main: asyncio.Task[None], workers: list[asyncio.Task[None]]) -> None:
    # the workers are cancelled through what waits for them, and once only: a second time would
    # break off their cleaning up
    main.cancel()
    await asyncio.gather(main, *workers, return_exceptions=True)
