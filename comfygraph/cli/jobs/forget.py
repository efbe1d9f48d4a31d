"""
`comfygraph jobs forget`.
"""

from __future__ import annotations

import sys

import click

from comfygraph.cli.jobs.common import chosen, ledger_option, opened
from comfygraph.errors import ExitCode, UsageError


@click.command("forget")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option(
    "--force", is_flag=True,
    help="Also jobs that have not ended: nothing will ever look for them again.",
)  # fmt: skip
@ledger_option
def command(ids: tuple[str, ...], force: bool, place: str | None) -> int:
    """
    Remove jobs from the ledger. Their files stay, and so do the jobs on their services.

    \b
    comfygraph jobs forget 1a2b 3c4d

    Exit codes: 0 they are gone, 2 no such job, or one that has not ended, 3 the ledger fails.
    """
    with opened(place) as ledger:
        # a claim of another process is a reason to leave a job alone, --force or not
        claims = [ledger.claim(record.id) for record in chosen(ledger, ids)]
        for record in (claim.record() for claim in claims):
            if not record.state.ended and not force:
                raise UsageError(
                    f"job {record.id[:8]} is {record.state.value}: it may be paid for and lost",
                    hint=f"comfygraph jobs resume {record.id[:8]}, or --force",
                )
        gone = ledger.forget(claim.job for claim in claims)
    print(f"{gone} removed", file=sys.stderr)
    return ExitCode.OK
