"""
`comfygraph jobs wait`.
"""

from __future__ import annotations

import sys

import click

from comfygraph.cli.jobs.common import (
    Selection,
    chosen,
    deadline_option,
    ids_argument,
    json_option,
    ledger_option,
    opened,
    selection_options,
)
from comfygraph.cli.jobs.places import Places, places_options


@click.command("wait")
@ids_argument
@click.option("--all", "everything", is_flag=True, help="All jobs that services have.")
@selection_options
@places_options
@deadline_option
@json_option
@ledger_option
def command(
    ids: tuple[str, ...],
    everything: bool,
    selection: Selection,
    places: Places,
    deadline: float | None,
    as_json: bool,
    place: str | None,
) -> int:
    """
    Wait until jobs have ended, and save their files; a line for each.

    Nothing is sent: jobs that no service has yet are for `comfygraph jobs resume`.

    \b
    comfygraph jobs wait 1a2b && echo done
    comfygraph jobs wait --batch 7f3a --json
    comfygraph jobs wait --all --deadline 600

    Exit codes: 0 all succeeded, 2 usage, 3 the ledger fails, 4 a service refused or is out of
    reach, 5 a job failed or was cancelled, 6 deadline passed, 130 interrupted (the jobs run on).
    """
    from comfygraph.cli.jobs.carrying import Carrier
    from comfygraph.jobs.ledger import State
    from comfygraph.jobs.resuming import Terms

    with opened(place) as ledger:
        carrier = Carrier(
            ledger,
            Terms(deadline=deadline, save_graph=True),
            places,
            only_watch=True,
            as_json=as_json,
        )
        there = (State.ACCEPTED, State.RUNNING)
        records = (
            record
            for record in chosen(ledger, ids, selection, everything)
            if ids or record.state in there
        )
        code = carrier.run(records)
        if not carrier.count:
            print("nothing to wait for", file=sys.stderr)
        return code
