"""
What `comfygraph submit` does, step by step: read, change, lint, send, follow, print.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.cli.assignments import apply_assignments, assigned_places
from comfygraph.cli.graphs import open_with_values, prompt_of
from comfygraph.cli.output import json_text
from comfygraph.cli.submit_target import (
    announce_emulator,
    is_comfyui,
    is_embedded,
    open_service,
    target_name,
)
from comfygraph.cli.target_options import target_options
from comfygraph.cli.terminal import use_color
from comfygraph.core.values import JsonValue, Prompt
from comfygraph.documents import Document
from comfygraph.errors import ExitCode, LintError, UsageError, clean

if TYPE_CHECKING:
    from comfygraph.jobs.local_files import Sources
    from comfygraph.jobs.plan import Plan
    from comfygraph.targets.base import Submission, Target

_WITH_PREVIEWS = ("civitai", "comfyapi")


@dataclass(frozen=True, slots=True)
class Request:
    """
    What a person asks of `comfygraph submit`; the fields are its options.
    """

    graph: str
    target: str | None = None
    url: str | None = None
    url_of_file: bool = False
    """Whether `url` comes from a configuration file, which may have come with a repository."""
    assignments: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    out: str | None = None
    upload_from: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    previews: str | None = None
    overwrite: bool = False
    deadline: float | None = None
    wait: bool = True
    dry_run: bool = False
    as_json: bool = False
    lint: bool = True
    catalog: str | None = None
    color: str = "auto"
    ledger: str | None = field(default=None, repr=False)
    use_ledger: bool = True
    resume: bool = False
    save_graph: bool = True
    max_size: int | None = None
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
    document, assignments = open_with_values(request.graph, request.assignments)
    prompt: Prompt | None = None
    trusted: frozenset[tuple[str, str]] = frozenset()
    if assignments:
        written = prompt_of(document, catalog)
        prompt = apply_assignments(written, assignments, catalog)
        trusted = assigned_places(written, assignments, catalog)
    if request.lint:
        _lint(document, prompt, catalog, request, stderr)
    if prompt is None:
        prompt = prompt_of(document, catalog)
    sources = _sources(request, document, trusted)
    plan = _plan(request, prompt, document, catalog, sources, stderr)
    if request.dry_run:
        return _show_request(request, plan, stdout, stderr)
    from comfygraph.cli.complaints import tell_complaints
    from comfygraph.cli.submit_follow import Follower
    from comfygraph.cli.submit_ledger import written_down
    from comfygraph.targets.failures import GraphRejected

    plan = written_down(plan, request, stderr)
    try:
        return Follower(request, plan, prompt, catalog, stdout, stderr).run()
    except GraphRejected as exc:
        known = document if not assignments else _unplaced(document, prompt)
        tell_complaints(exc, known, prompt, catalog, color=request.color, stream=stderr)
        raise


def _lint(
    document: Document,
    changed: Prompt | None,
    catalog: NodeCatalog,
    request: Request,
    stderr: TextIO,
) -> None:
    from comfygraph.lint import lint
    from comfygraph.lint.render.text import render_text, summary_line

    # where values were set, places in the file no longer say what the graph says
    shown = document if changed is None else _unplaced(document, changed)
    report = lint(shown, catalog)
    color = use_color(request.color, stderr)
    if report.has_errors:
        print(render_text([report], color=color), file=stderr)
        raise LintError(
            "nothing was sent, since lint found errors", hint="--no-lint sends it all the same"
        )
    if report.diagnostics and changed is not None:
        # no file holds what the new values bring: another command could not tell
        in_file = {(found.rule_id, found.message) for found in lint(document, catalog)}
        brought = tuple(
            found for found in report.diagnostics if (found.rule_id, found.message) not in in_file
        )
        if brought:
            print(render_text([replace(report, diagnostics=brought)], color=color), file=stderr)
            return
    if report.diagnostics:
        line = summary_line([report], color=color)
        print(f"lint: {line} (see `comfygraph lint {request.graph}`)", file=stderr)


def _unplaced(document: Document, prompt: Prompt) -> Document:
    return Document(document.path, None, None, "prompt", prompt.to_json(), written=document.written)


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
    from comfygraph.jobs.files import MAX_FILE_BYTES, open_folder
    from comfygraph.jobs.plan import Plan, make_submission

    name = target_name(request)
    submission = make_submission(
        prompt,
        options={**_options(name, document), **target_options(name, document, request.options)},
        partial_targets=_partial_targets(request, name, prompt, document),
    )
    if request.previews is not None and not is_comfyui(name) and name not in _WITH_PREVIEWS:
        print(f"{name} shows no nodes at work: --previews has no effect", file=stderr)
    embedded = is_embedded(request)
    if embedded and not request.wait and not request.dry_run:
        raise UsageError(
            "the embedded emulator ends with this command, so --no-wait would end the job",
            hint="start one with `comfygraph emulate` and give its address with --url",
        )
    announce_emulator(request, stderr)
    target: Target | str = name
    if not embedded or request.dry_run:
        target = open_service(request, submission)
    keep = request.out is not None and request.wait and not request.dry_run
    most = MAX_FILE_BYTES if request.max_size is None else request.max_size
    folder = (
        open_folder(request.out or "", overwrite=request.overwrite, max_bytes=most)
        if keep
        else None
    )
    return Plan(
        target,
        submission,
        folder=folder,
        deadline=request.deadline,
        previews=request.previews is not None,
        catalog=catalog if request.catalog else None,
        sources=sources,
    )


def _partial_targets(
    request: Request, name: str, prompt: Prompt, document: Document
) -> tuple[str, ...]:
    if not request.only:
        written = document.targets if isinstance(document.targets, list) else []
        return tuple(node_id for node_id in written if isinstance(node_id, str))
    from comfygraph.jobs.batch.places import find_nodes

    if not is_comfyui(name):
        raise UsageError(
            f"{name} runs whole graphs only",
            hint="--only works with ComfyUI; remove the other output nodes instead",
        )
    chosen: list[str] = []
    for wanted in request.only:
        nodes = find_nodes(prompt, wanted)
        if len(nodes) != 1:
            problem = f"{len(nodes)} nodes are" if nodes else "no node is"
            raise UsageError(f"--only {wanted}: {problem} called so", hint="give the node's id")
        chosen.append(nodes[0].id)
    return tuple(dict.fromkeys(chosen))


def _options(target: str, document: Document) -> dict[str, JsonValue]:
    """
    Have ComfyUI write the workflow into its pictures, as the editor does.
    """
    if document.kind == "workflow" and is_comfyui(target):
        return {"workflow": document.value}
    return {}


def _show_request(request: Request, plan: Plan, stdout: TextIO, stderr: TextIO) -> ExitCode:
    from comfygraph.jobs.uploads import file_text

    target, submission = _target_of(plan), _submission_of(plan)
    uploads = plan.uploads(target)
    places = [
        {"node_id": item.node_id, "input": item.input, "path": str(item.path)}
        for item, _ in uploads.files
    ]
    for notice in uploads.notices:
        print(clean(f"node {notice.node_id}: {notice.message}"), file=stderr)
    for item, file in uploads.files:
        print(clean(f"would upload {file_text(file)} for {item.label}"), file=stderr)
    exchange = target.submit(submission)
    shown = next(exchange).masked()
    exchange.close()
    if request.as_json:
        print(json.dumps({**shown, "uploads": places} if places else shown), file=stdout)
        return ExitCode.OK
    headers = shown["headers"]
    print(f"{shown['method']} {shown['url']}", file=stdout)
    for name, value in headers.items():
        print(f"{name}: {value}", file=stdout)
    if "body" in shown:
        body = shown["body"]
        text = body if isinstance(body, str) else json_text(body)
        print(f"\n{text}", file=stdout)
    return ExitCode.OK


def _target_of(plan: Plan) -> Target:
    assert not isinstance(plan.target, str)
    return plan.target


def _submission_of(plan: Plan) -> Submission:
    from comfygraph.targets.base import Submission

    assert isinstance(plan.job, Submission)
    return plan.job
