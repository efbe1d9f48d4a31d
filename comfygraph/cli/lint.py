"""
`comfygraph lint`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from comfygraph.errors import ExitCode


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--catalog", "catalog_path", metavar="PATH",
    help="A saved /object_info to check against; default is the bundled core.",
)  # fmt: skip
@click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text",
    help="How findings are printed.",
)  # fmt: skip
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour in text; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
def lint(files: tuple[str, ...], catalog_path: str | None, output: str, color: str) -> int:
    """
    Check graphs offline: everything the server would refuse, and what it should have refused.

    \b
    comfygraph lint graph.json
    comfygraph lint --format json - < graph.json
    """
    from comfygraph.catalog import load_catalog
    from comfygraph.lint.engine import lint_file

    catalog = load_catalog(catalog_path)
    reports = [
        lint_file(sys.stdin.buffer.read(), catalog, name="<stdin>")
        if name == "-"
        else lint_file(Path(name), catalog, name=name)
        for name in files
    ]
    if output == "json":
        from comfygraph.lint.render.json_format import render_json

        click.echo(render_json(reports))
    else:
        from comfygraph.cli.terminal import use_color
        from comfygraph.lint.render.text import render_text

        click.echo(render_text(reports, color=use_color(color, sys.stdout)))
    return ExitCode.FINDINGS if any(report.has_errors for report in reports) else ExitCode.OK
