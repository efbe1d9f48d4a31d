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
    help="A saved /object_info of the server; default is the bundled core.",
)  # fmt: skip
@click.option(
    "--module", metavar="NAME",
    help="The package that `comfygraph stubs` wrote from this catalog: its classes are used.",
)  # fmt: skip
def decompile(graph: str, output: str | None, catalog_path: str | None, module: str | None) -> int:
    """
    Turn GRAPH, or - for the standard input, into a Python script that builds it.

    GRAPH is a prompt, a workflow of the editor, or an image that carries one of them. The
    script names variables after titles and what nodes give, leaves out what is as in a new
    node, and its `prompt` is the same graph with nodes numbered anew. Run, it prints the
    prompt as JSON:

    \b
    comfygraph decompile picture.png -o graph.py
    python graph.py | comfygraph submit -

    Classes come from `comfygraph.nodes`, which has those of ComfyUI's core; any other class
    becomes raw_node("Class", ...), and a comment tells why where a class of the core does
    not take what stands in the graph. For typed classes of node packs, write a package first:

    \b
    comfygraph stubs object_info.json -o mynodes
    comfygraph decompile graph.json --catalog object_info.json --module mynodes

    What no expression can be is an error that names the node: a cycle, a link to nothing.
    """
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.graphs import read_graph
    from comfygraph.cli.output import write_text
    from comfygraph.dsl import decompile as decompiled
    from comfygraph.errors import UsageError

    if module is not None and catalog_path is None:
        raise UsageError("--module needs --catalog", hint="the file that the package was made of")
    catalog = load_catalog(catalog_path)
    _, prompt = read_graph(graph, catalog)
    write_text(decompiled(prompt, catalog, module=module), output)
    return ExitCode.OK
