"""
`comfygraph jobs watch --batch`: look on while others carry a batch out.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from comfygraph.errors import ExitCode

if TYPE_CHECKING:
    from comfygraph.jobs.ledger import Ledger


def look_on(ledger: Ledger, batch: str, *, as_json: bool, color: str) -> ExitCode:
    """
    Show how far a batch is until it is over; give the exit code.

    Raises:
        UsageError: There is no such batch.
        LedgerError: The ledger cannot be read.
    """
    from comfygraph.cli.submit_batch_follow import batch_command, reporter_for, sum_up
    from comfygraph.jobs.batch.events import BatchEnded
    from comfygraph.jobs.batch.planning import find_batch
    from comfygraph.jobs.batch.watching import watch_batch
    from comfygraph.jobs.ledger.opening import is_shared

    record = find_batch(ledger, batch)

    def is_queued() -> bool:
        if not is_shared(ledger.place):
            return False
        from comfygraph.jobs.cluster.queue import left_of

        return left_of(ledger, record.id) > 0

    if is_shared(ledger.place):
        from comfygraph.jobs.cluster.queue import prepare

        prepare(ledger)
    end: BatchEnded | None = None
    reporter = reporter_for(as_json, color, sys.stdout, sys.stderr)
    with suppress(KeyboardInterrupt), reporter:
        for event in watch_batch(ledger, record, is_queued=is_queued):
            reporter.event(event)
            end = event if isinstance(event, BatchEnded) else None
    if end is None:
        click.echo("not watching any more; the batch goes on", err=True)
        return ExitCode.INTERRUPTED
    sum_up(end, sys.stderr)
    if end.failed:
        why = batch_command(ledger, "list", end.batch, " --state failed")
        click.echo(f"why      {why}", err=True)
    if end.left:
        click.echo("nobody carries the rest out", err=True)
        click.echo(f"go on    {batch_command(ledger, 'resume', end.batch)}", err=True)
    if end.failed:
        return ExitCode.JOB_FAILED
    return ExitCode.DEADLINE if end.left else ExitCode.OK
