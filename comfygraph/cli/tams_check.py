"""
`comfygraph tams check`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from comfygraph.errors import ExitCode, TargetError

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.jobs.local_files import Sources
    from comfygraph.lint.diagnostic import Diagnostic, Report
    from comfygraph.references.retarget import Graph
    from comfygraph.references.tams import TamsModel
    from comfygraph.references.web import Web
    from comfygraph.targets.base import CheckAnswer, Submission
    from comfygraph.targets.tams import TamsTarget


@click.command(short_help="Ask whether a graph would be taken, and what it would cost.")
@click.argument("graph", metavar="GRAPH")
@click.option("--no-models", is_flag=True, help="Do not look the models up, one request for each.")
@click.option(
    "--upload-from", metavar="DIR", multiple=True,
    help="Also upload local pictures that GRAPH names below DIR.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
def check(
    graph: str, no_models: bool, upload_from: tuple[str, ...], as_json: bool, color: str
) -> int:
    """
    Ask TAMS whether it would take GRAPH and for how many credits, without running it.

    What it refuses is told at its place in the file. The models that GRAPH names by number are
    looked up: whether there are such, of the kind that the input wants, for one base model.
    Local pictures that GRAPH names are uploaded, as `submit` does; that costs nothing.

    \b
    comfygraph tams check graph.json
    comfygraph tams check workflow.json --json
    comfygraph tams check graph.json --no-models

    Exit codes: 0 it would be taken, 1 it would not, 2 usage, 3 unreadable graph, 4 TAMS refused
    to say or is out of reach.
    """
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.graphs import open_graph
    from comfygraph.references.retarget import read_graph
    from comfygraph.references.web import Web
    from comfygraph.targets import get_target
    from comfygraph.targets.base import Submission

    catalog = load_catalog()
    document = open_graph(graph)
    found = read_graph(document, catalog)
    target = cast("TamsTarget", get_target("tams", os.environ))
    sources = _sources(graph, document.container is not None, upload_from)
    submission = Submission(found.prompt, "check")
    web = Web()
    try:
        submission = with_uploads(submission, target, sources, catalog, web)
        answer = web.run(target.check(submission))
        known = {} if no_models else _look_up(found, web)
    finally:
        web.close()
    report = _report(found, answer, known)
    if as_json:
        click.echo(json.dumps(_json(answer, report), indent=2))
    else:
        _tell(answer, report, color)
    return ExitCode.OK if answer.valid and not report.has_errors else ExitCode.FINDINGS


def _sources(graph: str, from_picture: bool, upload_from: tuple[str, ...]) -> Sources:
    from comfygraph.jobs.local_files import Sources

    own = () if graph == "-" or from_picture else (Path(graph).parent, Path())
    return Sources((*own, *map(Path, upload_from)))


def with_uploads(
    submission: Submission, target: TamsTarget, sources: Sources, catalog: NodeCatalog, web: Web
) -> Submission:
    """
    Upload the local files that a graph names; give it with their resource ids.
    """
    from comfygraph.core.edit import set_input
    from comfygraph.jobs.uploads import collect_uploads, file_text

    uploads = collect_uploads(submission.prompt, target, sources, catalog)
    for notice in uploads.notices:
        click.echo(f"node {notice.node_id}: {notice.message}", err=True)
    names: dict[str, str] = {}
    prompt = submission.prompt
    for item, file in uploads.files:
        if file.digest not in names:
            click.echo(f"uploading {file_text(file)} for {item.label}", err=True)
            names[file.digest] = web.run(target.upload_image(file))
        prompt = set_input(prompt, item.node_id, item.input, names[file.digest])
    return replace(submission, prompt=prompt)


def _look_up(graph: Graph, web: Web) -> dict[str, TamsModel | None]:
    from comfygraph.references.tams import TamsModels
    from comfygraph.references.tams_fit import tams_ids

    models = TamsModels.from_config(os.environ)
    known: dict[str, TamsModel | None] = {}
    for model_id in tams_ids(graph):
        try:
            known[model_id.id] = web.run(models.model(model_id))
        except TargetError as exc:
            click.echo(f"model {model_id}: {exc.message}", err=True)
    return known


def _report(graph: Graph, answer: CheckAnswer, known: dict[str, TamsModel | None]) -> Report:
    from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
    from comfygraph.references.tams_fit import SERVICE, model_diagnostics
    from comfygraph.targets.complaints import REFUSED, complaint_diagnostics

    document = graph.document
    found: list[Diagnostic] = []
    found += complaint_diagnostics(answer.complaints, graph.prompt, document, SERVICE)
    if not answer.valid and not found:
        text = "; ".join(answer.notes) or "the graph is not valid"
        found.append(
            Diagnostic(SERVICE, REFUSED, Severity.ERROR, text, document.base, file=document.path)
        )
    found += model_diagnostics(graph, known)
    return Report(document.path, tuple(found), document.text)


def _tell(answer: CheckAnswer, report: Report, color: str) -> None:
    from comfygraph.cli.terminal import use_color
    from comfygraph.lint.render import Style, render

    if report.diagnostics:
        click.echo(render([report], "text", Style(color=use_color(color, sys.stdout))))
    if answer.valid:
        price = f" for {answer.cost:g} credits" if answer.cost is not None else ""
        click.echo(f"TAMS would run it{price}")
    else:
        click.echo("TAMS would refuse it")


def _json(answer: CheckAnswer, report: Report) -> dict[str, Any]:
    from comfygraph.lint.render.json_format import report_to_json

    return {
        "valid": answer.valid,
        "credits": answer.cost,
        "diagnostics": report_to_json([report])["diagnostics"],
    }
