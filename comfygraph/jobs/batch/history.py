"""
What a ledger knows of a batch: what is over, what is to be done, and the rows of the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from comfygraph.jobs.batch.events import VariantEnded
from comfygraph.jobs.batch.manifest import Manifest, Row
from comfygraph.jobs.batch.outcomes import may_go_on
from comfygraph.jobs.batch.planning import BatchPlan, retry_of
from comfygraph.jobs.ledger import JobRecord, Ledger, Query, State


class Before(NamedTuple):
    """
    What was over when a runner began.

    Args:
        succeeded: Variants that ended well.
        failed: Variants that ended otherwise and are not tried again.
        retries: Jobs that were made for variants that had one before.
        cost: What all jobs have cost, `None` where no service said.
    """

    succeeded: int
    failed: int
    retries: int
    cost: float | None


class History:
    """
    The jobs of a batch, read a page at a time. Only further tries are held in memory.

    Args:
        ledger: Has them.
        batch: The id of the batch.
        plan: What the batch is.
    """

    def __init__(self, ledger: Ledger, batch: str, plan: BatchPlan) -> None:
        self._ledger = ledger
        self._batch = batch
        self._plan = plan
        self._tries: dict[int, list[JobRecord]] = {}

    def before(self) -> Before:
        """
        Count what is over.
        """
        self._read_tries()
        succeeded = failed = 0
        for record in self._first_jobs():
            last = self._last(record)
            if last.state is State.SUCCEEDED:
                succeeded += 1
            elif last.state.ended and not self._goes_on(last):
                failed += 1
        cost = self._ledger.cost(Query(batch=self._batch))
        return Before(succeeded, failed, sum(map(len, self._tries.values())), cost or None)

    def pending(self) -> Iterator[JobRecord]:
        """
        Yield what is to be carried out, oldest first; what failed in a way that may have passed
        gets a new job.
        """
        for record in self._first_jobs():
            last = self._ledger.get(self._last(record).id)
            if not last.state.ended:
                yield last
            elif self._goes_on(last):
                again = retry_of(self._ledger, last, self.attempts(last) + 1)
                self._ledger.plan([again])
                yield self._ledger.get(again.id)

    def attempts(self, record: JobRecord) -> int:
        """
        Give the number of a job among those of its variant, from 1.
        """
        if not record.retry_of:
            return 1
        tries = self._tries.get(record.variant or 0, [])
        place = next((i for i, item in enumerate(tries) if item.id == record.id), len(tries))
        return place + 2

    def rows(self, folder: Path | None) -> Iterator[Row]:
        """
        Yield the rows of the manifest, in the order of the batch.

        Args:
            folder: What paths are made relative to.
        """
        self._read_tries()
        for record in self._first_jobs():
            last = self._last(record)
            jobs = [record, *self._tries.get(record.variant or 0, [])]
            costs = [job.cost for job in jobs if job.cost is not None]
            yield Row(
                index=(last.variant or 0) + 1,
                state=last.state.value,
                parameters=last.parameters,
                label=last.label,
                job=last.job_id,
                key=last.key,
                digest=last.digest,
                attempts=len(jobs),
                cost=sum(costs) if costs else None,
                files=tuple(_relative(path, folder) for path in self.files(last)),
                message=last.message,
            )

    def files(self, record: JobRecord) -> tuple[str, ...]:
        """
        Give the paths of a job's files where they are saved, else their addresses.
        """
        results = self._ledger.results(record.id)
        wanted = [result for result in results if not result.preview or result.path] or results
        return tuple(result.path or result.url for result in wanted)

    def event_of(self, record: JobRecord, attempts: int, message: str) -> VariantEnded:
        """
        Give the end of a variant as an event; one that ended well says which files are missing.
        """
        if record.state is State.SUCCEEDED and self._plan.out is not None:
            results = self._ledger.results(record.id)
            missing = [item.name for item in results if not item.preview and not item.path]
            if missing:
                message = (
                    f"{', '.join(missing[:3])} could not be fetched; "
                    f"`comfygraph jobs results --batch {self._batch}` tries again"
                )
        return VariantEnded(
            index=(record.variant or 0) + 1,
            state=record.state.value,
            parameters=record.parameters,
            job=record.job_id,
            files=self.files(record) if record.state is State.SUCCEEDED else (),
            cost=record.cost,
            message=message,
            attempts=attempts,
            label=record.label,
        )

    def manifest(self, folder: Path) -> Manifest:
        """
        Give the manifest in a folder.
        """
        return Manifest(folder, self._batch, self._plan.parameters)

    def _first_jobs(self) -> Iterator[JobRecord]:
        for record in self._ledger.jobs(Query(batch=self._batch)):
            if not record.retry_of:
                yield record

    def _read_tries(self) -> None:
        self._tries = {}
        for record in self._ledger.jobs(Query(batch=self._batch)):
            if record.retry_of:
                self._tries.setdefault(record.variant or 0, []).append(record)

    def _last(self, record: JobRecord) -> JobRecord:
        return self._tries.get(record.variant or 0, [record])[-1]

    def _goes_on(self, record: JobRecord) -> bool:
        if not may_go_on(record):
            return False
        return record.state is State.REFUSED or self.attempts(record) <= self._plan.retries


def row_of(event: VariantEnded, folder: Path | None) -> Row:
    """
    Give the row of the manifest for a variant that has just ended.
    """
    return Row(
        index=event.index,
        state=event.state,
        parameters=event.parameters,
        label=event.label,
        job=event.job,
        attempts=event.attempts,
        cost=event.cost,
        files=tuple(_relative(path, folder) for path in event.files),
        message=event.message,
    )


def _relative(path: str, folder: Path | None) -> str:
    if folder is None:
        return path
    place = Path(path)
    return place.relative_to(folder).as_posix() if place.is_relative_to(folder) else path
