"""
`comfygraph worker`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import TYPE_CHECKING

import click

from comfygraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from comfygraph.jobs.cluster.worker import WorkerTerms
    from comfygraph.jobs.ledger import JobRecord, Ledger


@click.command(short_help="Carry out what `submit --detach` left, beside other machines.")
@click.option(
    "--ledger", "place", metavar="URL", default=None,
    help="The ledger, postgresql://user@host/database; default is COMFYGRAPH_LEDGER.",
)  # fmt: skip
@click.option(
    "--concurrency", "-j", type=click.IntRange(1, 1000), metavar="N", default=8, show_default=True,
    help="How many jobs are under way at the same time.",
)  # fmt: skip
@click.option(
    "--queues", metavar="NAMES", default=None,
    help="Take jobs of these services only, such as tams,civitai; default is all that are set up.",
)  # fmt: skip
@click.option("--once", is_flag=True, help="End when nothing is left to be done, by anybody.")
@click.option(
    "--out", "-o", metavar="DIR", default=None,
    help="Save files in DIR, wherever the submit was to put them.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a job a line.")
def worker(
    place: str | None,
    concurrency: int,
    queues: str | None,
    once: bool,
    out: str | None,
    as_json: bool,
) -> int:
    """
    Carry out what `comfygraph submit --detach` left, beside any number of other workers.

    The ledger is a PostgreSQL database that all of them see. Each job is carried out by one of
    them, inside rate limits that all of them share. A worker that dies is noticed in half a minute:
    its jobs are taken up by another, looked for by their keys first, and none is sent twice.

    Files are saved on the machine of the worker, in the folder that the submit named or in --out:
    a folder that all machines share brings them together. Local pictures that graphs name must be
    where they were when the batch was submitted.

    Credentials of the services stand in the environment of each worker, never in the database; it
    takes the jobs of the services that are set up there. A password for the database may stand in
    PGPASSWORD, in ~/.pgpass or in a service file.

    A line for each job that is over goes to stdout, everything else to stderr.

    \b
    export COMFYGRAPH_LEDGER=postgresql://me@db.example/pictures
    comfygraph submit --batch all.jsonl --target tams --yes --detach
        write a batch down, put it into the queue, and return
    TAMS_API_KEY=... comfygraph worker
        carry it out; on as many machines as you like
    comfygraph worker --queues civitai --concurrency 32 --out /mnt/shared/pictures
        one service only, files in one place
    comfygraph worker --once
        end when the queue is empty
    comfygraph jobs watch --batch 20261121-143502-3f2a1c
        see how far a batch is, from anywhere

    SIGTERM and Ctrl-C leave the jobs to other workers, once no submit is under way; a second Ctrl-C
    waits for nothing.

    Exit codes: 0 the queue is empty, or SIGTERM; 2 usage, 3 the ledger fails, 4 credentials are
    refused, 130 interrupted.
    """
    from comfygraph.jobs.ledger import default_place, open_ledger
    from comfygraph.jobs.ledger.opening import is_shared

    if not is_shared(place or default_place()):
        raise UsageError(
            "a worker needs a ledger that other machines see",
            hint="--ledger postgresql://user@host/database, or COMFYGRAPH_LEDGER",
        )
    try:
        from comfygraph.jobs.cluster.worker import WorkerTerms
    except ImportError as exc:
        from comfygraph.cli.submit_detached import MISSING

        raise MISSING from exc
    terms = WorkerTerms(_queues(queues), concurrency=concurrency, once=once, out=out)
    with open_ledger(place) as ledger:
        return asyncio.run(_work(ledger, terms, as_json))


def _queues(given: str | None) -> list[str]:
    """
    Give the services whose jobs are taken.

    Raises:
        UsageError: A name is none of a service, or that is not set up.
    """
    from comfygraph.jobs.cluster.worker import queues_for

    known = queues_for(os.environ)
    if given is None:
        return [name for name, missing in known.items() if not missing]
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no service `{name}`", hint=f"choose from {', '.join(sorted(known))}"
            )
        if known[name]:
            raise UsageError(f"jobs of {name} cannot be carried out here: {known[name]}")
    if not names:
        raise UsageError("--queues names no service")
    return names


async def _work(ledger: Ledger, terms: WorkerTerms, as_json: bool) -> ExitCode:
    from comfygraph.cli.progress import clean
    from comfygraph.jobs.cluster.worker import ClusterWorker

    def tell(line: str) -> None:
        click.echo(clean(line), err=True)

    def report(record: JobRecord) -> None:
        click.echo(_line(ledger, record, as_json))

    work = ClusterWorker(ledger, terms, config=os.environ, tell=tell, report=report)
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if not interrupted:
            tell("leaving; other workers take the jobs up")
        interrupted = True
        work.ask_stop()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, work.ask_stop)
    tell(f"taking jobs for {', '.join(terms.queues)} from {ledger.place}, Ctrl-C ends")
    try:
        await work.run()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)
    return ExitCode.INTERRUPTED if interrupted else ExitCode.OK


def _line(ledger: Ledger, record: JobRecord, as_json: bool) -> str:
    from comfygraph.cli.jobs.common import record_to_json, what_text
    from comfygraph.cli.progress import clean

    paths = [file.path for file in ledger.results(record.id) if file.path]
    if as_json:
        return json.dumps({**record_to_json(record), "files": paths})
    tail = f": {clean(record.message)}" if record.message else ""
    head = f"{record.id[:8]}  {record.state.value:<9}  {what_text(record)}{tail}"
    return "\n".join([head, *(f"          {clean(path)}" for path in paths)])
