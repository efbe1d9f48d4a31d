"""
Carrying a batch out: so many jobs at a time, each through the ledger, tried again where that helps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import suppress
from functools import partial
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
from comfygraph.jobs.batch.course import Course
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
from comfygraph.jobs.batch.spending import Purse, Room
from comfygraph.jobs.ledger import (
    BatchRecord,
    Claim,
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
_LOOK, _LOOKS = 1.0, 3
"""Seconds between looks for money while jobs are under way, and how many are taken for jobs that
this process does not follow."""


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
        self._course = Course(ledger, self._tell_if_room, self._settings.clock)
        self._error: BaseException | None = None
        self.unreachable = False
        """Whether it was stopped since the service was out of reach."""
        self._out_of_reach = 0
        self._left_alone = 0
        self._tasks: list[asyncio.Task[None]] = []
        before = self.history.before()
        self._retries_left = max(self.plan.most_retries - before.retries, 0)
        self._purse = Purse(
            partial(ledger.outlay, batch.id),
            self.plan.max_cost,
            expected=self.plan.expected,
            clock=self._settings.clock,
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
        Send nothing more; follow what is at the service to its end. Fit for a signal handler.
        """
        self._course.ask_stop()

    def ask_leave(self) -> None:
        """
        Follow nothing any more, once no job is just being handed in. Fit for a signal handler.
        """
        self._course.ask_leave()

    async def run(self) -> AsyncGenerator[BatchEvent]:
        """
        Carry the batch out and yield what happens; the last event is its end.

        Raises:
            LedgerError: The ledger cannot be written; nothing was sent after that.
            TargetError: No job can be handed in, such as for want of credentials.
        """
        self._course.begin()
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
            if self._course.leaving:
                await self._course.submits_end()
            else:
                await main
        finally:
            await _ended(main, self._tasks)
            if own:
                await clients.close()
            if manifest is not None:
                manifest.rewrite(self.history.rows(self.folder))
        if self._error is not None:
            raise self._error
        yield self._meter.reading()
        # what was left to another process may be over by now
        known = self.history.before() if self._left_alone else self._meter
        yield BatchEnded(
            self.batch.id,
            known.succeeded,
            known.failed,
            self.plan.jobs - known.succeeded - known.failed,
            known.cost,
            self._course.reason,
        )

    async def _events(self) -> AsyncIterator[BatchEvent]:
        """
        Yield what the workers tell, and how far everything is each half second.
        """
        clock = self._settings.clock
        told = clock()
        last: BatchProgress | None = None
        while not self._course.leaving:
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
        while not self._queue.empty():
            event = self._queue.get_nowait()
            if event is not None:
                yield event

    async def _work_all(self, work: Iterator[JobRecord], clients: Clients) -> None:
        count = max(min(self._concurrency, self.plan.jobs), 1)
        self._tasks = [asyncio.create_task(self._work(work, clients)) for _ in range(count)]
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._queue.put(None)

    async def _work(self, work: Iterator[JobRecord], clients: Clients) -> None:
        while not self._course.stopping:
            try:
                record = next(work, None)
                if record is None:
                    return
                await self._variant(record, clients)
            except BaseException as exc:
                self._course.stop("")
                if isinstance(exc, Exception):
                    self._error = self._error or exc
                raise

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
            self._retries_left -= 1
            await self._tell(VariantRetried(index_of(ended), _words(ended, exc), attempt + 1, wait))
            self._meter.spend(ended.cost)
            again = retry_of(self.ledger, ended, attempt + 1)
            self.ledger.plan([again])
            await self._course.sleep(wait)
            if self._course.stopping:
                self._meter.left(index_of(ended))
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
        claim: Claim | None = None
        try:
            claim = await self._claim(record)
            if claim is None:
                self._meter.left(index_of(record))
                return None, None
            with self._course.following(record.id, index_of(record)):
                await self._tell(VariantSent(index_of(record), record.parameters, attempt))
                known = await self._conduct.carry(claim, clients, self._tell_if_room)
            self._out_of_reach = 0
            return known, None
        except (ClaimLost, Held) as exc:
            self._left_alone += 1
            if self._left_alone == 1:  # who meets another process once may do so ten thousand times
                said = f"variant {index_of(record)} is left alone, and so are others: {exc.message}"
                await self._tell(BatchNotice(said))
            self._meter.left(index_of(record))
            return None, exc
        except LedgerError:
            raise
        except ComfyGraphError as exc:
            known = self.ledger.get(record.id)
            return (known if await self._bear(exc, known) else None), exc
        except asyncio.CancelledError:
            self._meter.left(index_of(record))
            raise
        finally:
            if claim is not None:
                claim.release()

    async def _claim(self, record: JobRecord) -> Claim | None:
        """
        Claim a job, and wait until there is money for it; `None` where it is not to be sent.

        Raises:
            Held: Somebody else has it.
        """
        alone = 0
        while not self._course.stopping:
            claim = self.ledger.claim(record.id)
            if self.plan.max_cost is None or claim.record().state is not State.PLANNED:
                return claim
            try:
                room = self._purse.room()
            except LedgerError:
                claim.release()
                raise
            if room is Room.YES:
                return claim
            claim.release()
            alone = 0 if self._course.busy else alone + 1
            if room is Room.NO or alone > _LOOKS:
                self._course.stop(f"--max-cost {self.plan.max_cost:g} is reached")
                return None
            await self._course.next_end(_LOOK * (0.5 + self._settings.chance()))
        return None

    async def _bear(self, exc: ComfyGraphError, record: JobRecord) -> bool:
        """
        See what an exception means for the batch; false where the variant is not over.
        """
        if stops_all(exc):
            self._course.stop(exc.message)
            self._error = self._error or exc
        if isinstance(exc, ServiceUnavailable | SubmissionUncertain):
            self._out_of_reach += 1
            if self._out_of_reach >= _GIVEN_UP_AFTER + self._concurrency:
                self.unreachable = True
                self._course.stop(f"the service is out of reach: {exc.message}")
        if record.state.ended or isinstance(exc, SubmissionUncertain):
            return True
        said = "may still run" if isinstance(exc, DeadlinePassed) else exc.message
        await self._tell(BatchNotice(f"variant {index_of(record)} is left as it is: {said}"))
        self._meter.left(index_of(record))
        return False

    def _worth_a_try(self, record: JobRecord, attempt: int) -> bool:
        return (
            may_retry(record)
            and attempt <= self.plan.retries
            and self._retries_left > 0
            and not self._course.stopping
        )

    def _pause_before(self, attempt: int) -> float:
        policy = self._target.policy
        full = min(policy.backoff_base * 4.0**attempt, _LONGEST_PAUSE)
        return full * (0.5 + 0.5 * self._settings.chance())

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
