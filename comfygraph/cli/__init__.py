"""
The command line. Each command lives in a module of its own, loaded when it is asked for.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from io import StringIO, TextIOWrapper
from typing import Any

import click

from comfygraph.errors import ComfyGraphError, ExitCode, clean

# command → (module, attribute, what `--help` says of it)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "lint": (
        "comfygraph.cli.lint",
        "lint",
        "Check graphs offline: what the server refuses, and more.",
    ),
    "explain": (
        "comfygraph.cli.explain",
        "explain",
        "Say in words what a graph does, and what costs most.",
    ),
    "submit": (
        "comfygraph.cli.submit",
        "submit",
        "Run a graph on a service and follow it to its pictures.",
    ),
    "jobs": (
        "comfygraph.cli.jobs",
        "jobs",
        "See and steer what was submitted, on every service.",
    ),
    "worker": (
        "comfygraph.cli.worker",
        "worker",
        "Carry out what `submit --detach` left, beside other machines.",
    ),
    "convert": ("comfygraph.cli.convert", "convert", "Turn the editor's workflow into a prompt."),
    "extract": ("comfygraph.cli.extract", "extract", "Take the graph out of an image or a film."),
    "strip": ("comfygraph.cli.strip", "strip", "Remove the graph from an image or a film."),
    "decompile": (
        "comfygraph.cli.decompile",
        "decompile",
        "Turn a graph into Python that builds it.",
    ),
    "diff": (
        "comfygraph.cli.diff",
        "diff",
        "Say what changed in meaning between two graphs.",
    ),
    "layout": (
        "comfygraph.cli.layout",
        "layout",
        "Turn a prompt into a workflow that the editor opens.",
    ),
    "draw": (
        "comfygraph.cli.draw",
        "draw",
        "Draw a graph: Mermaid, DOT, SVG, or a page to look around in.",
    ),
    "models": ("comfygraph.cli.models", "models", "List the models that a graph needs."),
    "retarget": (
        "comfygraph.cli.retarget",
        "retarget",
        "Name the models of a graph as a service wants them.",
    ),
    "catalog": (
        "comfygraph.cli.catalog",
        "catalog",
        "Look at node catalogs: fetch, show, list, diff, lock.",
    ),
    "stubs": ("comfygraph.cli.stubs", "stubs", "Write a typed Python package for any node pack."),
    "params": ("comfygraph.cli.params", "params", "List the parameters of a graph in Python."),
    "schema": (
        "comfygraph.cli.schema",
        "schema",
        "Write JSON Schemas for editors: of prompts made of your nodes.",
    ),
    "lsp": (
        "comfygraph.cli.lsp",
        "lsp",
        "Serve an editor: findings as you type, hover, links, repairs.",
    ),
    "rule": ("comfygraph.cli.rule", "rule", "Explain a lint rule, or list them all."),
    "tams": (
        "comfygraph.cli.tams",
        "tams",
        "Ask TAMS (TensorArt) about graphs, templates, models and jobs.",
    ),
    "civitai": (
        "comfygraph.cli.civitai",
        "civitai",
        "Look into Civitai: workflows, steps, jobs, results, blobs.",
    ),
    "novita": (
        "comfygraph.cli.novita",
        "novita",
        "Ask Novita about models and tasks.",
    ),
    "emulate": (
        "comfygraph.cli.emulate",
        "emulate",
        "Serve a local stand-in of ComfyUI, TAMS, Civitai and Novita.",
    ),
}


class LazyGroup(click.Group):
    """
    A group whose commands are imported when they are used: `--help` imports none of them.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of the table: from check to run."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and give a command, or `None`."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name.lower(), COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Carry a command out. Its reader may leave (`| head`): for click, that were a finding."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Python would complain once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.OK

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in COMMANDS.items()])


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from comfygraph import __version__

        click.echo(f"comfygraph {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version,
    help="Show the version and exit.",
)  # fmt: skip
def cli() -> None:
    """
    Build, check and run ComfyUI prompt graphs.

    \b
    comfygraph lint workflows/              check every graph in a folder
    comfygraph submit graph.json --out out  run one; without a service, emulated
    comfygraph COMMAND --help               more, with examples
    """


def main(args: list[str] | None = None) -> None:
    """
    Run the command line and end the process with an `ExitCode`.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # no character is worth an error: `→` in Latin-1
            stream.reconfigure(errors="replace")
    code = run(args)
    # At its end the interpreter looks for garbage among all objects, several times over: a
    # tenth of what a short command takes. Frozen ones it leaves alone.
    gc.freeze()
    sys.exit(code)


def run(args: list[str] | None = None) -> int:
    """
    Run the command line and give its exit code; no traceback reaches the user.
    """
    try:
        code: Any = cli.main(args=args, prog_name="comfygraph", standalone_mode=False)
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.ClickException as exc:  # wrong usage, all of it
        shown = StringIO()
        exc.show(shown)
        click.echo("\n".join(map(clean, shown.getvalue().split("\n"))), err=True, nl=False)
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except ComfyGraphError as exc:
        click.echo(f"error: {exc}", err=True)
        if exc.hint:
            click.echo(f"  hint: {exc.hint}", err=True)
        return exc.exit_code
    except Exception as exc:
        if os.environ.get("COMFYGRAPH_TRACEBACK"):
            raise
        if isinstance(exc, OSError):  # a full disk behind `>`, a working folder that is gone
            click.echo(clean(f"error: {exc.strerror or exc}"), err=True)
            return ExitCode.INTERNAL
        click.echo(clean(f"error: internal error: {type(exc).__name__}: {exc}"), err=True)
        click.echo("  hint: this is a bug; COMFYGRAPH_TRACEBACK=1 shows where", err=True)
        return ExitCode.INTERNAL
    return int(code) if isinstance(code, int) else ExitCode.OK
