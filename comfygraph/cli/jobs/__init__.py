"""
`comfygraph jobs`: what was submitted, to which service ever, and what became of it.
"""

from __future__ import annotations

from importlib import import_module

import click

# command → (module, what `--help` says of it); each is imported when it is used
_COMMANDS = {
    "list": ("listing", "List jobs, newest first."),
    "show": ("show", "Show all that is known of a job."),
    "watch": ("watch", "Follow a job to its pictures."),
    "wait": ("wait", "Wait until jobs have ended."),
    "resume": ("resume", "Go on with jobs that were broken off; send none twice."),
    "cancel": ("cancel", "Ask services to stop jobs."),
    "results": ("results", "Download what jobs made and is missing."),
    "retry": ("retry", "Submit jobs that have ended once more."),
    "forget": ("forget", "Remove jobs from the ledger."),
    "prune": ("prune", "Remove old jobs that have ended."),
}


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of a job's life."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and give a command, or `None`."""
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = import_module(f"comfygraph.cli.jobs.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        name = args[0] if args else ""
        if name and name not in _COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, _COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[1]) for name, entry in _COMMANDS.items()])


@click.group(cls=_Group, short_help="See and steer what was submitted, on every service.")
def jobs() -> None:
    """
    See and steer what was submitted, on every service.

    `comfygraph submit` writes each job into a ledger before it sends it. So a job is found again
    after a crash, a lost connection or a closed laptop, and none is sent twice.

    \b
    comfygraph jobs list                  the latest jobs
    comfygraph jobs watch 1a2b            follow one; ids may be cut short
    comfygraph jobs resume --all          go on with whatever was broken off
    comfygraph jobs results 1a2b -o out   download what is missing
    comfygraph jobs retry 1a2b            submit one that failed once more
    comfygraph jobs prune --older-than 30d

    \b
    A job is
      planned     written down, not sent
      intended    about to be sent when its process ended: it may exist
      uncertain   sent, and the service could not be asked whether it arrived
      accepted    on the service;  running  at work there
      succeeded, failed, cancelled
      refused     there surely was no job
      abandoned   forgotten by its service, or given up

    The ledger is a SQLite file: --ledger PATH, else COMFYGRAPH_LEDGER, else one of your own; or a
    PostgreSQL database that several machines share, --ledger postgresql://user@host/database.
    Services are found as for submit: their credentials stand in the environment.
    """
