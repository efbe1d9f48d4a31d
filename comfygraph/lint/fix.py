"""
`--fix`: repairs that findings bring along, applied to the text over several rounds.
"""

from __future__ import annotations

import codecs
import json
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from comfygraph.errors import InputError
from comfygraph.lint.diagnostic import Diagnostic, Fix, Report

ROUNDS = 20
"""Repairs that touch each other wait for the next round; more rounds than this are a quarrel."""

WORK = 5_000_000
"""Characters that all rounds together may go through: graphs above 250 kB get fewer."""

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE,
          codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fixed:
    """
    A document after its repairs.

    Args:
        text: The text, the very same where nothing was repaired.
        report: What is left to say about it.
        applied: The findings that are gone, and the titles of their repairs, in order.
    """

    text: str
    report: Report
    applied: tuple[tuple[str, str], ...] = ()


def fix_report(report: Report, check: Callable[[str], Report], *, unsafe: bool = False) -> Fixed:
    """
    Apply the repairs of a report until none is left.

    Args:
        report: The findings about a text.
        check: Lints a text.
        unsafe: Apply also the repairs that may change what the graph makes.

    Returns:
        The new text with the findings that remain.
    """
    text = report.text
    if text is None:
        return Fixed("", report)
    applied: list[tuple[str, str]] = []
    seen = {text}
    for _ in range(max(2, min(ROUNDS, WORK // (len(text) + 1)))):
        offers = [(found, fix) for found in report if (fix := _choose(found, unsafe)) is not None]
        if not offers:
            break
        from comfygraph.lint.edits import apply_fixes

        result = apply_fixes(text, [fix for _, fix in offers])
        if not result.fixes or result.text in seen:
            break
        taken = {id(fix) for fix in result.fixes}
        applied += [(found.rule_id, fix.title) for found, fix in offers if id(fix) in taken]
        text = result.text
        seen.add(text)
        report = check(text)
    return Fixed(text, report, tuple(applied))


def _choose(found: Diagnostic, unsafe: bool) -> Fix | None:
    """The first repair that may be applied; an offer of the same edits twice is harmless."""
    return next((fix for fix in found.fixes if fix.safe or unsafe), None)


def encode_like(text: str, data: bytes) -> bytes:
    """
    Encode a text as a document was: the same encoding, and the mark at its start if it had one.
    """
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    encoding: str = json.detect_encoding(data)
    if mark == codecs.BOM_UTF8:
        encoding = "utf-8"
    elif mark:
        width = "32" if len(mark) == 4 else "16"
        little = mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE)
        encoding = f"utf-{width}-{'le' if little else 'be'}"
    return mark + text.encode(encoding)


def write_atomically(path: str, data: bytes) -> None:
    """
    Replace a file's content, all or nothing; its mode stays, and a symbolic link stays one.

    Raises:
        InputError: It cannot be written.
    """
    target = os.path.realpath(path)
    folder, base = os.path.split(target)
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode) if os.path.exists(target) else None
        if mode is not None and not os.access(target, os.W_OK):
            raise InputError(f"{path}: cannot be written: it is read-only")
        handle, name = tempfile.mkstemp(prefix=f".{base}.", dir=folder)
    except OSError as exc:
        raise InputError(f"{path}: cannot be written: {exc.strerror or exc}") from exc
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, mode if mode is not None else 0o666 & ~_umask())
        os.replace(name, target)
    except OSError as exc:
        with suppress(OSError):
            os.unlink(name)
        raise InputError(f"{path}: cannot be written: {exc.strerror or exc}") from exc


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def unified_diff(path: str, before: str, after: str) -> str:
    """
    Give a unified diff, as `patch` and `git apply` take it.
    """
    from difflib import unified_diff as differ

    lines = differ(
        _lines(before),
        _lines(after),
        f"a/{path.lstrip('/')}",
        f"b/{path.lstrip('/')}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    """Split at line feeds only: JSON strings may hold other characters that end lines."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
