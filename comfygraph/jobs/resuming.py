"""
From what the ledger knows of a job to the next step with it: send, look up, follow, fetch.

    record = await carry_out(job, ledger=ledger, target=target, clients=clients)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from comfygraph.jobs.files import Folder
from comfygraph.jobs.ledger.base import Intent, JobRecord, State, new_id
from comfygraph.jobs.ledger.claims import Claim
from comfygraph.jobs.ledger.recorder import LedgerRecorder
from comfygraph.jobs.ledger.store import Ledger
from comfygraph.jobs.local_files import Sources, working_folder
from comfygraph.jobs.plan import Plan, make_submission
from comfygraph.jobs.recovery import Doubt
from comfygraph.jobs.settings import Settings
from comfygraph.targets.base import JobRef, Policy, Submission, Target
from comfygraph.targets.events import Event

if TYPE_CHECKING:
    from comfygraph.jobs.async_clients import Clients

_SENT = (State.INTENDED, State.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Terms:
    """
    How jobs of a ledger are carried out.

    Args:
        folder: Where the files go; `None` fetches none.
        deadline: Seconds until patience with one job is over; `None` for the policy's.
        policy: How to treat the service, where not as the target says.
        settings: Clock, chance, rate limits, patience.
        sources: Where local files that graphs name may be read.
        previews: Whether pictures of nodes at work are told.
        live: Whether live streams are listened to; polls alone take less of everything.
        force: Whether what is uncertain is sent again where it is not found.
        save_graph: Whether the graph is saved beside the files.
    """

    folder: Folder | None = None
    deadline: float | None = None
    policy: Policy | None = None
    settings: Settings = field(default_factory=Settings)
    sources: Sources = field(default_factory=working_folder)
    previews: bool = False
    live: bool = True
    force: bool = False
    save_graph: bool = False


def plan_for(claim: Claim, target: Target, terms: Terms = Terms()) -> Plan:
    """
    Give the plan that takes a job on from where the ledger knows it to be.

    A job that is planned is sent; one that may have been sent is looked up, and adopted or, where
    that surely makes no second one, sent; one that the service has is followed; of one that has
    ended the files are fetched.

    Args:
        claim: The job; it is released when the plan has been carried out.
        target: Its service.
        terms: How.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    ledger, record = claim.ledger, claim.record()
    submission = ledger.submission(record.id)
    return Plan(
        target,
        _job_of(ledger, record, submission, target, terms),
        folder=terms.folder,
        deadline=terms.deadline,
        previews=terms.previews,
        policy=terms.policy,
        settings=terms.settings,
        sources=terms.sources,
        recorder=LedgerRecorder(claim, submission, clock=terms.settings.clock),
        live=terms.live,
        graph=submission.prompt if terms.save_graph else None,
    )


def _job_of(
    ledger: Ledger, record: JobRecord, submission: Submission, target: Target, terms: Terms
) -> Submission | Doubt | JobRef:
    if record.state is State.PLANNED:
        return submission
    if record.state in _SENT or not record.job_id:
        return Doubt(
            submission,
            target.reference(submission),
            tuple(witness.ref for witness in ledger.witnesses(record)),
            age=max(ledger.clock() - record.updated, 0.0),
            force=terms.force,
        )
    return record.ref


async def carry_out(
    job: str,
    *,
    ledger: Ledger,
    target: Target,
    terms: Terms = Terms(),
    clients: Clients | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> JobRecord:
    """
    Carry one job of a ledger out, from wherever it is to its end, and give what is known then.

    Cancel the task to leave the job: the ledger knows it, and the next `carry_out` goes on.

    Args:
        job: Its id in the ledger.
        ledger: The ledger.
        target: Its service.
        terms: How.
        clients: Connections that many jobs share; default is some for this job alone.
        on_event: Is told each event, in order.

    Raises:
        Held: Another process carries it out.
        ClaimLost: Another process took it over; nothing was sent after that.
        SubmissionUncertain: It may exist, and the service cannot say; `terms.force` sends it.
        DeadlinePassed: It may still run.
        TargetError: The service refused, or was out of reach.
        LedgerError: The ledger cannot be written; nothing was sent.
    """
    from comfygraph.jobs.async_driver import AsyncJob

    claim = ledger.claim(job)
    try:
        async with AsyncJob(plan_for(claim, target, terms), clients=clients) as running:
            async for event in running:
                if on_event is not None:
                    on_event(event)
    finally:
        claim.release()
    return ledger.get(job)


def retry_of(ledger: Ledger, record: JobRecord) -> Intent:
    """
    Make a new intent of a job that has ended: the same graph under a fresh key. It is not planned
    yet.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    old = ledger.submission(record.id)
    fresh = make_submission(old.prompt, options=old.options, partial_targets=old.partial_targets)
    return Intent(
        new_id(),
        record.target,
        record.base_url,
        fresh,
        label=record.label,
        out=record.out,
        batch=record.batch,
        variant=record.variant,
        parameters=record.parameters,
        retry_of=record.id,
    )
