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
from typing import TypeAlias

from comfygraph.errors import InputError
from comfygraph.lint.diagnostic import Diagnostic, Fix, Report, Severity

ROUNDS = 20
"""Repairs that touch each other wait for the next round; more rounds than this are a quarrel."""

TRIALS = 50
"""Repairs that are tried one by one where together they do harm."""

WORK = 5_000_000
"""Characters that all rounds together may go through: graphs above 250 kB get fewer."""

Offer: TypeAlias = tuple[Diagnostic, Fix]

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

    One that brings more errors than it takes is not applied: another class for an unknown one,
    say, whose inputs do not fit.

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
    from comfygraph.lint.edits import apply_fixes

    patience = max(2, WORK // (len(text) + 1))
    applied: list[tuple[str, str]] = []
    seen = {text}
    refused: set[tuple[str, ...]] = set()
    for _ in range(min(ROUNDS, patience)):
        offers = [offer for offer in _offers(report, unsafe) if _key(offer) not in refused]
        result = apply_fixes(text, [fix for _, fix in offers])
        if not result.fixes or result.text in seen:
            break
        after = check(result.text)
        if _errors(after) > _errors(report):
            harmful = _harmful(text, report, offers[: min(TRIALS, patience)], check)
            if not harmful:
                break
            refused |= harmful
            continue
        taken = {id(fix) for fix in result.fixes}
        applied += [(found.rule_id, fix.title) for found, fix in offers if id(fix) in taken]
        text, report = result.text, after
        seen.add(text)
    return Fixed(text, report, tuple(applied))


def _offers(report: Report, unsafe: bool) -> list[Offer]:
    """The first repair of each finding that may be applied."""
    return [
        (found, fix)
        for found in report
        if (fix := next((fix for fix in found.fixes if fix.safe or unsafe), None)) is not None
    ]


def _key(offer: Offer) -> tuple[str, ...]:
    found, fix = offer
    return (found.rule_id, fix.title, *(edit.pointer for edit in fix.edits))


def _errors(report: Report) -> int:
    return report.count(Severity.ERROR)


def _harmful(
    text: str, report: Report, offers: list[Offer], check: Callable[[str], Report]
) -> set[tuple[str, ...]]:
    """Find the repairs that bring more errors than they take, each by itself."""
    from comfygraph.lint.edits import apply_fixes

    return {
        _key(offer)
        for offer in offers
        if _errors(check(apply_fixes(text, [offer[1]]).text)) > _errors(report)
    }


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
    if os.path.exists(target) and not os.path.isfile(target):
        # a rename would put a file in the place of a device
        raise InputError(f"{path}: cannot be written: it is no regular file")
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
