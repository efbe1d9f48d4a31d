"""
What `comfygraph submit` writes down before it sends anything.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from comfygraph.errors import ComfyGraphError, UsageError

if TYPE_CHECKING:
    from comfygraph.cli.submit_run import Request
    from comfygraph.jobs.plan import Plan


def written_down(plan: Plan, request: Request, stderr: TextIO) -> Plan:
    """
    Have the ledger keep what happens to the job of a plan, unless the person wants none.

    A job on the embedded emulator costs nothing and ends with the command: where our own place for
    ledgers cannot be written to, it runs all the same.

    Raises:
        LedgerError: The ledger cannot be read or written; nothing was sent.
        Held: Another process carries the job out that `--resume` found.
    """
    if request.save_graph and plan.folder is not None:
        from comfygraph.jobs.resuming import submission_in

        plan = replace(plan, graph=submission_in(plan).prompt)
    if not request.use_ledger:
        if request.resume:
            raise UsageError("--resume looks into the ledger, and --no-ledger keeps none")
        return plan
    from comfygraph.jobs.ledger import LedgerError, default_place, open_ledger
    from comfygraph.jobs.resuming import write_down

    embedded = isinstance(plan.target, str)
    try:
        ledger = open_ledger(request.ledger or default_place(request.config))
    except LedgerError as exc:
        if embedded and request.ledger is None:
            print(f"not written down: {exc.message}", file=stderr)
            return plan
        raise _with_way_out(exc) from exc
    label = "<stdin>" if request.graph == "-" else Path(request.graph).name
    try:
        written = write_down(
            plan,
            ledger,
            label=label,
            out=str(Path(request.out).absolute()) if request.out is not None else None,
            adopt=request.resume,
            then=ledger.close,
        )
    except BaseException as exc:
        ledger.close()
        if isinstance(exc, LedgerError):
            raise _with_way_out(exc) from exc
        raise
    if request.resume:
        from comfygraph.targets.base import Submission

        new = isinstance(written.job, Submission)
        said = "no unfinished job asks the same: handing in a new one" if new else "taking up"
        print(f"{said}{'' if new else f' job {ledger_id(written)}'}", file=stderr)
    return written


def ledger_id(plan: Plan) -> str:
    """
    Give the id under which the ledger shows the job of a plan; `""` where nothing is kept.
    """
    return "" if plan.recorder is None else plan.recorder.job[:8]


def _with_way_out(exc: ComfyGraphError) -> ComfyGraphError:
    exc.hint = f"{exc.hint}; --no-ledger writes nothing down" if exc.hint else None
    return exc
