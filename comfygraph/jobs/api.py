"""
`submit`, `asubmit` and `attach`: from a graph, or from a reference, to a job.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfygraph.core.values import JsonValue, Prompt
from comfygraph.errors import UsageError
from comfygraph.jobs.files import Folder, open_folder
from comfygraph.jobs.local_files import Sources
from comfygraph.jobs.plan import EMULATOR, Plan, make_submission
from comfygraph.jobs.settings import Settings
from comfygraph.targets.base import JobRef, Policy, Target

if TYPE_CHECKING:
    from comfygraph.jobs.async_driver import AsyncJob
    from comfygraph.jobs.job import OnMark
    from comfygraph.jobs.ledger import Ledger
    from comfygraph.jobs.sync_driver import Job


def submit(
    prompt: Prompt | Mapping[str, JsonValue],
    *,
    target: Target | str = EMULATOR,
    config: Mapping[str, str] | None = None,
    key: str | None = None,
    out: str | os.PathLike[str] | Folder | None = None,
    overwrite: bool = False,
    deadline: float | None = None,
    previews: bool = False,
    options: Mapping[str, JsonValue] | None = None,
    upload_from: Iterable[str | os.PathLike[str]] = (".",),
    partial_targets: tuple[str, ...] = (),
    policy: Policy | None = None,
    settings: Settings | None = None,
    ledger: Ledger | str | os.PathLike[str] | None = None,
    on_mark: OnMark | None = None,
) -> Job:
    """
    Hand a graph in and give the job, an iterator over its events.

        for event in submit(prompt, target="emulator", out="out"):
            print(event)

    Args:
        prompt: A `Prompt`, or any JSON object that `comfygraph.documents` reads as one.
        target: A target, or its name; `"emulator"` starts one for this job.
        config: Settings for a target by name, under the names of the environment variables;
            default is the environment.
        key: The idempotency key; default is a fresh UUID.
        out: A folder for the files; default fetches none.
        overwrite: Whether files of the same name are replaced.
        deadline: Seconds that the job may take; hours for which the machine is asleep do not
            count. Default is the target's.
        previews: Whether pictures of nodes at work are told, where the service has them.
        options: What else the target takes.
        upload_from: Folders below which local pictures, sounds and films that the graph names
            are read, to be uploaded; the working folder if not given, none for `()`.
        partial_targets: Ids of the output nodes to run, where the service can run a part.
        policy: How to treat the service, in place of the target's own.
        settings: Clock, chance, rate limits, patience.
        ledger: Where the job is written down before it is sent, and how it goes on: a ledger, or
            its file; default writes nothing down. A `key` that it has seen stands for the job of
            that time, which is gone on with and not sent again.
        on_mark: Is told each stage of the submit before the next step.

    Raises:
        PromptError: The JSON holds no prompt.
        UsageError: The target is not configured, or the folder cannot be written to.
        TargetError: The service refused or was out of reach.
        SubmissionUncertain: The graph was sent, and nobody knows whether it arrived.
        LedgerError: It could not be written down; nothing was sent.
    """
    from comfygraph.jobs.sync_driver import Job

    plan = _plan(locals())
    return Job(plan, on_mark).start()


def asubmit(
    prompt: Prompt | Mapping[str, JsonValue],
    *,
    target: Target | str = EMULATOR,
    config: Mapping[str, str] | None = None,
    key: str | None = None,
    out: str | os.PathLike[str] | Folder | None = None,
    overwrite: bool = False,
    deadline: float | None = None,
    previews: bool = False,
    options: Mapping[str, JsonValue] | None = None,
    upload_from: Iterable[str | os.PathLike[str]] = (".",),
    partial_targets: tuple[str, ...] = (),
    policy: Policy | None = None,
    settings: Settings | None = None,
    ledger: Ledger | str | os.PathLike[str] | None = None,
    on_mark: OnMark | None = None,
) -> AsyncJob:
    """
    Do as `submit` does, for asyncio; the graph is handed in when the job is first awaited.

        async for event in asubmit(prompt, target="emulator"):
            print(event)
    """
    from comfygraph.jobs.async_driver import AsyncJob

    return AsyncJob(_plan(locals()), on_mark)


def attach(
    ref: JobRef | str,
    *,
    target: Target | None = None,
    config: Mapping[str, str] | None = None,
    out: str | os.PathLike[str] | Folder | None = None,
    overwrite: bool = False,
    deadline: float | None = None,
    previews: bool = False,
    policy: Policy | None = None,
    settings: Settings | None = None,
    ledger: Ledger | None = None,
) -> Job:
    """
    Follow a job that was handed in before, perhaps by another process.

    Args:
        ref: The reference that the other job had; with a ledger also the beginning of its id there.
        target: The service; default is made from the reference's name and `config`.
        config: As for `submit`.
        out: As for `submit`, and so are the rest.
        ledger: Where the job is written down; how it goes on is written there too.

    Raises:
        UsageError: The target is not configured, the folder cannot be written to, or there is no
            such job.
        Held: Another process carries it out.
        LedgerError: The ledger cannot be read or written.
    """
    from comfygraph.jobs.sync_driver import Job

    if ledger is not None:
        from comfygraph.jobs.resuming import Terms, plan_for, target_for

        record = ledger.find(ref) if isinstance(ref, str) else ledger.of(ref)
        if target is None:
            target = target_for(record, os.environ if config is None else config)
        terms = Terms(_folder(out, overwrite), deadline, policy, settings or Settings())
        return Job(plan_for(ledger.claim(record.id), target, replace(terms, previews=previews)))
    if isinstance(ref, str):
        raise UsageError("an id is looked up in a ledger, and none was given", hint="ledger=...")
    return Job(
        Plan(
            target if target is not None else ref.target,
            ref,
            config=config,
            folder=_folder(out, overwrite),
            deadline=deadline,
            previews=previews,
            policy=policy,
            settings=settings or Settings(),
        )
    )


def _plan(given: Mapping[str, Any]) -> Plan:
    plan = Plan(
        given["target"],
        make_submission(
            given["prompt"],
            key=given["key"],
            options=given["options"],
            partial_targets=given["partial_targets"],
        ),
        sources=_sources(given["upload_from"]),
        config=given["config"],
        folder=_folder(given["out"], given["overwrite"]),
        deadline=given["deadline"],
        previews=given["previews"],
        policy=given["policy"],
        settings=given["settings"] or Settings(),
    )
    ledger = given["ledger"]
    if ledger is None:
        return plan
    from comfygraph.jobs.ledger import Ledger, open_ledger
    from comfygraph.jobs.resuming import write_down

    out = None if plan.folder is None else str(plan.folder.path)
    if isinstance(ledger, Ledger):
        return write_down(plan, ledger, out=out)
    opened = open_ledger(ledger)
    try:
        return write_down(plan, opened, out=out, then=opened.close)
    except BaseException:
        opened.close()
        raise


def _sources(folders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Sources:
    if isinstance(folders, str | os.PathLike):
        folders = (folders,)
    return Sources(tuple(Path(folder) for folder in folders))


def _folder(out: str | os.PathLike[str] | Folder | None, overwrite: bool) -> Folder | None:
    if out is None or isinstance(out, Folder):
        return out
    return open_folder(out, overwrite=overwrite)
