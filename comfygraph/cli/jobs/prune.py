"""
`comfygraph jobs prune`.
"""

from __future__ import annotations

import sys

import click

from comfygraph.cli.jobs.common import (
    ledger_option,
    opened,
    read_since,
    what_text,
)
from comfygraph.errors import ExitCode

_ENDED = ("succeeded", "failed", "cancelled", "refused", "abandoned")


@click.command("prune")
@click.option(
    "--older-than", "before", metavar="WHEN", callback=read_since, required=True,
    help="Jobs that nothing has happened to since then: 30d, 8w, or a date.",
)  # fmt: skip
@click.option(
    "--state", "-s", "states", multiple=True, metavar="STATE", type=click.Choice(_ENDED),
    help="Only jobs that ended so.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say which, and remove none.")
@ledger_option
def command(before: float, states: tuple[str, ...], dry_run: bool, place: str | None) -> int:
    """
    Remove old jobs that have ended from the ledger. What has not ended is kept, however old.

    \b
    comfygraph jobs prune --older-than 30d
    comfygraph jobs prune --older-than 2026-01-01 --state succeeded --dry-run

    Exit codes: 0 fine, also where there were none, 2 usage, 3 the ledger fails.
    """
    from comfygraph.jobs.ledger import ENDED, Query, State

    with opened(place) as ledger:
        wanted = frozenset(State(name) for name in states) or ENDED
        query = Query(states=wanted, before=before)
        if dry_run:
            count = 0
            for record in ledger.jobs(query):
                count += 1
                print(f"{record.id[:8]}  {record.state.value:<9}  {what_text(record)}")
            print(f"{count} would be removed", file=sys.stderr)
            return ExitCode.OK
        gone = ledger.prune(query)
    print(f"{gone} removed", file=sys.stderr)
    return ExitCode.OK
