"""
What `comfygraph submit` does, step by step: read, change, lint, send, follow, print.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urljoin

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.cli.assignments import apply_assignments
from comfygraph.cli.interrupts import Interrupts, Left
from comfygraph.cli.pictures import picture_size
from comfygraph.cli.progress import JsonReporter, PlainReporter, Reporter, clean, label_of
from comfygraph.cli.terminal import use_color
from comfygraph.core.graph import GraphView
from comfygraph.core.values import Prompt
from comfygraph.documents import Document, JsonSyntaxError, open_document
from comfygraph.errors import (
    ComfyGraphError,
    ExitCode,
    InputError,
    JobError,
    LintError,
    TargetError,
    UsageError,
)
from comfygraph.targets import get_target, target_names
from comfygraph.targets.events import JobCancelled, JobEnd, JobFailed, JobSucceeded, OutputFile

if TYPE_CHECKING:
    from comfygraph.jobs.plan import Plan
    from comfygraph.jobs.sync_driver import Job
    from comfygraph.targets.base import JobRef, Submission, Target

_URL_NAMES = {
    "civitai": "CIVITAI_API_URL",
    "comfyui": "COMFYUI_URL",
    "emulator": "COMFYUI_URL",
    "tams": "TAMS_BASE_URL",
}
_EMULATOR = "emulator"
_ON_EMULATOR = (
    "no target configured: running on the embedded emulator, pictures are placeholders "
    "(see `comfygraph submit --help`)"
)


@dataclass(frozen=True, slots=True)
class Request:
    """
    What a person asks of `comfygraph submit`; the fields are its options.
    """

    graph: str
    target: str | None = None
    url: str | None = None
    assignments: tuple[str, ...] = ()
    out: str | None = None
    overwrite: bool = False
    deadline: float | None = None
    wait: bool = True
    dry_run: bool = False
    as_json: bool = False
    lint: bool = True
    catalog: str | None = None
    color: str = "auto"
    config: Mapping[str, str] = field(default_factory=dict, repr=False)


def run_submit(request: Request, *, stdout: TextIO, stderr: TextIO) -> ExitCode:
    """
    Carry a request out.

    Args:
        request: What is asked.
        stdout: Takes results: paths, events as JSON, references.
        stderr: Takes everything else.

    Returns:
        The exit code of what ended without an exception.

    Raises:
        ComfyGraphError: What went wrong, with its exit code.
    """
    catalog = load_catalog(request.catalog)
    document = _read(request.graph)
    prompt, document = _change(request, document, catalog)
    if request.lint:
        _lint(document, catalog, request, stderr)
    if prompt is None:
        prompt = document.to_prompt()
    plan = _plan(request, prompt, document, catalog, stderr)
    if request.dry_run:
        return _show_request(request, plan, stdout)
    return _Run(request, plan, prompt, catalog, stdout, stderr).run()


def _read(graph: str) -> Document:
    name = "<stdin>" if graph == "-" else graph
    try:
        return open_document(sys.stdin.buffer.read() if graph == "-" else Path(graph), name=name)
    except JsonSyntaxError as exc:
        place = f"{name}:{exc.line}:{exc.column}"
        raise InputError(f"{place}: {exc.message}", hint=exc.hint) from exc


def _change(
    request: Request, document: Document, catalog: NodeCatalog
) -> tuple[Prompt | None, Document]:
    if not request.assignments:
        return None, document
    prompt = apply_assignments(document.to_prompt(), request.assignments, catalog)
    # places in the file no longer say what the graph says
    changed = replace(document, prompt=prompt.to_json(), text=None)
    return prompt, changed


def _lint(document: Document, catalog: NodeCatalog, request: Request, stderr: TextIO) -> None:
    from comfygraph.lint import lint
    from comfygraph.lint.render.text import render_text, summary_line

    report = lint(document, catalog)
    color = use_color(request.color, stderr)
    if report.has_errors:
        print(render_text([report], color=color), file=stderr)
        raise LintError(
            "nothing was sent, since lint found errors", hint="--no-lint sends it all the same"
        )
    if report.diagnostics:
        line = summary_line([report], color=color)
        print(f"lint: {line} (see `comfygraph lint {request.graph}`)", file=stderr)


def _plan(
    request: Request, prompt: Prompt, document: Document, catalog: NodeCatalog, stderr: TextIO
) -> Plan:
    from comfygraph.jobs.files import open_folder
    from comfygraph.jobs.plan import Plan, make_submission

    name = request.target or ("comfyui" if request.url else _EMULATOR)
    if name not in target_names():
        raise UsageError(
            f"there is no target `{name}`", hint=f"choose one of {', '.join(target_names())}"
        )
    embedded = name == _EMULATOR and not request.url
    if embedded and not request.wait and not request.dry_run:
        raise UsageError(
            "the embedded emulator ends with this command, so --no-wait would end the job",
            hint="start one with `comfygraph emulate` and give its address with --url",
        )
    if embedded and request.target is None:
        print(_wrapped(_ON_EMULATOR, stderr), file=stderr)
    target: Target | str = name
    if not embedded or request.dry_run:
        config = dict(request.config)
        if name == _EMULATOR:
            config.pop("COMFYUI_URL", None)
        if request.url:
            config[_URL_NAMES[name]] = request.url
        target = get_target(name, config)
    keep = request.out is not None and request.wait and not request.dry_run
    folder = open_folder(request.out or "", overwrite=request.overwrite) if keep else None
    partial = document.targets if isinstance(document.targets, list) else []
    submission = make_submission(
        prompt, partial_targets=tuple(node_id for node_id in partial if isinstance(node_id, str))
    )
    return Plan(
        target,
        submission,
        folder=folder,
        deadline=request.deadline,
        catalog=catalog if request.catalog else None,
    )


def _wrapped(text: str, stream: TextIO) -> str:
    if not stream.isatty():
        return text
    return textwrap.fill(text, max(shutil.get_terminal_size().columns, 20))


def _show_request(request: Request, plan: Plan, stdout: TextIO) -> ExitCode:
    target, submission = _target_of(plan), _submission_of(plan)
    exchange = target.submit(submission)
    shown = next(exchange).masked()
    exchange.close()
    if request.as_json:
        print(json.dumps(shown), file=stdout)
        return ExitCode.OK
    headers = shown["headers"]
    print(f"{shown['method']} {shown['url']}", file=stdout)
    for name, value in headers.items():
        print(f"{name}: {value}", file=stdout)
    if "body" in shown:
        body = shown["body"]
        text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
        print(f"\n{text}", file=stdout)
    return ExitCode.OK


def _target_of(plan: Plan) -> Target:
    assert not isinstance(plan.target, str)
    return plan.target


def _submission_of(plan: Plan) -> Submission:
    from comfygraph.targets.base import Submission

    assert isinstance(plan.job, Submission)
    return plan.job


class _Run:
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

    def run(self) -> ExitCode:
        """
        Hand in, follow, print; give the exit code.
        """
        from comfygraph.jobs.sync_driver import Job

        with Job(self._plan) as job:
            reporter = self._reporter()
            with Interrupts(job.ask_cancel, reporter) as interrupts:
                try:
                    with reporter:
                        if not self._request.wait:
                            job.start()
                        else:
                            for event in job:
                                reporter.event(event)
                except Left:
                    return self._leave(job)
                except ComfyGraphError as exc:
                    self._complain(exc, job)
                    raise
            if not self._request.wait:
                return self._print_reference(job)
            return self._finish(job.end, interrupts.asked)

    def _reporter(self) -> Reporter:
        from comfygraph.jobs.progress import Progress

        if self._request.as_json or not self._request.wait:
            return JsonReporter(self._stdout)
        progress = Progress(self._prompt, runs=self._runs(), clock=time.monotonic)
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
        return LiveReporter(self._prompt, progress, console, place=self._place())

    def _runs(self) -> frozenset[str]:
        outputs = _submission_of(self._plan).partial_targets or [
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
                print(urljoin(f"{self._plan.target.base_url}/", file.url), file=self._stdout)
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
            print(ref.job_id, file=self._stdout)
            print(f"handed in: {_found_at(ref)}", file=self._stderr)
        return ExitCode.OK

    def _leave(self, job: Job) -> ExitCode:
        ref = job.ref
        if ref is None or isinstance(self._plan.target, str):
            print("left", file=self._stderr)
        else:
            print(f"left; the job may still run: {_found_at(ref)}", file=self._stderr)
        return ExitCode.INTERRUPTED

    def _complain(self, exc: ComfyGraphError, job: Job) -> None:
        """
        Print what the exception's one line leaves out.
        """
        from comfygraph.jobs.effects import Stage
        from comfygraph.targets.failures import GraphRejected

        if isinstance(exc, GraphRejected) and len(exc.complaints) > 1:
            for complaint in exc.complaints:
                place = f", `{clean(complaint.input)}`" if complaint.input else ""
                label = label_of(self._prompt, complaint.node_id)
                print(f"  {label}{place}: {clean(complaint.message)}", file=self._stderr)
        if job.stage is Stage.ACCEPTED and job.ref is not None:
            print(f"the job was handed in: {_found_at(job.ref)}", file=self._stderr)


def _found_at(ref: JobRef) -> str:
    key = "" if ref.key == ref.job_id else f" (key {ref.key})"
    return f"job {ref.job_id or 'unknown'}{key} of {ref.target} at {ref.base_url}"


def _told_size(file: OutputFile) -> tuple[int, int] | None:
    return (file.width, file.height) if file.width and file.height else None
