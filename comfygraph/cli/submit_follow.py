"""
Following one job on the command line, from its submit to the last line.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urljoin

from comfygraph.cli.interrupts import Interrupts, Left
from comfygraph.cli.pictures import picture_size
from comfygraph.cli.progress import JsonReporter, PlainReporter, Reporter, clean, label_of
from comfygraph.cli.submit_ledger import ledger_id
from comfygraph.cli.terminal import use_color
from comfygraph.core.graph import GraphView
from comfygraph.errors import ComfyGraphError, ExitCode, JobError, TargetError
from comfygraph.targets.base import JobRef, Submission
from comfygraph.targets.events import (
    JobCancelled,
    JobEnd,
    JobFailed,
    JobSucceeded,
    Notice,
    OutputFile,
    event_to_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfygraph.catalog import NodeCatalog
    from comfygraph.cli.previews import Previews
    from comfygraph.cli.submit_run import Request
    from comfygraph.core.values import Prompt
    from comfygraph.jobs.plan import Plan
    from comfygraph.jobs.sync_driver import Job


class Follower:
    """
    One job from its submit to the last line.
    """

    def __init__(
        self,
        request: Request,
        plan: Plan,
        prompt: Prompt,
        catalog: NodeCatalog,
        stdout: TextIO,
        stderr: TextIO,
    ) -> None:
        self._request = request
        self._plan = plan
        self._prompt = prompt
        self._catalog = catalog
        self._stdout = stdout
        self._stderr = stderr
        self._show: Callable[[str], None] | None = None

    def run(self) -> ExitCode:
        """
        Hand in, follow, print; give the exit code.
        """
        from comfygraph.jobs.sync_driver import Job

        with Job(self._plan) as job:
            reporter = self._reporter()
            with Interrupts((job.ask_cancel,), reporter) as interrupts:
                try:
                    with reporter:
                        if not self._request.wait:
                            job.start()
                        else:
                            self._follow(job, reporter, interrupts)
                except Left:
                    return self._leave(job)
                except ComfyGraphError as exc:
                    self._complain(exc, job)
                    raise
            if not self._request.wait:
                return self._print_reference(job)
            return self._finish(job.end, interrupts.asked)

    def _follow(self, job: Job, reporter: Reporter, interrupts: Interrupts) -> None:
        told = self._request.as_json
        previews = self._previews()
        for event in job:
            reporter.event(event)
            if previews is not None:
                picture = previews.take(event, job.ref.job_id if job.ref is not None else "")
                if picture is not None and self._show is not None:
                    self._show(picture)
            if interrupts.asked and not told:
                told = True
                reporter.event(Notice("Ctrl-C again leaves the job running"))

    def _previews(self) -> Previews | None:
        if self._request.previews is None:
            return None
        from comfygraph.cli.previews import Previews, picture_protocol

        protocol = picture_protocol(self._request.config) if self._show is not None else None
        return Previews(Path(self._request.previews), protocol)

    def _reporter(self) -> Reporter:
        from comfygraph.jobs.progress import Progress

        if self._request.as_json or not self._request.wait:
            return JsonReporter(self._stdout, event_to_json)
        progress = Progress(
            self._prompt, runs=self._runs(), weights=self._plan.weights, clock=time.monotonic
        )
        if not self._stderr.isatty():
            return PlainReporter(self._prompt, progress, self._stderr)
        from rich.console import Console

        from comfygraph.cli.live import LiveReporter

        color = use_color(self._request.color, self._stderr)
        console = Console(
            file=self._stderr,
            no_color=not color,
            force_terminal=True,
            highlight=False,
            markup=False,
            emoji=False,
        )
        if console.is_dumb_terminal or console.legacy_windows:
            return PlainReporter(self._prompt, progress, self._stderr)
        reporter = LiveReporter(self._prompt, progress, console, place=self._place())
        self._show = reporter.show
        return reporter

    def _runs(self) -> frozenset[str]:
        job = self._plan.job
        partial = job.partial_targets if isinstance(job, Submission) else ()
        outputs = partial or [
            node.id
            for node in self._prompt.nodes()
            if (definition := self._catalog.get(node.class_type)) is not None
            and definition.output_node
        ]
        runs = GraphView(self._prompt).reachable_from_outputs(outputs)
        return runs or frozenset(self._prompt)

    def _place(self) -> str:
        if isinstance(self._plan.target, str):
            return "the emulator"
        return self._plan.target.base_url

    def _finish(self, end: JobEnd | None, interrupted: bool) -> ExitCode:
        files = () if end is None else end.files
        missing = self._print_files(files)
        match end:
            case JobSucceeded(cost=cost):
                if cost is not None and not self._request.as_json:
                    print(f"cost {cost:g}", file=self._stderr)
            case JobFailed(message=message, node_id=node_id):
                raise self._failure(message, node_id)
            case JobCancelled():
                print("the job was cancelled", file=self._stderr)
                return ExitCode.INTERRUPTED if interrupted else ExitCode.JOB_FAILED
            case None:
                raise JobError("the job was left before its end")
        if interrupted:
            return ExitCode.INTERRUPTED
        if missing:
            raise TargetError(
                f"the job succeeded, and {missing} of its files could not be fetched",
                hint="their addresses are above; some expire soon",
            )
        return ExitCode.OK

    def _failure(self, message: str, node_id: str | None) -> JobError:
        if node_id is None:
            return JobError(f"the job failed: {message}")
        label = label_of(self._prompt, node_id)
        node = self._prompt.get(node_id)
        if node is not None and node.title != node.class_type:
            label = f"{clean(node.class_type)} {label}"
        return JobError(f"the job failed at {label}: {message}", node_id=node_id)

    def _print_files(self, files: tuple[OutputFile, ...]) -> int:
        """
        Print what the job made; give how many files could not be saved.
        """
        wanted = [file for file in files if file.path is not None or not file.preview]
        missing = 0
        for file in wanted or files:
            if file.path is None and self._plan.folder is not None:
                missing += not file.preview
            if self._request.as_json:
                continue
            if file.path is not None:
                size = picture_size(Path(file.path)) or _told_size(file)
                print(f"{file.path}  {size[0]}×{size[1]}" if size else file.path, file=self._stdout)
            elif not isinstance(self._plan.target, str):
                address = urljoin(f"{self._plan.target.base_url}/", file.url)
                print(clean(address), file=self._stdout)
        emulated = isinstance(self._plan.target, str)
        if files and emulated and self._plan.folder is None and not self._request.as_json:
            count = f"{len(files)} file" + ("s" if len(files) > 1 else "")
            print(f"{count} made and not saved: --out DIR keeps them", file=self._stderr)
        return missing

    def _print_reference(self, job: Job) -> ExitCode:
        ref = job.ref
        assert ref is not None
        if self._request.as_json:
            print(json.dumps(ref.to_json()), file=self._stdout)
        else:
            print(clean(ref.job_id), file=self._stdout)
            print(f"handed in: {_found_at(ref)}{self._how_to_follow()}", file=self._stderr)
        return ExitCode.OK

    def _leave(self, job: Job) -> ExitCode:
        ref = job.ref
        if ref is None or isinstance(self._plan.target, str):
            print("left", file=self._stderr)
        else:
            place = f"{_found_at(ref)}{self._how_to_follow()}"
            print(f"left; the job may still run: {place}", file=self._stderr)
        return ExitCode.INTERRUPTED

    def _complain(self, exc: ComfyGraphError, job: Job) -> None:
        """
        Print what the exception's one line leaves out.
        """
        from comfygraph.jobs.effects import Stage

        if job.stage is Stage.ACCEPTED and job.ref is not None:
            place = f"{_found_at(job.ref)}{self._how_to_follow()}"
            print(f"the job was handed in: {place}", file=self._stderr)

    def _how_to_follow(self) -> str:
        known = ledger_id(self._plan)
        embedded = isinstance(self._plan.target, str)
        return f"\nfollow it: comfygraph jobs watch {known}" if known and not embedded else ""


def _found_at(ref: JobRef) -> str:
    key = "" if ref.key == ref.job_id else f" (key {ref.key})"
    return clean(f"job {ref.job_id or 'unknown'}{key} of {ref.target} at {ref.base_url}")


def _told_size(file: OutputFile) -> tuple[int, int] | None:
    return (file.width, file.height) if file.width and file.height else None
