"""
`comfygraph convert`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from comfygraph.errors import ExitCode

if TYPE_CHECKING:
    from comfygraph.workflow import ConversionResult, DynamicPrompts


def _dynamic(
    ctx: click.Context, param: click.Parameter, value: str
) -> tuple[DynamicPrompts, int | None]:
    """
    Read `keep`, `first`, `error` or `seed=N` as `(mode, seed)`.
    """
    match value.partition("="):
        case ("keep" | "first" | "error" as mode, "", ""):
            return mode, None
        case ("seed", "=", number) if number.isascii() and number.isdecimal():
            return "seed", int(number[:20])
    raise click.BadParameter(f"{value!r} is none of keep, first, error, seed=N", ctx, param)


@click.command(short_help="Turn the editor's workflow into a prompt.")
@click.argument("workflow", metavar="WORKFLOW.json")
@click.option(
    "--output", "-o", metavar="PATH", default=None,
    help="Write the prompt to PATH; default is stdout.",
)  # fmt: skip
@click.option(
    "--catalog", "catalog_path", metavar="PATH", default=None,
    help="A saved /object_info of the server to convert for; default is the bundled core.",
)  # fmt: skip
@click.option(
    "--dynamic-prompts", "dynamic", metavar="keep|first|seed=N|error", default="keep",
    callback=_dynamic,
    help="What to do with {a|b} in texts: keep it, take the first, draw with seed N, or fail.",
)  # fmt: skip
@click.option(
    "--groups", is_flag=True,
    help="Keep the editor's groups in _meta, which the editor itself leaves out.",
)  # fmt: skip
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
def convert(
    workflow: str,
    output: str | None,
    catalog_path: str | None,
    dynamic: tuple[DynamicPrompts, int | None],
    groups: bool,
    color: str,
) -> int:
    """
    Turn WORKFLOW.json, as the editor saves it, into the prompt that the editor would queue.

    `-` reads from stdin; `script.py:graph` is a graph in Python, which is run and built. The
    prompt goes to stdout, findings go to stderr. Nothing is left to chance: the same workflow
    always gives the same prompt.

    \b
    comfygraph convert workflow.json -o prompt.json
    comfygraph convert workflow.json | comfygraph submit -
    comfygraph convert workflow.json --dynamic-prompts seed=7
    comfygraph convert script.py:graph -o prompt.json

    Exit codes: 0 converted, 1 findings of severity error, 2 usage, 3 the file cannot be read or
    is no workflow.
    """
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.graphs import open_graph, open_script
    from comfygraph.cli.output import json_text, write_text
    from comfygraph.errors import InputError, WorkflowError
    from comfygraph.workflow import convert as convert_workflow

    script = open_script(workflow)
    if script is not None:
        write_text(f"{json_text(script.prompt.to_json())}\n", output)
        return ExitCode.OK
    document = open_graph(workflow, graph="workflow")
    name = document.path if document.container is None else workflow
    if document.kind not in ("workflow", "unknown"):
        raise InputError(
            f"{name}: holds a prompt already, not a workflow of the editor",
            hint="`comfygraph lint` checks it, `comfygraph submit` runs it",
        )
    mode, seed = dynamic
    try:
        result = convert_workflow(
            document.value, load_catalog(catalog_path), dynamic_prompts=mode, seed=seed,
            groups=groups,
        )  # fmt: skip
    except WorkflowError as exc:
        raise WorkflowError(f"{name}: {exc.message}", hint=exc.hint) from exc
    write_text(f"{json_text(result.document)}\n", output)
    _report(result, name, document.text, color)
    return ExitCode.OK if result.ok else ExitCode.FINDINGS


def _report(result: ConversionResult, name: str, text: str | None, color: str) -> None:
    if not result.diagnostics:
        return
    from comfygraph.cli.terminal import use_color
    from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
    from comfygraph.lint.render.text import render_text

    found = tuple(
        Diagnostic(
            rule_id=issue.code,
            name=issue.name,
            severity=Severity(issue.severity),
            message=issue.message,
            pointer=issue.pointer,
            node_id=issue.node_id,
            title=issue.title,
            help=issue.help or None,
            file=name,
        )
        for issue in result.diagnostics
    )
    report = Report(name, found, text)
    click.echo(render_text([report], color=use_color(color, sys.stderr)), err=True)
