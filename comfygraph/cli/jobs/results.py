"""
`comfygraph jobs results`.
"""

from __future__ import annotations

import sys

import click

from comfygraph.cli.jobs.common import (
    Selection,
    chosen,
    ids_argument,
    json_option,
    ledger_option,
    opened,
    selection_options,
)
from comfygraph.cli.jobs.places import Places, places_options
from comfygraph.cli.sizes import byte_size
from comfygraph.errors import ExitCode, TargetError, UsageError


@click.command("results")
@ids_argument
@click.option("--all", "everything", is_flag=True, help="All jobs that succeeded.")
@selection_options
@places_options
@click.option(
    "--max-size", callback=byte_size, metavar="SIZE", default=None,
    help="The largest file to save, such as 500M; default is 8G.",
)  # fmt: skip
@json_option
@ledger_option
def command(
    ids: tuple[str, ...],
    everything: bool,
    selection: Selection,
    places: Places,
    max_size: int | None,
    as_json: bool,
    place: str | None,
) -> int:
    """
    Download what jobs made and is missing, and print the paths of all of it.

    Files that are where they were saved are left as they are. Addresses that have expired are
    asked for anew; services keep files for some days or weeks.

    \b
    comfygraph jobs results 1a2b -o out
    comfygraph jobs results --batch 7f3a -o out
    comfygraph jobs results 1a2b --json | jq .path

    Exit codes: 0 all files are there, 2 usage, 3 the ledger fails, 4 a file cannot be had,
    5 the job made none.
    """
    from comfygraph.cli.jobs.fetching import fetch_missing

    places.max_bytes = max_size
    missing = 0
    count = 0
    with opened(place) as ledger:
        for record in list(chosen(ledger, ids, selection, everything)):
            if record.state.value not in ("succeeded", "failed", "cancelled"):
                if ids:
                    raise UsageError(
                        f"job {record.id[:8]} is {record.state.value} and has made nothing yet",
                        hint=f"comfygraph jobs watch {record.id[:8]}",
                    )
                continue
            try:
                found, lost = fetch_missing(ledger, record, places, as_json)
            except UsageError as exc:
                if ids:
                    raise
                print(exc.message, file=sys.stderr)  # the others are fetched all the same
                found, lost = 0, 1
            count += found
            missing += lost
    if not (count or missing):
        print("no files", file=sys.stderr)
    if missing:
        raise TargetError(
            f"{missing} file{'s' if missing > 1 else ''} could not be had",
            hint="services keep files for some days or weeks only",
        )
    return ExitCode.OK if count or not ids else ExitCode.JOB_FAILED
