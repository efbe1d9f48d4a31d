"""
Following a batch on the command line, from its first job to the last line.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urljoin

from comfygraph.cli.interrupts import Interrupts, Left
from comfygraph.cli.pictures import picture_size
from comfygraph.cli.progress import JsonReporter, clean
from comfygraph.cli.submit_batch_report import (
    BatchReporter,
    LiveBatchReporter,
    PlainBatchReporter,
)
from comfygraph.cli.terminal import use_color
from comfygraph.errors import ExitCode, TargetError
from comfygraph.jobs.batch.api import target_of
from comfygraph.jobs.batch.batch import Batch
from comfygraph.jobs.batch.events import (
    BatchEnded,
    BatchNotice,
    VariantEnded,
    batch_event_to_json,
)
from comfygraph.jobs.batch.planning import find_batch
from comfygraph.jobs.batch.runner import BatchRunner
from comfygraph.jobs.ledger import UNFINISHED, Query, State, default_place
from comfygraph.jobs.pool import fellows

if TYPE_CHECKING:
    from comfygraph.jobs.ledger import Ledger


def follow_batch(
    batch: Batch,
    runner: BatchRunner,
    *,
    embedded: bool = False,
    as_json: bool = False,
    color: str = "auto",
    stdout: TextIO,
    stderr: TextIO,
) -> ExitCode:
    """
    Carry a batch out and show it; give the exit code.

    Args:
        batch: The batch.
        runner: What carries it out.
        embedded: Whether it runs on an emulator that ends with the command.
        as_json: Whether events are printed as JSON.
        color: `"auto"`, `"always"` or `"never"`.
        stdout: Takes paths of files, or events as JSON.
        stderr: Takes everything else.

    Raises:
        ComfyGraphError: What ended the batch early.
    """
    reporter = reporter_for(as_json, color, stdout, stderr)
    unsaved = incomplete = 0
    end: BatchEnded | None = None
    told = as_json
    steps = (batch.stop, batch.leave)
    with Interrupts(steps, reporter) as interrupts, batch:
        try:
            with reporter:
                for event in batch:
                    reporter.event(event)
                    if isinstance(event, VariantEnded):
                        # one that ended well has nothing to say, but for files that are missing
                        incomplete += event.state == State.SUCCEEDED.value and bool(event.message)
                    if isinstance(event, VariantEnded) and not as_json:
                        if runner.folder is None and embedded:
                            unsaved += len(event.files)
                        else:
                            _print_files(event, runner, reporter, stdout)
                    elif isinstance(event, BatchNotice) and interrupts.asked and not told:
                        told = True
                        reporter.event(BatchNotice("Ctrl-C again leaves them running"))
                    elif isinstance(event, BatchEnded):
                        end = event
        except Left:
            print(f"batch {batch.id} is left", file=stderr)
            _say_way_on(runner, embedded, stderr)
            return ExitCode.INTERRUPTED
    if end is None:
        return ExitCode.INTERRUPTED
    sum_up(end, stderr, _at_the_service(runner))
    if end.reason and end.left and not interrupts.asked:
        print(f"stopped: {clean(end.reason)}", file=stderr)
    if unsaved:
        print(f"{unsaved:,} made and not saved: --out DIR keeps them", file=stderr)
    if incomplete:
        fetch = batch_command(runner.ledger, "results", batch.id)
        print(f"fetch    {fetch}", file=stderr)
    if end.failed:
        why = batch_command(runner.ledger, "list", batch.id, " --state failed")
        print(f"why      {why}", file=stderr)
    if end.left:
        _say_way_on(runner, embedded, stderr)
    if runner.folder is not None:
        place = runner.history.manifest(runner.folder).paths[0]
        print(f"manifest {from_here(str(place))} (and .jsonl)", file=stderr)
    if interrupts.asked:
        return ExitCode.INTERRUPTED
    if end.failed or end.left or not incomplete:
        return _code(end, runner)
    raise TargetError(f"all jobs succeeded, and {incomplete:,} of them lack files")


def resume_stored(
    ledger: Ledger,
    batch: str,
    *,
    force: bool = False,
    as_json: bool = False,
    stdout: TextIO,
    stderr: TextIO,
) -> ExitCode:
    """
    Go on with a batch that the ledger has, as it was asked for; give the exit code.

    Args:
        ledger: The ledger.
        batch: The id of the batch, or the beginning of it.
        force: Whether what is uncertain is sent again where it is not found.
        as_json: Whether events are printed as JSON.
        stdout: Takes paths of files, or events as JSON.
        stderr: Takes everything else.

    Raises:
        ComfyGraphError: There is no such batch, or what ended it early.
    """
    record = find_batch(ledger, batch)
    target = target_of(ledger, record)
    runner = BatchRunner(ledger, record, target, others=fellows(target, os.environ), force=force)
    return follow_batch(Batch(runner), runner, as_json=as_json, stdout=stdout, stderr=stderr)


def _code(end: BatchEnded, runner: BatchRunner) -> ExitCode:
    if runner.unreachable:
        return ExitCode.TARGET
    if end.failed:
        return ExitCode.JOB_FAILED
    return ExitCode.OK if not end.left else ExitCode.DEADLINE


def reporter_for(as_json: bool, color: str, stdout: TextIO, stderr: TextIO) -> BatchReporter:
    if as_json:
        return JsonReporter(stdout, batch_event_to_json)
    if not stderr.isatty():
        return PlainBatchReporter(stderr)
    from rich.console import Console

    console = Console(
        file=stderr, no_color=not use_color(color, stderr), force_terminal=True,
        highlight=False, markup=False,
        emoji=False,
    )  # fmt: skip
    if console.is_dumb_terminal or console.legacy_windows:
        return PlainBatchReporter(stderr)
    return LiveBatchReporter(console)


def _print_files(
    event: VariantEnded, runner: BatchRunner, reporter: BatchReporter, stdout: TextIO
) -> None:
    for file in event.files:
        if runner.folder is None:
            reporter.result(urljoin(f"{runner.plan.base_url}/", file), stdout)
            continue
        size = picture_size(Path(file))
        shown = from_here(file)
        reporter.result(f"{shown}  {size[0]}×{size[1]}" if size else shown, stdout)


def from_here(path: str) -> str:
    """
    Give a path as a person would write it: relative where it is below the current folder.
    """
    return path.removeprefix(f"{Path.cwd()}{os.sep}")


def sum_up(end: BatchEnded, stderr: TextIO, running: int = 0) -> None:
    """
    Say in one line what came of a batch.

    Args:
        end: Its end.
        stderr: Takes the line.
        running: How many of the jobs that are left run on at the service.
    """
    parts = [f"{end.succeeded:,} done"]
    parts += [f"{end.failed:,} failed"] if end.failed else []
    parts += [f"{end.left:,} left"] if end.left else []
    parts += [f"{running:,} of them at the service"] if end.left and running else []
    parts += [f"cost {end.cost:,.10g}"] if end.cost is not None else []
    print(f"batch {end.batch}: {', '.join(parts)}", file=stderr)


def _at_the_service(runner: BatchRunner) -> int:
    query = Query(batch=runner.batch.id, states=UNFINISHED - {State.PLANNED})
    return sum(runner.ledger.counts(query).values())


def _say_way_on(runner: BatchRunner, embedded: bool, stderr: TextIO) -> None:
    if embedded:
        print("the embedded emulator has ended, and its jobs with it", file=stderr)
        return
    ledger, batch = runner.ledger, runner.batch.id
    print("go on    the same command with --resume, or", file=stderr)
    print(f"         {batch_command(ledger, 'resume', batch)}", file=stderr)
    print(f"give up  {batch_command(ledger, 'cancel', batch)}", file=stderr)


def batch_command(ledger: Ledger, verb: str, batch: str, options: str = "") -> str:
    """
    Give a command about a batch, fit to be pasted: `comfygraph jobs watch --batch ID`.
    """
    command = f"comfygraph jobs {verb} --batch {batch}{options}"
    if ledger.place == default_place():
        return command
    return f"{command} --ledger {shlex.quote(ledger.place)}"
