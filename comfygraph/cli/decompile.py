"""
`comfygraph decompile`.
"""

from __future__ import annotations

import click

from comfygraph.errors import ExitCode


@click.command(short_help="Turn a graph into Python that builds it.")
@click.argument("graph", metavar="GRAPH")
@click.option("--output", "-o", metavar="PATH", help="Write the script to PATH; default is stdout.")
@click.option(
    "--catalog", "catalog_path", metavar="PATH",
    help="A saved /object_info, to convert workflows with; default is the bundled core.",
)  # fmt: skip
@click.option(
    "--module", metavar="NAME",
    help="Import classes from this package, which `comfygraph stubs` wrote; needs --catalog.",
)  # fmt: skip
def decompile(graph: str, output: str | None, catalog_path: str | None, module: str | None) -> int:
    """
    Turn GRAPH, or - for the standard input, into a Python script that builds it.

    GRAPH is a prompt, a workflow of the editor, or an image that carries one of them.
    Variables are called after titles, outputs and what they are for; values that are as in a
    new node are left out. The script's `prompt` is the same graph, its nodes numbered anew.
    Run, the script prints it:

    \b
    comfygraph decompile picture.png -o graph.py
    python graph.py | comfygraph submit -

    Classes come from comfygraph.nodes, which has those of ComfyUI's core. A node of another
    class becomes raw_node("Class", ...), which nothing checks; so does a node that its class
    would not take, and a comment above says why. For the classes of node packs, write a typed
    package first:

    \b
    comfygraph stubs http://127.0.0.1:8188 -o mynodes
    comfygraph decompile graph.json --module mynodes \\
        --catalog mynodes/catalog.json

    What no expression can be is an error that names the node: a cycle, a link to nothing.
    Ids, positions and notes are not kept, and twins get titles that tell them apart.

    Exit codes: 0 written, 1 no expression can be this graph, 2 usage, 3 the graph cannot be
    read, or its script would be too long.
    """
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.graphs import read_graph
    from comfygraph.cli.output import write_text
    from comfygraph.dsl import decompile as decompiled
    from comfygraph.errors import UsageError

    if module is not None and catalog_path is None:
        raise UsageError("--module needs --catalog", hint="the package's catalog.json")
    catalog = load_catalog(catalog_path)
    _, prompt = read_graph(graph, catalog)
    write_text(decompiled(prompt, catalog, module=module), output)
    return ExitCode.OK
