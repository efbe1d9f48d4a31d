"""
Following a batch on the command line, from its first job to the last line.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urljoin

from comfygraph.cli.interrupts import Interrupts, Left
from comfygraph.cli.pictures import picture_size
from comfygraph.cli.submit_batch_report import (
    BatchReporter,
    JsonBatchReporter,
    LiveBatchReporter,
    PlainBatchReporter,
)
from comfygraph.cli.terminal import use_color
from comfygraph.errors import ExitCode
from comfygraph.jobs.batch.api import target_of
from comfygraph.jobs.batch.batch import Batch
from comfygraph.jobs.batch.events import BatchEnded, VariantEnded
from comfygraph.jobs.batch.planning import find_batch
from comfygraph.jobs.batch.runner import BatchRunner
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
    unsaved = 0
    end: BatchEnded | None = None
    with Interrupts(batch.stop, reporter) as interrupts, batch:
        try:
            with reporter:
                for event in batch:
                    reporter.event(event)
                    if isinstance(event, VariantEnded) and not as_json:
                        if runner.folder is None and embedded:
                            unsaved += len(event.files)
                        else:
                            _print_files(event, runner, reporter, stdout)
                    if isinstance(event, BatchEnded):
                        end = event
        except Left:
            print(f"left: {_way_on(batch.id, embedded)}", file=stderr)
            return ExitCode.INTERRUPTED
    if end is None:
        return ExitCode.INTERRUPTED
    _sum_up(end, runner, embedded, stderr)
    if unsaved:
        print(f"{unsaved:,} made and not saved: --out DIR keeps them", file=stderr)
    if interrupts.asked:
        return ExitCode.INTERRUPTED
    return _code(end)


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


def _code(end: BatchEnded) -> ExitCode:
    if end.failed:
        return ExitCode.JOB_FAILED
    return ExitCode.OK if not end.left else ExitCode.DEADLINE


def reporter_for(as_json: bool, color: str, stdout: TextIO, stderr: TextIO) -> BatchReporter:
    if as_json:
        return JsonBatchReporter(stdout)
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
        shown = _from_here(file)
        reporter.result(f"{shown}  {size[0]}×{size[1]}" if size else shown, stdout)


def _from_here(path: str) -> str:
    """The path as a person would write it: relative where it is below the current folder."""
    return path.removeprefix(f"{Path.cwd()}{os.sep}")


def _sum_up(end: BatchEnded, runner: BatchRunner, embedded: bool, stderr: TextIO) -> None:
    parts = [f"{end.succeeded:,} done"]
    parts += [f"{end.failed:,} failed"] if end.failed else []
    parts += [f"{end.left:,} left"] if end.left else []
    parts += [f"cost {end.cost:,.10g}"] if end.cost is not None else []
    print(f"batch {end.batch}: {', '.join(parts)}", file=stderr)
    if end.reason and end.left:
        print(f"stopped: {end.reason}", file=stderr)
    if end.left:
        print(_way_on(end.batch, embedded), file=stderr)
    if runner.folder is not None:
        place = runner.history.manifest(runner.folder).paths[0]
        print(f"manifest: {_from_here(str(place))} (and .jsonl)", file=stderr)


def _way_on(batch: str, embedded: bool) -> str:
    if embedded:
        return "the embedded emulator has ended, and its jobs with it"
    return f"go on with the same command and --resume, or `comfygraph jobs resume --batch {batch}`"
