"""
The texts of `--help`: they fit a terminal, and their examples are taken as they stand.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from comfygraph.cli import cli

ROOT = Path(__file__).parent.parent.parent


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """
    Yield every command with its words and the context that shows its help.
    """
    pending: list[tuple[click.Command, click.Context]] = [
        (cli, click.Context(cli, info_name="comfygraph", terminal_width=80))
    ]
    while pending:
        command, ctx = pending.pop()
        yield ctx.command_path, command, ctx
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                inner = command.get_command(ctx, name)
                assert inner is not None
                pending.append((inner, click.Context(inner, parent=ctx, info_name=name)))


COMMANDS = {path: (command, ctx) for path, command, ctx in commands()}


def examples() -> dict[str, str]:
    """
    Give the lines of `--help` and of the README that call comfygraph → where they stand.
    """
    texts = {path: command.help or "" for path, (command, _) in COMMANDS.items()}
    readme = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```(?:bash|console)\n(.*?)^```", readme, re.M | re.S)
    texts["README"] = re.sub(r"^\$ ", "", "\n".join(blocks), flags=re.M)
    found: dict[str, str] = {}
    for where, text in texts.items():
        for line in text.replace("\\\n", " ").splitlines():
            if re.match(r"\s*(\w+=\S+ )*comfygraph [a-z]", line):
                found.setdefault(re.split(r"\s{2,}|\s+#", line.strip())[0], where)
    return found


@pytest.mark.parametrize("path", COMMANDS)
def test_help_fits_a_terminal(path: str) -> None:
    """
    At 80 columns no line is longer.
    """
    _, ctx = COMMANDS[path]
    text = COMMANDS[path][0].get_help(ctx)

    assert [] == [line for line in text.splitlines() if len(line) > 80]


@pytest.mark.parametrize("line", examples())
def test_examples_are_taken(line: str) -> None:
    """
    Every call in an example names a command, and options and arguments that it takes.
    """
    calls = re.split(r"\||&&|;|[<>]+ *\S+", line)
    for call in calls if "'" not in line else [line.partition(" | ")[0]]:
        words = shlex.split(call)
        if "comfygraph" not in words:
            continue
        words = words[words.index("comfygraph") + 1 :]
        path = "comfygraph"
        while words and f"{path} {words[0]}" in COMMANDS:
            path = f"{path} {words.pop(0)}"
        command, _ = COMMANDS[path]
        _, rest, _ = command.make_parser(click.Context(command)).parse_args(words)

        assert path != "comfygraph"
        assert [] == [word for word in rest if word.startswith("--")]


FIRST_WORDS = [path for path, (command, _) in COMMANDS.items() if path.count(" ") == 1]


@pytest.mark.parametrize("path", FIRST_WORDS)
def test_help_tells_exit_codes(path: str) -> None:
    """
    Each command says what it ends with; of a group, the group or its commands.
    """
    texts = {
        at: one.help or "" for at, (one, _) in COMMANDS.items() if f"{at} ".startswith(f"{path} ")
    }

    assert any("Exit codes: 0" in text for text in texts.values())
