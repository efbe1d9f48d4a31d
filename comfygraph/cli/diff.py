"""
`comfygraph diff`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from comfygraph.errors import ExitCode, InputError, UsageError

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.compare import Difference
    from comfygraph.core.values import Prompt


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="A B")
@click.option(
    "--format", "output", type=click.Choice(["text", "json", "markdown"]), default="text",
    help="How the difference is printed.",
)  # fmt: skip
@click.option(
    "--git", "as_driver", is_flag=True,
    help="Take git's seven arguments and end with 0, as an external diff command does.",
)  # fmt: skip
@click.option("--catalog", "catalog_path", metavar="PATH", help="A saved /object_info.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour in text; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
def diff(
    files: tuple[str, ...], output: str, as_driver: bool, catalog_path: str | None, color: str
) -> int:
    """
    Say what changed in meaning between two graphs, whatever ids and positions did.

    Takes any document: prompts, workflows, pictures that carry their graph, and graphs in
    Python as script.py:graph.

    \b
    comfygraph diff old.json new.json
    comfygraph diff graph.json script.py:graph
    comfygraph diff --format markdown old.json new.json > comment.md

    As git's own diff for graphs, two lines:

    \b
    echo '*.json diff=comfygraph' >> .gitattributes
    git config diff.comfygraph.command 'comfygraph diff --git'

    Exit codes: 0 nothing changed, or --git, 1 something did, 2 usage, 3 a graph cannot be read.
    """
    from comfygraph.catalog import load_catalog
    from comfygraph.compare import compare

    name = ""
    if as_driver:
        if len(files) not in (1, 7):
            raise UsageError("--git takes the arguments that git gives an external diff")
        if len(files) == 1:  # an unmerged path
            click.echo(f"* Unmerged path {files[0]}")
            return ExitCode.OK
        name, sides = files[0], (files[1], files[4])
    elif len(files) == 2:
        sides = (files[0], files[1])
    else:
        raise UsageError(f"diff takes two files, not {len(files)}")
    catalog = load_catalog(catalog_path)
    try:
        old, new = (_read(side, catalog, as_driver) for side in sides)
    except InputError as exc:
        if not as_driver:
            raise
        # Not every JSON file of a repository is a graph, and git stops at a failure.
        click.echo(f"{name}: no graph to compare: {exc.message}")
        return ExitCode.OK
    difference = compare(old, new)
    if name:
        click.echo(f"graph {name}")
    click.echo(_render(difference, output, color))
    return ExitCode.FINDINGS if difference and not as_driver else ExitCode.OK


def _read(name: str, catalog: NodeCatalog, as_driver: bool) -> Prompt:
    from comfygraph.cli.graphs import read_prompts
    from comfygraph.core.values import Prompt

    if as_driver and name == "/dev/null":  # added or deleted in git
        return Prompt({})
    return next(iter(read_prompts([name], catalog).values()))


def _render(difference: Difference, output: str, color: str) -> str:
    from comfygraph.cli.terminal import use_color
    from comfygraph.compare import render

    match output:
        case "json":
            import json

            return json.dumps(difference.to_json(), indent=2, ensure_ascii=False)
        case "markdown":
            return render.render_markdown(difference)
        case _:
            return render.render_text(difference, color=use_color(color, sys.stdout))
