"""
`comfygraph jobs results`.
"""

from __future__ import annotations

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
from comfygraph.cli.sizes import byte_size
from comfygraph.errors import ExitCode, TargetError, UsageError


@click.command("results")
@ids_argument
@click.option("--all", "everything", is_flag=True, help="All jobs that succeeded.")
@selection_options
@click.option(
    "--out", "-o", metavar="DIR", default=None,
    help="Save files in DIR; default is where the submit was to put them.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace files of the same name.")
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
    out: str | None,
    overwrite: bool,
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
    from comfygraph.jobs.files import MAX_FILE_BYTES

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
            most = MAX_FILE_BYTES if max_size is None else max_size
            found, lost = fetch_missing(ledger, record, out, overwrite, most, as_json)
            count += found
            missing += lost
    if missing:
        raise TargetError(
            f"{missing} file{'s' if missing > 1 else ''} could not be had",
            hint="services keep files for some days or weeks only",
        )
    return ExitCode.OK if count or not ids else ExitCode.JOB_FAILED
