"""
`comfygraph jobs retry`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from comfygraph.cli.jobs.common import (
    Selection,
    chosen,
    ids_argument,
    json_option,
    ledger_option,
    no_wait_option,
    opened,
    selection_options,
)
from comfygraph.cli.jobs.places import Places, places_options
from comfygraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from comfygraph.jobs.ledger import JobRecord


@click.command("retry")
@ids_argument
@selection_options
@places_options
@no_wait_option
@click.option(
    "--force", is_flag=True,
    help="Also jobs that succeeded, may still run or were retried: they are paid for once more.",
)  # fmt: skip
@json_option
@ledger_option
def command(
    ids: tuple[str, ...],
    selection: Selection,
    places: Places,
    no_wait: bool,
    force: bool,
    as_json: bool,
    place: str | None,
) -> int:
    """
    Submit jobs that have ended once more: the same graph, as a new job under a new key.

    Only a job that is known to have failed, or to have been cancelled or refused, is retried,
    and only once: then its successor may be. For one that may still exist, see `jobs resume`.

    \b
    comfygraph jobs retry 1a2b
    comfygraph jobs retry --batch 7f3a --state failed

    Exit codes: 0 all succeeded, 2 usage, 3 the ledger fails, 4 uncertain, or a service refused or
    is out of reach, 5 a job failed again, 6 deadline passed, 130 interrupted (the jobs run on).
    """
    from comfygraph.cli.jobs.carrying import Carrier
    from comfygraph.jobs.resuming import Terms, retry_of

    with opened(place) as ledger:
        intents = []
        replaced = {} if force else ledger.replacements()
        for record in list(chosen(ledger, ids, selection)):
            problem = _problem(record, replaced.get(record.id), force)
            if problem is not None and ids:
                raise problem
            if problem is None:
                intents.append(retry_of(ledger, record))
        if not intents:
            print("nothing to retry", file=sys.stderr)
            return ExitCode.OK
        ledger.plan(intents)
        for intent in intents:
            print(f"job {intent.id[:8]} replaces {intent.retry_of[:8]}", file=sys.stderr)
        carrier = Carrier(
            ledger,
            Terms(save_graph=True),
            places,
            wait=not no_wait,
            as_json=as_json,
        )
        return carrier.run(ledger.get(intent.id) for intent in intents)


def _problem(record: JobRecord, successor: str | None, force: bool) -> UsageError | None:
    job = record.id[:8]
    if record.embedded:
        return UsageError(
            f"job {job} ran on an embedded emulator, which has ended with its command",
            hint="submit it again",
        )
    if force:
        return None
    if not record.state.ended:
        return UsageError(
            f"job {job} is {record.state.value}: it may still run",
            hint=f"comfygraph jobs resume {job} finds out; --force submits it once more",
        )
    if record.state.value == "succeeded":
        return UsageError(f"job {job} has succeeded", hint="--force runs it once more")
    if successor is not None:
        return UsageError(
            f"job {job} was retried already, as job {successor[:8]}",
            hint=f"comfygraph jobs show {successor[:8]}; --force submits this one once more",
        )
    return None
