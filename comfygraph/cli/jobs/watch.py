"""
`comfygraph jobs watch`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comfygraph.cli.jobs.common import deadline_option, ledger_option, opened, what_text
from comfygraph.cli.jobs.places import Places, places_options
from comfygraph.cli.progress import clean
from comfygraph.errors import ExitCode, JobError

if TYPE_CHECKING:
    from comfygraph.jobs.ledger import JobRecord, Ledger
    from comfygraph.jobs.plan import Plan
    from comfygraph.jobs.resuming import Terms

_LOOK = 0.3


@click.command("watch")
@click.argument("job", metavar="[ID]", required=False)
@click.option("--batch", metavar="ID", default=None, help="See how far a whole batch is.")
@places_options
@deadline_option
@click.option("--json", "as_json", is_flag=True, help="Print one event a line, as JSON.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
@ledger_option
def command(
    job: str | None,
    batch: str | None,
    places: Places,
    deadline: float | None,
    as_json: bool,
    color: str,
    place: str | None,
) -> int:
    """
    Follow a job to its pictures, as `comfygraph submit` does.

    Files go where the submit was to put them, or to --out. A job that another process carries out
    is only shown. Ctrl-C asks the service to cancel the job; a second one leaves it running.

    \b
    comfygraph jobs watch 1a2b
    comfygraph jobs watch 1a2b -o out --json
    comfygraph jobs watch --batch 20261121-143502
        only look on while others carry a batch out: workers, another command

    Exit codes: 0 it succeeded, 2 no such job, 3 the ledger fails, 4 the service refuses or is out
    of reach, 5 it failed or was cancelled, 6 deadline passed, 130 interrupted.
    """
    if batch is not None:
        from comfygraph.cli.jobs.watch_batch import look_on

        if job is not None or places.out or places.overwrite or deadline:
            raise click.UsageError("--batch only looks on: it goes with --json and --color alone.")
        with opened(place) as ledger:
            return look_on(ledger, batch, as_json=as_json, color=color)
    if job is None:
        raise click.UsageError("Missing argument 'ID' (or --batch ID).")
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.jobs.carrying import give_up, must_be_there
    from comfygraph.cli.submit_follow import Follower
    from comfygraph.cli.submit_run import Request
    from comfygraph.jobs.resuming import Terms

    with opened(place) as ledger:
        record = _arrived(ledger, ledger.find(job))
        must_be_there(record)
        if record.embedded:
            record = give_up(ledger, record)
        if record.state.ended:
            return _show_end(ledger, record)
        folder = places.folder_for(record)
        plan = _plan(ledger, record, Terms(folder=folder, deadline=deadline, save_graph=True))
        request = Request(
            record.label,
            target=record.target,
            out=places.out or record.out,
            as_json=as_json,
            color=color,
            config=dict(os.environ),
        )
        prompt = ledger.submission(record.id).prompt
        return Follower(request, plan, prompt, load_catalog(None), sys.stdout, sys.stderr).run()


def _arrived(ledger: Ledger, record: JobRecord) -> JobRecord:
    """
    Wait while another process hands the job in, or runs it on an emulator of its own.
    """
    from comfygraph.cli.jobs.carrying import being_carried_out

    told = False
    while not record.state.ended and being_carried_out(ledger, record):
        if record.accepted_mark and not record.embedded:
            break
        if not told:
            told = True
            word = "runs" if record.embedded else "is being handed in"
            print(f"{what_text(record)} {word} in another process", file=sys.stderr)
        time.sleep(_LOOK)
        record = ledger.get(record.id)
    return record


def _plan(ledger: Ledger, record: JobRecord, terms: Terms) -> Plan:
    """
    Take the job over; where another process has it, only look on.
    """
    from comfygraph.jobs.ledger import Held
    from comfygraph.jobs.plan import Plan
    from comfygraph.jobs.resuming import plan_for, target_for

    target = target_for(record, os.environ)
    try:
        claim = ledger.claim(record.id)
    except Held as exc:
        print(f"{exc.message}: only looking on, files are saved there", file=sys.stderr)
        return Plan(target, record.ref, deadline=terms.deadline)
    return plan_for(claim, target, terms)


def _show_end(ledger: Ledger, record: JobRecord) -> ExitCode:
    print(f"job {record.id[:8]} has {_ENDS[record.state.value]}", file=sys.stderr)
    files = ledger.results(record.id)
    for file in files:
        if file.path and Path(file.path).exists():
            print(file.path)
    if record.state.value != "succeeded":
        raise JobError(clean(record.message) or f"the job has {_ENDS[record.state.value]}")
    if any(not file.path for file in files if not file.preview) and not record.embedded:
        print(f"not saved: comfygraph jobs results {record.id[:8]} -o DIR", file=sys.stderr)
    return ExitCode.OK


_ENDS = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "been cancelled",
    "refused": "been refused",
    "abandoned": "been abandoned",
}
