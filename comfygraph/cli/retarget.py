"""
`comfygraph retarget`.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from comfygraph.cli.model_options import Wishes, model_options
from comfygraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from comfygraph.references.resolve import TargetName
    from comfygraph.references.retarget import Retargeted


@click.command(short_help="Name the models of a graph as a service wants them.")
@click.argument("graph", metavar="GRAPH")
@click.option(
    "--target", "-t", required=True, type=click.Choice(["civitai", "comfyui", "tams"]),
    help="The service: AIRs for civitai, files for comfyui, numbers for tams.",
)  # fmt: skip
@click.option(
    "--output", "-o", metavar="FILE",
    help="Write the graph to FILE, which may be GRAPH itself; default is stdout.",
)  # fmt: skip
@click.option("--partial", is_flag=True, help="Write it even where a model has no name there.")
@model_options
@click.option("--json", "as_json", is_flag=True, help="Print what changes, as JSON; needs -o.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
def retarget(
    graph: str,
    target: TargetName,
    output: str | None,
    partial: bool,
    map_path: str | None,
    models_dir: str | None,
    catalog_source: str | None,
    offline: bool,
    refresh: bool,
    as_json: bool,
    color: str,
) -> int:
    """
    Name the models of GRAPH as a service wants them: files for a ComfyUI server, numbers for
    TensorArt, AIRs for Civitai. All else in the document stays, to the byte.

    GRAPH is a prompt, a workflow of the editor, a body of TAMS or Civitai, or a picture that
    carries its graph; `-` reads it from stdin. What changes is told on stderr. What has no name
    there is told like a finding of lint, and then nothing is written without --partial.

    \b
    comfygraph retarget graph.json -t civitai --map models.toml -o civitai.json
    comfygraph retarget civitai.json -t comfyui | comfygraph submit -
        files of a version are looked up on Civitai
    comfygraph retarget graph.json -t civitai --models-dir ~/ComfyUI/models
        Civitai is asked by the hash of each file
    comfygraph retarget graph.json -t tams --map models.toml --offline

    Nobody is asked about a model whose name the table knows (`comfygraph models --help` shows
    one). Names of images are left alone: `submit` uploads those.

    Exit codes: 0 written, 1 a model has no name there, 2 usage, 3 unreadable graph, 4 the server
    of --catalog is out of reach.
    """
    from comfygraph.cli.model_options import open_catalog, open_resolver, read_document
    from comfygraph.references.retarget import read_graph
    from comfygraph.references.retarget import retarget as rewrite

    if as_json and output in (None, "-"):
        raise UsageError("`--json` and the graph both want stdout", hint="give a file to -o")
    wishes = Wishes(map_path, models_dir, catalog_source, offline, refresh)
    resolver = open_resolver(wishes)
    document, data = read_document(graph)
    found = read_graph(document, open_catalog(wishes, target))
    with resolver.lookup:
        result = rewrite(found, target, resolver.resolve)
    written = result.complete or partial
    if written:
        _write(result.text, data, output)
    if as_json:
        click.echo(json.dumps(_json(result, target, output if written else None), indent=2))
    else:
        _tell(result, target, output, written, color)
    return ExitCode.OK if result.complete else ExitCode.FINDINGS


def _write(text: str, data: bytes | None, output: str | None) -> None:
    from comfygraph.lint.fix import encode_like, write_atomically

    encoded = encode_like(text, data) if data is not None else text.encode("utf-8", "replace")
    if output is None or output == "-":
        sys.stdout.buffer.write(encoded)
        sys.stdout.buffer.flush()
    else:
        write_atomically(output, encoded)


def _tell(
    result: Retargeted, target: TargetName, output: str | None, written: bool, color: str
) -> None:
    from comfygraph.cli.model_options import place_of
    from comfygraph.cli.terminal import use_color
    from comfygraph.lint.render import Style, render
    from comfygraph.lint.render.text import clean
    from comfygraph.references.resolve import LABELS

    for change in result.changes:
        click.echo(place_of(change.use), err=True)
        click.echo(f"    {clean(change.use.value)}", err=True)
        click.echo(f"    → {clean(change.name)} ({clean(change.evidence)})", err=True)
    if not result.complete:
        style = Style(color=use_color(color, sys.stderr))
        lines = render([result.report], "text", style).splitlines()
        click.echo("\n".join(lines[:-1]).rstrip(), err=True)
    missing = len(result.report.diagnostics)
    parts = [f"{len(result.changes)} named for {LABELS[target]}"]
    if result.kept:
        parts.append(f"{len(result.kept)} as they should be")
    if missing:
        parts.append(f"{missing} without a name there")
    end = "" if written else "; nothing written (see --partial)"
    if written and output is not None and output != "-":
        end = f", written to {clean(output)}"
    click.echo(f"{', '.join(parts)}{end}", err=True)


def _json(result: Retargeted, target: TargetName, output: str | None) -> dict[str, Any]:
    return {
        "target": target,
        "complete": result.complete,
        "output": output,
        "changes": [
            {
                "pointer": change.pointer,
                "node_id": change.use.node_id,
                "input": change.use.input,
                "from": change.use.value,
                "to": change.name,
                "evidence": change.evidence,
            }
            for change in result.changes
        ],
        "kept": [
            {"node_id": use.node_id, "input": use.input, "name": use.value} for use in result.kept
        ],
        "unresolved": [
            {
                "pointer": found.pointer,
                "node_id": found.node_id,
                "input": found.input,
                "rule": found.rule_id,
                "message": found.message,
                "help": found.help,
            }
            for found in result.report
        ],
    }
