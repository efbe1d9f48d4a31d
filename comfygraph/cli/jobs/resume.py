"""
`comfygraph jobs resume`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
from comfygraph.errors import ExitCode

if TYPE_CHECKING:
    from comfygraph.jobs.ledger import JobRecord, Ledger


@click.command("resume")
@ids_argument
@click.option("--all", "everything", is_flag=True, help="All jobs that have not ended.")
@selection_options
@places_options
@no_wait_option
@click.option(
    "--force", is_flag=True,
    help="Send what is uncertain again where it is not found, though it may be paid for twice.",
)  # fmt: skip
@json_option
@ledger_option
def command(
    ids: tuple[str, ...],
    everything: bool,
    selection: Selection,
    places: Places,
    no_wait: bool,
    force: bool,
    as_json: bool,
    place: str | None,
) -> int:
    """
    Go on with jobs that were broken off; none is sent twice.

    Each job is taken up from where it is: what was only planned is sent; what a service has is
    followed, and its files are saved; what may have been sent when its process ended is looked
    for by its key. Found, it is followed. Not found, it is sent again only where that cannot make
    a second one:

    \b
    civitai   keeps the key (externalId): the same key gives the same job
    comfyui   forgets jobs when it is started anew: it must still know an
              older one of yours
    tams      cannot be asked, so the job stays uncertain, unless you vouch with
              TAMS_KEEPS_REQUEST_ID=1 that the same requestId gives the same job

    \b
    comfygraph jobs resume --all
    comfygraph jobs resume 1a2b 3c4d
    comfygraph jobs resume --batch 20261121-143502
        the rest of a batch, as it was asked for, with its manifest
    comfygraph jobs resume 1a2b --force

    Exit codes: 0 all succeeded, 2 usage, 3 the ledger fails, 4 uncertain, or a service refused or
    is out of reach, 5 a job failed, 6 deadline passed, 130 interrupted (the jobs run on).
    """
    from comfygraph.cli.jobs.carrying import Carrier
    from comfygraph.jobs.resuming import Terms

    whole_batch = selection == Selection(batch=selection.batch) and not (
        ids or places.out or no_wait
    )
    with opened(place) as ledger:
        if selection.batch and whole_batch:
            from comfygraph.cli.submit_batch_follow import resume_stored

            return resume_stored(
                ledger, selection.batch, force=force, as_json=as_json,
                stdout=sys.stdout, stderr=sys.stderr,
            )  # fmt: skip
        carrier = Carrier(
            ledger,
            Terms(force=force, save_graph=True),
            places,
            wait=not no_wait,
            as_json=as_json,
        )
        code = carrier.run(_unfinished(ledger, ids, selection, everything))
        if not carrier.count:
            print("nothing to resume", file=sys.stderr)
            return ExitCode.OK
        return code


def _unfinished(
    ledger: Ledger, ids: tuple[str, ...], selection: Selection, everything: bool
) -> Iterator[JobRecord]:
    from comfygraph.jobs.ledger import ClaimLost, Held
    from comfygraph.jobs.ledger.leases import Life, life_of
    from comfygraph.jobs.ledger.patience import claim_patiently

    for record in chosen(ledger, ids, selection, everything):
        if record.state.ended:
            if ids:
                print(f"job {record.id[:8]} has {record.state.value} already", file=sys.stderr)
            continue
        holder = ledger.holder(record.holder)
        life = None if holder is None else life_of(holder)
        if life is Life.LIVES and not ids:
            print(f"job {record.id[:8]} is being carried out: left alone", file=sys.stderr)
            continue
        if life is Life.ELSEWHERE:
            try:
                claim_patiently(
                    ledger, record.id, tell=lambda line: print(line, file=sys.stderr)
                ).release()
            except (Held, ClaimLost) as exc:
                print(f"{exc.message}: left alone", file=sys.stderr)
                continue
        yield record
