"""
Which files to look at: arguments, folders and patterns, in one order on every machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from comfygraph.core.records import NamedTuple
from comfygraph.lint.globs import MAGIC, compile_glob, matches_file

STDIN = "-"
SUFFIXES = (".json",)
"""What folders are searched for."""

SKIPPED_FOLDERS = frozenset(
    {"node_modules", "__pycache__", "site-packages", "venv", "build", "dist"}
)
"""Never entered, and neither are folders whose names begin with a dot."""


class Source(NamedTuple):
    """
    One file to check.

    Args:
        path: As messages call it, or `-` for the standard input.
        explicit: Somebody named this very file: it is checked whatever it holds.
    """

    path: str
    explicit: bool = True


class Found(NamedTuple):
    """
    What the arguments stand for.

    Args:
        sources: The files, sorted.
        unmatched: Arguments that stand for nothing.
    """

    sources: tuple[Source, ...]
    unmatched: tuple[str, ...] = ()


def find_sources(arguments: Sequence[str], *, exclude: Iterable[str] = (), base: str = "") -> Found:
    """
    Find the files that arguments stand for.

    Args:
        arguments: Files, folders (searched for `*.json`), patterns, or `-`.
        exclude: Patterns of files and folders to leave out, even where they are named.
        base: The folder that the patterns start from; default is the current one.
    """
    leave_out = _Exclude(tuple(exclude), base)
    found: dict[str, Source] = {}
    unmatched: list[str] = []
    for argument in arguments:
        if argument == STDIN:
            found.setdefault(STDIN, Source(STDIN))
            continue
        before = len(found)
        known = argument in found
        for source in _expand(argument, leave_out):
            if not leave_out.covers(source.path):
                known = known or source.path in found
                old = found.get(source.path)
                if old is None or (source.explicit and not old.explicit):
                    found[source.path] = source
        if len(found) == before and not known:
            unmatched.append(argument)
    ordered = sorted(found.values(), key=lambda source: _sort_key(source.path))
    return Found(tuple(ordered), tuple(unmatched))


def _sort_key(path: str) -> tuple[Any, ...]:
    return (path != STDIN, path.replace(os.sep, "/").split("/"))


def _expand(argument: str, leave_out: _Exclude) -> Iterator[Source]:
    if os.path.isdir(argument):
        yield from _walk(argument, leave_out)
    elif os.path.exists(argument) or not any(char in argument for char in MAGIC):
        yield Source(_plain(argument))
    else:
        yield from _glob(argument, leave_out)


def _walk(folder: str, leave_out: _Exclude) -> Iterator[Source]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in SKIPPED_FOLDERS
            and not leave_out.covers(_join(where, name))
        )
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                path = _join(where, name)
                # a pipe would be waited for, a device never ends; a link to nothing is told
                if os.path.isfile(path) or not os.path.exists(path):
                    yield Source(path, explicit=False)


def _glob(pattern: str, leave_out: _Exclude) -> Iterator[Source]:
    """Expand a pattern that the shell left alone; `**` goes through folders."""
    parts = pattern.replace(os.sep, "/").split("/")
    fixed = next(index for index, part in enumerate(parts) if any(char in part for char in MAGIC))
    start = "/".join(parts[:fixed]) or ("/" if pattern.startswith("/") else ".")
    wanted = compile_glob("/" + "/".join(parts[fixed:]), below=False)
    for where, folders, names in os.walk(start):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in SKIPPED_FOLDERS
            and not leave_out.covers(_join(where, name))
        )
        if "**" not in pattern and len(_inside(start, where)) >= len(parts) - fixed - 1:
            folders.clear()
        for name in sorted(names):
            if name.startswith(".") and not parts[-1].startswith("."):
                continue  # As a shell does.
            if wanted.fullmatch("/".join(("", *_inside(start, where), name))):
                path = _join(where, name)
                if os.path.isfile(path):
                    yield Source(path, explicit=False)


def _inside(start: str, where: str) -> tuple[str, ...]:
    relative = os.path.relpath(where, start).replace(os.sep, "/")
    return () if relative == "." else tuple(relative.split("/"))


def _join(where: str, name: str) -> str:
    return _plain(os.path.join(where, name))


def _plain(path: str) -> str:
    return path[2:] if path.startswith(("./", ".\\")) else path


class _Exclude:
    """The patterns of `--exclude`."""

    def __init__(self, patterns: tuple[str, ...], base: str) -> None:
        self._patterns = patterns
        self._base = base

    def covers(self, path: str) -> bool:
        return any(matches_file(pattern, path, self._base) for pattern in self._patterns)
