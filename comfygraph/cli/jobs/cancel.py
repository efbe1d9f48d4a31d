"""
`comfygraph jobs cancel`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from comfygraph.cli.jobs.common import (
    Selection,
    chosen,
    ids_argument,
    json_option,
    ledger_option,
    opened,
    record_to_json,
    selection_options,
    what_text,
)
from comfygraph.cli.progress import clean
from comfygraph.errors import ComfyGraphError, ExitCode

if TYPE_CHECKING:
    from comfygraph.jobs.ledger import JobRecord, Ledger
    from comfygraph.jobs.plan import Plan
    from comfygraph.targets.events import JobEnd

_PATIENCE = 60.0
"""Seconds for a service to end a job that it was asked to cancel."""


@click.command("cancel")
@ids_argument
@click.option("--all", "everything", is_flag=True, help="All jobs that have not ended.")
@selection_options
@json_option
@ledger_option
def command(
    ids: tuple[str, ...],
    everything: bool,
    selection: Selection,
    as_json: bool,
    place: str | None,
) -> int:
    """
    Ask services to stop jobs; a line for each with what became of it.

    A job that was only planned is crossed out. One that may have been sent is looked for first.

    \b
    comfygraph jobs cancel 1a2b
    comfygraph jobs cancel --batch 7f3a
    comfygraph jobs cancel --all

    Exit codes: 0 all are cancelled, 2 usage, 3 the ledger fails, 4 a service refused or is out of
    reach, 5 a job had ended otherwise, 6 a service did not end one in time.
    """
    with opened(place) as ledger:
        worst = ExitCode.OK
        records = [
            record
            for record in chosen(ledger, ids, selection, everything)
            if ids or not record.state.ended
        ]
        if not records:
            print("nothing to cancel", file=sys.stderr)
        for record in records:
            try:
                done = cancel_job(ledger, record)
            except ComfyGraphError as exc:
                print(f"{record.id[:8]}  {clean(exc.message)}", file=sys.stderr)
                if exc.hint:
                    print(f"          hint: {clean(exc.hint)}", file=sys.stderr)
                worst = max(worst, exc.exit_code)
                continue
            if as_json:
                print(json.dumps(record_to_json(done)), flush=True)
            else:
                print(f"{done.id[:8]}  {done.state.value:<9}  {what_text(done)}", flush=True)
            if done.state.value not in ("cancelled", "refused", "abandoned"):
                worst = max(worst, ExitCode.JOB_FAILED)
        return worst


def cancel_job(ledger: Ledger, record: JobRecord) -> JobRecord:
    """
    Have a job stopped, and give what is known of it then.

    Raises:
        ComfyGraphError: It could not be stopped.
    """
    from comfygraph.cli.jobs.carrying import give_up
    from comfygraph.jobs.ledger import Held, State
    from comfygraph.jobs.plan import Plan
    from comfygraph.jobs.resuming import Terms, plan_for, target_for
    from comfygraph.targets.events import JobCancelled

    if record.state.ended:
        return record
    if record.embedded:
        return give_up(ledger, record)
    try:
        claim = ledger.claim(record.id)
    except Held:
        if not record.accepted_mark:
            raise
        # whoever carries it out sees that it was cancelled and writes it down
        end = _stop(Plan(target_for(record, os.environ), record.ref, deadline=_PATIENCE))
        known = ledger.get(record.id)
        gone = isinstance(end, JobCancelled) and not known.state.ended
        return replace(known, state=State.CANCELLED) if gone else known
    with claim:
        record = claim.record()  # whoever had it before may have sent it
        if record.state is State.PLANNED:
            claim.write(durable=True, state=State.CANCELLED)
        elif not record.state.ended:
            terms = Terms(deadline=_PATIENCE, send=False)
            _stop(plan_for(claim, target_for(record, os.environ), terms))
    return ledger.get(record.id)


def _stop(plan: Plan) -> JobEnd | None:
    from comfygraph.jobs.sync_driver import Job

    with Job(plan) as job:
        job.ask_cancel()
        for _ in job:
            pass
        return job.end
