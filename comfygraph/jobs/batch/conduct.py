"""
How one job of a batch is carried out: where its files go, how often it is asked for, who listens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from comfygraph.core.values import Prompt
from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.batch.events import BatchEvent, VariantEvent
from comfygraph.jobs.batch.file_names import FileNames
from comfygraph.jobs.batch.meter import Meter
from comfygraph.jobs.batch.pacing import Pace
from comfygraph.jobs.batch.placing import namer_for
from comfygraph.jobs.batch.planning import BatchPlan, weigh
from comfygraph.jobs.batch.servers import Servers
from comfygraph.jobs.files import MAX_FILE_BYTES, Folder, open_folder
from comfygraph.jobs.ledger import Claim, JobRecord, Ledger
from comfygraph.jobs.local_files import Sources
from comfygraph.jobs.progress import Progress
from comfygraph.jobs.resuming import Terms, carry_out
from comfygraph.jobs.settings import Settings
from comfygraph.targets.events import Event, JobEnd, JobProgress, JobStarted

_FEW = 50
"""Up to so many jobs, live streams are listened to; for more, polls tell enough."""


class Conduct:
    """
    Carries single jobs of a batch out.

    Args:
        ledger: Has the jobs.
        batch: The id of the batch.
        plan: What the batch is.
        servers: Where the jobs run.
        settings: Clock, chance, rate limits.
        meter: Is told how far each job is.
        concurrency: How many jobs are under way at the same time.
        force: Whether what is uncertain is sent again where it is not found.

    Raises:
        UsageError: The folder of the batch cannot be written to.
    """

    def __init__(
        self,
        ledger: Ledger,
        batch: str,
        plan: BatchPlan,
        servers: Servers,
        *,
        settings: Settings,
        meter: Meter,
        concurrency: int,
        force: bool,
    ) -> None:
        self._ledger = ledger
        self._batch = batch
        self._plan = plan
        self._servers = servers
        self._settings = settings
        self._meter = meter
        self._force = force
        self._live = plan.jobs <= _FEW
        self._pace = Pace(servers.policy, concurrency)
        self._names = FileNames(plan.template, plan.parameters)
        self._folder = (
            open_folder(
                plan.out,
                overwrite=plan.overwrite,
                max_bytes=MAX_FILE_BYTES if plan.max_bytes is None else plan.max_bytes,
            )
            if plan.out is not None
            else None
        )

    @property
    def folder(self) -> Path | None:
        """
        The folder of files and manifest, or `None`.
        """
        return self._folder.path if self._folder is not None else None

    async def carry(
        self,
        claim: Claim,
        clients: Clients,
        tell: Callable[[BatchEvent], None],
    ) -> JobRecord:
        """
        Carry a job out from wherever it is to its end, and give what is known then.

        Args:
            claim: The job; it is released.
            clients: Carry the requests.
            tell: Is told what happens within the job, where the batch is small.

        Raises:
            ComfyGraphError: As `comfygraph.jobs.resuming.carry_out`.
        """
        # only now is it sure where the job is: whoever had it before may have sent it
        record = claim.record()
        if record.state.ended:
            claim.release()
            return record
        prompt = self._ledger.submission(record.id).prompt
        index = index_of(record)
        self._meter.sent(index, weigh(prompt, self._plan.paces))
        progress = Progress(prompt, clock=self._settings.clock) if self._live else None

        def take(event: Event) -> None:
            if isinstance(event, JobStarted):
                self._meter.started(index)
            elif isinstance(event, JobProgress):
                self._meter.at(index, event.fraction)
            if progress is None:
                return
            progress.feed(event)
            self._meter.at(index, progress.fraction)
            if not isinstance(event, JobEnd):
                tell(VariantEvent(index, event))

        began = self._settings.clock()
        try:
            with self._servers.server_for(record) as target:
                ended = await carry_out(
                    record.id,
                    ledger=self._ledger,
                    target=target,
                    terms=self._terms(record, prompt),
                    clients=clients,
                    on_event=take,
                    claim=claim,
                )
        finally:
            claim.release()
        self._pace.took(self._settings.clock() - began)
        return ended

    def _terms(self, record: JobRecord, prompt: Prompt) -> Terms:
        folder: Folder | None = None
        if self._folder is not None:
            namer = namer_for(
                self._names,
                self._batch,
                record,
                prompt,
                lambda: self._ledger.get(record.id).job_id,
            )
            folder = replace(self._folder, namer=namer)
        plan = self._plan
        return Terms(
            folder=folder,
            deadline=plan.deadline,
            policy=self._pace.policy(),
            settings=self._settings,
            sources=Sources(tuple(map(Path, plan.folders)), frozenset(plan.trusted)),
            live=self._live,
            force=self._force,
            save_graph=plan.save_graph,
        )


def index_of(record: JobRecord) -> int:
    """
    Give the number of a job's variant, from 1.
    """
    return (record.variant or 0) + 1
