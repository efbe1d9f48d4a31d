"""
`comfygraph jobs show`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from comfygraph.cli.jobs.common import (
    ledger_option,
    moment_text,
    opened,
    record_to_json,
)
from comfygraph.cli.progress import clean
from comfygraph.cli.sizes import size_text
from comfygraph.errors import ExitCode

if TYPE_CHECKING:
    from comfygraph.jobs.ledger import JobRecord, Ledger

_ADVICE = {
    "planned": "comfygraph jobs resume {id}   sends it",
    "intended": "comfygraph jobs resume {id}   looks for it, and sends it only if it is not there",
    "uncertain": "comfygraph jobs resume {id}   looks for it again; --force sends it once more",
    "accepted": "comfygraph jobs watch {id}",
    "running": "comfygraph jobs watch {id}",
    "failed": "comfygraph jobs retry {id}",
    "cancelled": "comfygraph jobs retry {id}",
    "refused": "comfygraph jobs retry {id}",
    "abandoned": "comfygraph jobs retry {id}",
}


@click.command("show")
@click.argument("job", metavar="ID")
@click.option("--graph", is_flag=True, help="Print the graph that was submitted, and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, events and files included.")
@ledger_option
def command(job: str, graph: bool, as_json: bool, place: str | None) -> int:
    """
    Show all that is known of a job.

    ID is the beginning of its id, or the service's id, or its key.

    \b
    comfygraph jobs show 1a2b
    comfygraph jobs show 1a2b --graph > graph.json
    comfygraph jobs show 1a2b --json | jq .files

    Exit codes: 0 fine, 2 no such job, 3 the ledger cannot be read.
    """
    with opened(place) as ledger:
        record = ledger.find(job)
        if graph:
            print(json.dumps(ledger.submission(record.id).prompt.to_json(), indent=2))
        elif as_json:
            print(json.dumps(_to_json(ledger, record), indent=2))
        else:
            _print(ledger, record)
    return ExitCode.OK


def _to_json(ledger: Ledger, record: JobRecord) -> dict[str, Any]:
    return {
        **record_to_json(record),
        "files": [
            {
                "name": file.name,
                "node_id": file.node_id,
                "kind": file.kind,
                "path": file.path or None,
                "size": file.size or None,
                "sha256": file.sha256 or None,
                "preview": file.preview,
            }
            for file in ledger.results(record.id)
        ],
        "events": [{"at": at, **body} for at, body in ledger.events(record.id)],
    }


def _print(ledger: Ledger, record: JobRecord) -> None:
    state = record.state.value
    if state == "running" and record.fraction > 0:
        state = f"running, {int(100 * record.fraction)} %"
    place = record.base_url or "embedded, ended with its command"
    replaced = f"job {record.retry_of[:8]}" if record.retry_of else ""
    variant = f"{record.batch}, variant {record.variant}" if record.batch else ""
    values = ", ".join(f"{name}={value}" for name, value in record.parameters.items())
    rows = (
        ("job", record.id),
        ("state", state),
        ("graph", record.label or record.digest[:12]),
        ("batch", variant),
        ("values", values),
        ("target", f"{record.target} at {place}"),
        ("its id", record.job_id),
        ("key", "" if record.key == record.job_id else record.key),
        ("retry of", replaced),
        ("planned", moment_text(record.created)),
        ("ended", "" if record.ended is None else moment_text(record.ended)),
        ("tries", "" if record.attempts < 2 else f"{record.attempts}, under one key"),
        ("cost", "" if record.cost is None else f"{record.cost:g}"),
        ("problem", f"{record.message} ({record.error})" if record.error else record.message),
    )
    for name, value in rows:
        if value:
            print(f"{name:<9} {clean(value)}")
    files = [file for file in ledger.results(record.id) if file.path or not file.preview]
    for number, file in enumerate(files):
        head = "files" if number == 0 else ""
        where = file.path or f"{file.name} (not saved)"
        size = f"  {size_text(file.size)}" if file.size else ""
        print(f"{head:<9} {clean(where)}{size}")
    advice = "" if record.embedded else _ADVICE.get(record.state.value, "")
    if record.state.value == "succeeded" and not record.embedded:
        missing = any(not file.path for file in files)
        advice = "comfygraph jobs results {id} -o DIR   downloads them" if missing else ""
    if advice:
        print(f"{'next':<9} {advice.format(id=record.id[:8])}")
