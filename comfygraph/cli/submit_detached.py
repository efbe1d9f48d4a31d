"""
`comfygraph submit --detach`: a batch is written down, put into the queue, and left to workers.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

from comfygraph.cli.submit_batch_follow import batch_command
from comfygraph.cli.submit_target import is_embedded
from comfygraph.errors import ExitCode, UsageError
from comfygraph.jobs.batch.planning import BatchPlan
from comfygraph.jobs.ledger import default_place
from comfygraph.jobs.ledger.opening import is_shared

if TYPE_CHECKING:
    from comfygraph.cli.submit_run import Request
    from comfygraph.jobs.ledger import BatchRecord, Ledger

MISSING = UsageError(
    "workers on several machines need Procrastinate and psycopg",
    hint="pip install 'comfygraph[cluster]'",
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def refuse_to_detach(request: Request) -> None:
    """
    Refuse what workers could not carry out, before anything is written down.

    Raises:
        UsageError: The ledger is a file, the service would end with the command, or something is
            not installed.
    """
    if not is_shared(request.ledger or default_place(request.config)):
        raise UsageError(
            "--detach needs a ledger that workers on other machines see",
            hint="--ledger postgresql://user@host/database, or COMFYGRAPH_LEDGER",
        )
    if is_embedded(request):
        raise UsageError(
            "the embedded emulator ends with this command, and its jobs with it",
            hint="name a service with --target or --url, such as one of `comfygraph emulate`",
        )
    try:
        import comfygraph.jobs.cluster.queue  # noqa: F401  # what it needs may be missing
    except ImportError as exc:
        raise MISSING from exc


def leave_to_workers(
    ledger: Ledger, record: BatchRecord, *, as_json: bool, stdout: TextIO, stderr: TextIO
) -> ExitCode:
    """
    Put a batch into the queue and say how to follow it.

    Raises:
        LedgerError: The database refuses; `--resume --detach` puts the rest into the queue.
    """
    from comfygraph.jobs.cluster.queue import defer_batch, prepare

    plan = BatchPlan.of(record)
    prepare(ledger)
    count = defer_batch(ledger, record.id)
    if as_json:
        print(
            json.dumps(
                {"batch": record.id, "jobs": plan.jobs, "queued": count, "queue": plan.target}
            ),
            file=stdout,
        )
    else:
        print(record.id, file=stdout)
    jobs = f"{count:,} job" + ("" if count == 1 else "s")
    said = f"{jobs} put into" if count else "all that is not over is in"
    print(f"{said} the queue `{plan.target}` of {ledger.place}", file=stderr)
    if urlsplit(plan.base_url).hostname in _LOOPBACK:
        print(f"note: workers look for the service at {plan.base_url} too", file=stderr)
    if plan.out is not None:
        print(f"each worker saves files in {plan.out} on its own machine", file=stderr)
    print("run      comfygraph worker with the same --ledger, on any machine", file=stderr)
    print(f"follow   {batch_command(ledger, 'watch', record.id)}", file=stderr)
    print(f"give up  {batch_command(ledger, 'cancel', record.id)}", file=stderr)
    return ExitCode.OK
