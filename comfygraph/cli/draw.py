"""
`comfygraph draw`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from comfygraph.errors import ExitCode, UsageError
from comfygraph.lint.masking import masked as masked

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.core.values import Prompt
    from comfygraph.documents import Document
    from comfygraph.draw import Findings

_EXTENSIONS = {
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".md": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
    ".html": "html",
    ".htm": "html",
}


@click.command(short_help="Draw a graph: Mermaid, DOT, SVG, or a page to look around in.")
@click.argument("graph", metavar="GRAPH")
@click.option("--output", "-o", metavar="FILE", help="Write the drawing to FILE.")
@click.option(
    "--format", "format_", type=click.Choice(["mermaid", "dot", "svg", "html"]),
    help="What to draw; default is what FILE's extension says, else mermaid.",
)  # fmt: skip
@click.option(
    "--lint/--no-lint", "with_lint", default=True, help="Mark what lint finds; default is to."
)
@click.option(
    "--labels/--no-labels", "with_labels", default=True,
    help="Write sizes, LoRAs and costs below the nodes; default is to.",
)  # fmt: skip
@click.option("--catalog", "catalog_path", metavar="PATH", help="A saved /object_info.")
def draw(
    graph: str,
    output: str | None,
    format_: str | None,
    with_lint: bool,
    with_labels: bool,
    catalog_path: str | None,
) -> int:
    """
    Draw a graph as the editor shows it, and mark what lint finds.

    GRAPH is any document: a prompt, a workflow, a picture that carries its graph, - for the
    standard input, or script.py:graph, for which the script is run.

    \b
    comfygraph draw graph.json -o graph.html   a page to pan, zoom and search
    comfygraph draw graph.json -o graph.svg
    comfygraph draw picture.png --format dot | dot -Tpdf > graph.pdf

    Exit codes: 0 drawn, whatever lint finds, 2 usage, 3 the graph cannot be read, or is
    too large to be drawn.
    """
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.graphs import read_graph
    from comfygraph.cli.output import write_text
    from comfygraph.draw import (
        check_size,
        make_scene,
        render_dot,
        render_mermaid,
        render_page,
        render_svg,
    )

    kind = format_ or _kind_of(output)
    catalog = load_catalog(catalog_path)
    document, prompt = read_graph(graph, catalog)
    check_size(prompt)
    findings = _lint(document, catalog, strict=catalog_path is not None) if with_lint else {}
    prompt = masked(prompt)
    scene = make_scene(prompt, catalog, findings, _labels(prompt, catalog) if with_labels else {})
    match kind:
        case "dot":
            text = render_dot(scene)
        case "svg":
            text = render_svg(scene)
        case "html":
            text = render_page(scene, name=Path(document.path).name)
        case _:
            text = render_mermaid(scene)
            if output is not None and output.lower().endswith(".md"):
                text = f"```mermaid\n{text}```\n"
    write_text(text, output)
    return ExitCode.OK


def _kind_of(output: str | None) -> str:
    if output is None:
        return "mermaid"
    suffix = Path(output).suffix.lower()
    if suffix not in _EXTENSIONS:
        raise UsageError(
            f"{output}: no format is known by this extension",
            hint="name one with --format mermaid, dot, svg or html",
        )
    return _EXTENSIONS[suffix]


def _lint(document: Document, catalog: NodeCatalog, *, strict: bool) -> Findings:
    from comfygraph.config import settings
    from comfygraph.lint import LintOptions, lint

    found: dict[str | None, list[tuple[str, str]]] = {}
    told = settings("analysis")
    options = LintOptions(
        strict_files=strict,
        classes=told.get("classes") or {},
        families=told.get("families") or {},
    )
    for item in lint(document, catalog, options=options):
        text = f"{item.message} ({item.rule_id} {item.name})"
        if item.help:
            text += f"\nhelp: {item.help}"
        found.setdefault(item.node_id, []).append((item.severity.value, text))
    return found


def _labels(prompt: Prompt, catalog: NodeCatalog) -> dict[str, str]:
    from comfygraph.analysis.labels import labels_of
    from comfygraph.config import settings

    told = settings("analysis")
    return labels_of(prompt, catalog, classes=told.get("classes"), families=told.get("families"))
