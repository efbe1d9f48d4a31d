"""
`comfygraph explain`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from comfygraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from comfygraph.core.values import Prompt


@click.command(short_help="Say in words what a graph does, and what costs most.")
@click.argument("graph", metavar="GRAPH")
@click.argument("node", metavar="[NODE]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.option("--catalog", "catalog_path", metavar="PATH", help="A saved /object_info.")
@click.option(
    "--config", "config_file", metavar="FILE", help="The configuration; default is the nearest."
)
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
def explain(
    graph: str,
    node: str | None,
    as_json: bool,
    catalog_path: str | None,
    config_file: str | None,
    color: str,
) -> int:
    """
    Say in words what a graph does: its nodes in order, the sizes of the pictures, model, LoRAs
    and prompts at each sampler, and what costs most (steps x pixels x batch).

    GRAPH is any document: a prompt, a workflow, a picture that carries its graph, or - for the
    standard input. NODE is an id, a title, or a class that occurs once: then only this node is
    told of, with where all that reaches it comes from.

    \b
    comfygraph explain graph.json
    comfygraph explain picture.png "second pass"
    comfygraph explain graph.json --json | jq '.nodes[] | select(.cost > 10)'

    Costs are in steps of SDXL on 1024 x 1024 pixels. What a node of an unknown class does is
    never guessed: [analysis.classes] in comfygraph.toml teaches it, [analysis.families] says
    of which family a model is.

    \b
    Exit codes: 0 explained, 2 usage, 3 the graph cannot be read.
    """
    from comfygraph.analysis.explain import explain as put_into_words
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.draw import masked
    from comfygraph.cli.graphs import read_graph
    from comfygraph.cli.output import write_text
    from comfygraph.cli.terminal import use_color
    from comfygraph.config import settings

    told = settings("analysis", config_file)
    catalog = load_catalog(catalog_path)
    document, prompt = read_graph(graph, catalog)
    prompt = masked(prompt)
    found = put_into_words(
        prompt, catalog, classes=told.get("classes"), families=told.get("families")
    )
    chosen = _node(prompt, node) if node is not None else None
    if as_json:
        import json

        data: Any = found.to_json()
        if chosen is not None:
            data = next((step.to_json() for step in found.steps if step.node_id == chosen), None)
        write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", None)
        return ExitCode.OK
    from comfygraph.cli.explain_text import node_text, whole_text

    paint = use_color(color, sys.stdout)
    text = (
        whole_text(found, document.path, color=paint)
        if chosen is None
        else node_text(found, chosen, color=paint)
    )
    write_text(text, None)
    return ExitCode.OK


def _node(prompt: Prompt, name: str) -> str:
    """Find the node that a person means: by id, by title, or by a class that occurs once."""
    from comfygraph.core.nearest import did_you_mean, shorten

    if name in prompt:
        return name
    for found in (
        [node.id for node in prompt.nodes() if node.title == name],
        [node.id for node in prompt.nodes() if node.class_type == name],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(map(shorten, found[:6]))
            raise UsageError(
                f"`{shorten(name)}` fits {len(found)} nodes", hint=f"name one by its id: {ids}"
            )
    known = [*prompt, *(node.title for node in prompt.nodes())]
    hint = did_you_mean(name, known) or "`comfygraph explain GRAPH` shows all nodes"
    raise UsageError(f"no node `{shorten(name)}` in the graph", hint=hint)
