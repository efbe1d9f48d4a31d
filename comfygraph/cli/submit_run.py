"""
What `comfygraph submit` does, step by step: read, change, lint, send, follow, print.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.cli.assignments import apply_assignments
from comfygraph.cli.terminal import use_color
from comfygraph.core.values import JsonValue, Prompt
from comfygraph.documents import Document, JsonSyntaxError, open_document
from comfygraph.errors import ExitCode, InputError, LintError, UsageError, WorkflowError
from comfygraph.targets import get_target, target_names

if TYPE_CHECKING:
    from comfygraph.jobs.local_files import Sources
    from comfygraph.jobs.plan import Plan
    from comfygraph.targets.base import Submission, Target

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
    upload_from: tuple[str, ...] = ()
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
    prompt: Prompt | None = None
    trusted: frozenset[tuple[str, str]] = frozenset()
    if request.assignments:
        written = _prompt_of(document, catalog)
        prompt = apply_assignments(written, request.assignments, catalog)
        trusted = _changed(written, prompt)
    if request.lint:
        _lint(document, prompt, catalog, request, stderr)
    if prompt is None:
        prompt = _prompt_of(document, catalog)
    sources = _sources(request, document, trusted)
    plan = _plan(request, prompt, document, catalog, sources, stderr)
    if request.dry_run:
        return _show_request(request, plan, stdout, stderr)
    from comfygraph.cli.submit_follow import Follower

    return Follower(request, plan, prompt, catalog, stdout, stderr).run()


def _read(graph: str) -> Document:
    name = "<stdin>" if graph == "-" else graph
    try:
        return open_document(sys.stdin.buffer.read() if graph == "-" else Path(graph), name=name)
    except JsonSyntaxError as exc:
        place = f"{name}:{exc.line}:{exc.column}"
        raise InputError(f"{place}: {exc.message}", hint=exc.hint) from exc


def _prompt_of(document: Document, catalog: NodeCatalog) -> Prompt:
    """
    Give the graph of a document, a workflow of the editor converted.
    """
    if document.kind != "workflow":
        return document.to_prompt()
    from comfygraph.workflow import convert

    try:
        return Prompt.from_json(convert(document.value, catalog).document)
    except WorkflowError as exc:
        raise WorkflowError(f"{document.path}: {exc.message}", hint=exc.hint) from exc


def _lint(
    document: Document,
    changed: Prompt | None,
    catalog: NodeCatalog,
    request: Request,
    stderr: TextIO,
) -> None:
    from comfygraph.lint import lint
    from comfygraph.lint.render.text import render_text, summary_line

    if changed is not None:
        # places in the file no longer say what the graph says
        document = Document(document.path, None, None, "prompt", changed.to_json())
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


def _changed(before: Prompt, after: Prompt) -> frozenset[tuple[str, str]]:
    """
    Give the inputs that `--set` changed.
    """
    return frozenset(
        (node.id, name)
        for node in after.nodes()
        for name, value in node.inputs.items()
        if before[node.id].inputs.get(name) != value
    )


def _sources(request: Request, document: Document, trusted: frozenset[tuple[str, str]]) -> Sources:
    """
    Say where local files may be read; a graph that came on its own names none.
    """
    from comfygraph.jobs.local_files import Sources

    alone = request.graph == "-" or document.container is not None
    folders = () if alone else (Path(request.graph).parent, Path())
    return Sources((*folders, *map(Path, request.upload_from)), trusted)


def _plan(
    request: Request,
    prompt: Prompt,
    document: Document,
    catalog: NodeCatalog,
    sources: Sources,
    stderr: TextIO,
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
        prompt,
        options=_options(name, document),
        partial_targets=tuple(node_id for node_id in partial if isinstance(node_id, str)),
    )
    return Plan(
        target,
        submission,
        folder=folder,
        deadline=request.deadline,
        catalog=catalog if request.catalog else None,
        sources=sources,
    )


def _options(target: str, document: Document) -> dict[str, JsonValue]:
    """
    Have ComfyUI write the workflow into its pictures, as the editor does.
    """
    if document.kind == "workflow" and _URL_NAMES[target] == "COMFYUI_URL":
        return {"workflow": document.value}
    return {}


def _wrapped(text: str, stream: TextIO) -> str:
    if not stream.isatty():
        return text
    return textwrap.fill(text, max(shutil.get_terminal_size().columns, 20))


def _show_request(request: Request, plan: Plan, stdout: TextIO, stderr: TextIO) -> ExitCode:
    from comfygraph.jobs.uploads import upload_text

    target, submission = _target_of(plan), _submission_of(plan)
    uploads = plan.uploads(target)
    for notice in uploads.notices:
        print(notice.message, file=stderr)
    for item, file in uploads.files:
        print(upload_text(item, file, "would upload"), file=stderr)
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
