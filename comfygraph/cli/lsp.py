"""
`comfygraph lsp`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from comfygraph.config_keys import LINT_TARGETS
from comfygraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from comfygraph.lint.batch import Work

_OF_LINT = {
    "lock": None, "fix": False, "diff": False, "unsafe_fixes": False, "graphs_only": False,
    "stdin_filename": None, "extend_select": (), "per_file_ignore": (), "severity": (),
}  # fmt: skip
"""The options of `comfygraph lint` that stay in the configuration."""


@click.command(short_help="Serve an editor: findings as you type, hover, links, repairs.")
@click.option("--stdio", is_flag=True, help="Speak over stdin and stdout; this is the default.")
@click.option(
    "--tcp", metavar="PORT", type=click.IntRange(1, 65535),
    help="Listen on this port of 127.0.0.1 in place of stdin and stdout.",
)  # fmt: skip
@click.option("--catalog", metavar="FILE", help="A saved /object_info to check against.")
@click.option(
    "--files", type=click.Choice(["assume", "strict"]),
    help="Whether names of files must be in the catalog's lists.",
)  # fmt: skip
@click.option(
    "--target", type=click.Choice(LINT_TARGETS), help="Also check what this service takes."
)
@click.option("--select", multiple=True, metavar="RULES", help="Run these rules and no others.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Do not run these rules.")
@click.option("--preview/--no-preview", default=None, help="Run preview rules too.")
@click.option("--config", metavar="FILE", help="The configuration; default is each file's nearest.")
def lsp(stdio: bool, tcp: int | None, **flags: Any) -> int:
    """
    Serve an editor over the Language Server Protocol, for prompts and workflows in JSON.

    Findings of `comfygraph lint` as you type, with its repairs as quick fixes; hover with the
    signature of a node and the facts of an input; go to the node that a link comes from, and find
    those that use it; an outline; completion of classes, inputs and values.

    Editors start this command themselves. Each file is checked as the nearest comfygraph.toml
    says, as `comfygraph lint` would. Needs `pip install 'comfygraph[lsp]'`.

    \b
    Neovim:  vim.lsp.config('comfygraph',
               { cmd = {'comfygraph', 'lsp'}, filetypes = {'json'} })
             vim.lsp.enable('comfygraph')
    Helix:   [language-server.comfygraph]
             command = "comfygraph"
             args = ["lsp"]
    VS Code: any generic LSP client, command `comfygraph lsp`, language json

    \b
    Exit codes: 0 the editor ended it, 2 usage or configuration.
    """
    if stdio and tcp is not None:
        raise UsageError("--stdio and --tcp exclude each other")
    try:
        from comfygraph.lsp.server import make_server
    except ImportError as exc:
        raise UsageError(
            "the language server needs pygls", hint="pip install 'comfygraph[lsp]'"
        ) from exc
    work_for = _workshop(flags)
    work_for(
        os.path.join(os.getcwd(), "graph.json")
    )  # a wrong option is told before an editor waits
    server = make_server(work_for)
    if tcp is None:
        server.start_io()
    else:
        click.echo(f"listening on 127.0.0.1:{tcp}", err=True)
        server.start_tcp("127.0.0.1", tcp)
    return ExitCode.OK


def _workshop(flags: dict[str, Any]) -> Callable[[str], Work | None]:
    """Give the function that says how a file is checked: as lint would, started in its folder."""
    from comfygraph.cli.lint_wishes import work_of
    from comfygraph.config import Settings, load_config
    from comfygraph.lint.files import find_sources

    def work_for(path: str) -> Work | None:
        folder = os.path.dirname(path) if os.path.isabs(path) else os.getcwd()
        config = load_config(flags["config"], start=folder)
        known = Settings("lint", config, os.environ)
        exclude = known.get("exclude") or ()
        if exclude and not find_sources([path], exclude=exclude, base=config.folder or "").sources:
            return None
        return work_of({**_OF_LINT, **flags}, known)

    return work_for
