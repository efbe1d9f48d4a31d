"""
`comfygraph layout`.
"""

from __future__ import annotations

import click

from comfygraph.errors import ExitCode, clean

_SHOWN = 20


@click.command(short_help="Turn a prompt into a workflow that the editor opens.")
@click.argument("prompt", metavar="PROMPT.json")
@click.option(
    "--output", "-o", metavar="PATH", help="Write the workflow to PATH; default is stdout."
)
@click.option(
    "--catalog", "catalog_path", metavar="PATH",
    help="A saved /object_info of the server to lay out for; default is the bundled core.",
)  # fmt: skip
def layout(prompt: str, output: str | None, catalog_path: str | None) -> int:
    """
    Turn PROMPT.json, or - for the standard input, into a workflow that ComfyUI's editor opens.

    Nodes stand in columns from left to right, and queueing the workflow gives the same prompt
    again. Ids such as 12:34 get new numbers. What the editor has no place for is told on the
    standard error.

    \b
    comfygraph layout prompt.json -o workflow.json
    comfygraph extract picture.png --prompt | comfygraph layout - -o workflow.json

    Exit codes: 0 laid out, 2 usage, 3 the graph cannot be read, or its
    workflow would be too large.
    """
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.graphs import read_graph
    from comfygraph.cli.output import json_text, write_text
    from comfygraph.core.nearest import shorten
    from comfygraph.documents.json_text import MAX_BYTES
    from comfygraph.workflow import rebuild

    catalog = load_catalog(catalog_path)
    _, graph = read_graph(prompt, catalog)
    rebuilt = rebuild(graph, catalog)
    write_text(f"{json_text(rebuilt.workflow, MAX_BYTES)}\n", output)
    renumbered = sum(node_id != str(number) for node_id, number in rebuilt.ids.items())
    if renumbered:
        one = renumbered == 1
        told = "1 id is no number and has" if one else f"{renumbered} ids are no numbers and have"
        click.echo(f"{told} been renumbered", err=True)
    for node_id, what in rebuilt.lost[:_SHOWN]:
        label = f"{shorten(graph[node_id].title)} ({shorten(node_id)})"
        click.echo(clean(f"warning: {label}: {what}"), err=True)
    if len(rebuilt.lost) > _SHOWN:
        click.echo(f"warning: and {len(rebuilt.lost) - _SHOWN} more", err=True)
    return ExitCode.OK
