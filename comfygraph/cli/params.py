"""
`comfygraph params`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from comfygraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from comfygraph.dsl.template import Parameter, Template

_SHOWN = 60
"""Characters of a default that are printed; `--schema` has all of it."""


@click.command(short_help="List the parameters of a graph in Python.")
@click.argument("graph", metavar="SCRIPT.py:GRAPH")
@click.option("--schema", "as_schema", is_flag=True, help="Print their JSON Schema instead.")
def params(graph: str, as_schema: bool) -> int:
    """
    List the parameters of a graph in Python: names, types, defaults, ranges.

    GRAPH is a name in the script, which is run: an expression or a Template in which
    param("seed", 7) stands for a value, or a function with defaults for its arguments.

    \b
    comfygraph params examples/postcard.py:template
    comfygraph params examples/postcard.py:template --schema > form.json
    comfygraph submit examples/postcard.py:template --set seed=3 --out out

    Exit codes: 0 listed, 1 the graph has mistakes, 2 usage, 3 the script cannot be run.
    """
    from comfygraph.cli.graphs import open_script

    script = open_script(graph)
    if script is None:
        raise UsageError(
            f"{graph}: not of the form script.py:graph",
            hint="graphs in files have inputs, which `comfygraph submit --set` sets",
        )
    template: Template | None = script.template
    if as_schema:
        import json

        from comfygraph.dsl.template import schema_of

        found = template.schema() if template is not None else schema_of({})
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, default=repr))
        return ExitCode.OK
    known = template.parameters if template is not None else {}
    if not known:
        click.echo(f'{graph} has no parameters: param("seed", 7) makes one', err=True)
        return ExitCode.OK
    rows = [(name, item.type or "any", _short(item.default), _limits(item))
            for name, item in known.items()]  # fmt: skip
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[3]]).rstrip())
    return ExitCode.OK


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _limits(item: Parameter) -> str:
    if item.options is not None:
        shown = [str(option) for option in item.options[:4]]
        more = len(item.options) - len(shown)
        return f"one of {', '.join(shown)}" + (f", … {more} more" if more else "")
    if item.minimum is not None and item.maximum is not None:
        return f"{item.minimum} … {item.maximum}"
    if item.minimum is not None:
        return f"at least {item.minimum}"
    return f"at most {item.maximum}" if item.maximum is not None else ""
