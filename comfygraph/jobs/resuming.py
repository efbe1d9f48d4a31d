"""
From what the ledger knows of a job to the next step with it: send, look up, follow, fetch.

    record = await carry_out(job, ledger=ledger, target=target, clients=clients)
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from comfygraph.errors import UsageError
from comfygraph.jobs.files import Folder
from comfygraph.jobs.ledger.base import (
    UNFINISHED,
    Intent,
    JobRecord,
    Query,
    State,
    new_id,
    request_digest_of,
)
from comfygraph.jobs.ledger.claims import Claim
from comfygraph.jobs.ledger.recorder import LedgerRecorder
from comfygraph.jobs.ledger.store import Ledger
from comfygraph.jobs.local_files import Sources, working_folder
from comfygraph.jobs.plan import EMULATOR, Plan, make_submission
from comfygraph.jobs.recovery import Doubt, submission_of
from comfygraph.jobs.settings import Settings
from comfygraph.targets import URL_SETTINGS, get_target
from comfygraph.targets.base import JobRef, Policy, Submission, Target
from comfygraph.targets.comfyui import CREDENTIALS
from comfygraph.targets.events import Event
from comfygraph.targets.http import same_origin

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
        send: Whether what may have been sent is sent at all where it is not found.
        save_graph: Whether the graph is saved beside the files.
        weights: What each node costs, in any unit, where the ledger has learned nothing.
    """

    folder: Folder | None = None
    deadline: float | None = None
    policy: Policy | None = None
    settings: Settings = field(default_factory=Settings)
    sources: Sources = field(default_factory=working_folder)
    previews: bool = False
    live: bool = True
    force: bool = False
    send: bool = True
    save_graph: bool = False
    weights: Mapping[str, float] | None = None


def plan_for(claim: Claim, target: Target, terms: Terms = Terms()) -> Plan:
    """
    Give the plan that takes a job on from where the ledger knows it to be.

    A job that is planned is sent; one that may have been sent is looked up, and adopted or, where
    that surely makes no second one, sent; one that the service has is followed; of one that has
    ended the files are fetched.

    Args:
        claim: The job; it is released when the plan has been carried out, or cannot be made.
        target: Its service.
        terms: How.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    try:
        ledger, record = claim.ledger, claim.record()
        submission = ledger.submission(record.id)
        plan = Plan(
            target,
            _job_of(ledger, record, submission, target, terms.force, terms.send),
            folder=terms.folder,
            deadline=terms.deadline,
            previews=terms.previews,
            policy=terms.policy,
            settings=terms.settings,
            sources=terms.sources,
            live=terms.live,
            graph=submission.prompt if terms.save_graph else None,
            have=saved_files(ledger, record.id, terms.folder) if record.attempts else None,
            weights=terms.weights,
        )
        if terms.folder is not None:
            out = str(terms.folder.path.absolute())
            if out != record.out:
                claim.write(out=out)
        return _recorded(plan, claim, submission, record)
    except BaseException:
        claim.release()
        raise


def _job_of(
    ledger: Ledger,
    record: JobRecord,
    submission: Submission,
    target: Target,
    force: bool = False,
    send: bool = True,
) -> Submission | Doubt | JobRef:
    if record.state is State.PLANNED and send:
        return submission
    if record.state in _SENT or not record.job_id:
        return Doubt(
            submission,
            target.reference(submission),
            tuple(witness.ref for witness in ledger.witnesses(record)),
            age=max(ledger.clock() - record.updated, 0.0),
            force=force,
            send=send,
        )
    return record.ref


def saved_files(ledger: Ledger, job: str, folder: Folder | None = None) -> dict[str, str]:
    """
    Give the files of a job that are where they were saved, as large as they were: key → path.

    Args:
        ledger: The ledger.
        job: The job.
        folder: Only those below this folder; default is anywhere.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    place = None if folder is None else folder.path.resolve()
    found = {}
    for result in ledger.results(job):
        path = result.path
        if not path or (place is not None and not Path(path).resolve().is_relative_to(place)):
            continue
        if os.path.isfile(path) and os.path.getsize(path) == result.size:
            found[result.key] = path
    return found


def write_down(
    plan: Plan,
    ledger: Ledger,
    *,
    label: str = "",
    out: str | None = None,
    adopt: bool = False,
    then: Callable[[], None] | None = None,
) -> Plan:
    """
    Have the ledger keep what happens to a job that is about to be submitted.

    A key that the ledger has seen stands for the job of that time: it is gone on with where it has
    not ended.

    Args:
        plan: The plan, with a graph to be submitted.
        ledger: The ledger.
        label: What a person calls the graph.
        out: The folder for its files, as a person named it.
        adopt: Go on with an unfinished job that asks the same of the same service, if there is one.
        then: Called when nothing more is to be written.

    Returns:
        The plan that has it written down; the job has been, already.

    Raises:
        UsageError: The target is not configured, or the key belongs to a job that has ended.
        Held: Another process carries that job out.
        LedgerError: The ledger cannot be written.
    """
    assert isinstance(plan.job, Submission)
    submission = plan.job
    target = plan.target
    if isinstance(target, str) and target != EMULATOR:
        target = get_target(target, os.environ if plan.config is None else plan.config)
        plan = replace(plan, target=target)
    name, base_url = (EMULATOR, "") if isinstance(target, str) else (target.name, target.base_url)
    intent = Intent(new_id(), name, base_url, submission, label=label, out=out)
    same = [] if isinstance(target, str) else _same(intent, adopt)
    while not ledger.plan_unless(intent, same):
        assert not isinstance(target, str)
        claim = _taken_up(ledger, same)
        if claim is not None:
            old = ledger.submission(claim.job)
            record = claim.record()
            job = _job_of(ledger, record, old, target)
            return _recorded(replace(plan, job=job), claim, old, record, then)
    return _recorded(plan, ledger.claim(intent.id), submission, None, then)


def _recorded(
    plan: Plan,
    claim: Claim,
    submission: Submission,
    record: JobRecord | None,
    then: Callable[[], None] | None = None,
) -> Plan:
    try:
        recorder = LedgerRecorder(
            claim,
            submission,
            record=record,
            clock=plan.settings.clock,
            estimates=plan.weights,
            then=then,
        )
    except BaseException:
        claim.release()
        raise
    return replace(plan, recorder=recorder, weights=recorder.weights)


def submission_in(plan: Plan) -> Submission:
    """
    Give the graph that a plan hands in.
    """
    assert not isinstance(plan.job, JobRef)
    return submission_of(plan.job)


def _same(intent: Intent, adopt: bool) -> list[Query]:
    """
    Say which jobs of a ledger stand for one that is to be submitted: with the same key, and where
    it is to be adopted, unfinished ones that ask the same.
    """
    place = Query(target=intent.target, base_url=intent.base_url, newest_first=True)
    same = [replace(place, key=intent.submission.key)]
    if adopt:
        asked = request_digest_of(intent.target, intent.base_url, intent.submission)
        same.append(replace(place, request_digest=asked, states=UNFINISHED))
    return same


def _taken_up(ledger: Ledger, same: list[Query]) -> Claim | None:
    """
    Claim the job that is meant; `None` where it has ended or gone in between.

    Raises:
        UsageError: It has ended, and its key is used up.
        Held: Another process carries it out.
    """
    for query in same:
        record = next(ledger.jobs(replace(query, limit=1)), None)
        if record is None:
            continue
        if record.state.ended:
            raise UsageError(
                f"the key `{record.key}` belongs to job {record.id[:8]}, which has ended",
                hint="submit under another key, or none",
            )
        claim = ledger.claim(record.id)
        # only now is it sure how far it is: whoever had it before may have sent it
        if not claim.record().state.ended:
            return claim
        claim.release()
    return None


def target_for(record: JobRecord, config: Mapping[str, str]) -> Target:
    """
    Give the service of a job: the settings of now, at the place of then. Credentials that belong
    to other servers stay behind.

    Raises:
        UsageError: It is not configured, or was an emulator that ended with its command.
    """
    if record.embedded:
        raise UsageError(
            f"job {record.id[:8]} ran on an embedded emulator, which has ended with its command",
            hint="submit it again",
        )
    setting = URL_SETTINGS.get(record.target)
    if setting is None:
        raise UsageError(f"there is no target `{record.target}`")
    given = [url for url in re.split(r"[,\s]+", config.get(setting, "")) if url]
    fitting = [url for url in given if same_origin(url, record.base_url)]
    settings = {**config, setting: fitting[0] if fitting else record.base_url}
    if given and not fitting and setting == "COMFYUI_URL":
        for name in CREDENTIALS:
            settings.pop(name, None)
    return get_target(record.target, settings)


async def carry_out(
    job: str,
    *,
    ledger: Ledger,
    target: Target,
    terms: Terms = Terms(),
    clients: Clients | None = None,
    wait: bool = True,
    on_event: Callable[[Event], None] | None = None,
    claim: Claim | None = None,
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
        wait: Whether to follow it to its end; else it is left as soon as the service has it.
        on_event: Is told each event, in order.
        claim: The claim, where it is ours already; it is released.

    Raises:
        Held: Another process carries it out.
        ClaimLost: Another process took it over; nothing was sent after that.
        SubmissionUncertain: It may exist, and the service cannot say; `terms.force` sends it.
        DeadlinePassed: It may still run.
        TargetError: The service refused, or was out of reach.
        LedgerError: The ledger cannot be written; nothing was sent.
    """
    from comfygraph.jobs.async_driver import AsyncJob

    claim = claim or ledger.claim(job)
    try:
        async with AsyncJob(plan_for(claim, target, terms), clients=clients) as running:
            if not wait:
                await running.start()
                return ledger.get(job)
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
