"""
Parameter files: a CSV or JSONL whose columns name inputs, one variant a row.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from comfygraph.core.kinds import kind_of
from comfygraph.core.nearest import shorten
from comfygraph.core.values import JsonValue
from comfygraph.errors import InputError, UsageError
from comfygraph.jobs.batch.space import Axis
from comfygraph.jobs.batch.values import read_text

MISSING = object()
"""What a row has where it leaves a column out: the graph's own value stays."""


class Text(str):
    """
    A value as a CSV has it, to be read as the input wants it.
    """

    __slots__ = ()


def read_table(path: Path, *, most: int) -> Axis:
    """
    Read a parameter file.

    In a CSV the first row names inputs, and an empty cell leaves the graph's own value; a JSONL has
    an object of input name → value on each line.

    Args:
        path: The file; `.jsonl`, `.ndjson` or `.json` is read as JSONL, anything else as CSV.
        most: How many rows are taken.

    Raises:
        InputError: It cannot be read, or a row does not fit.
        UsageError: It has no rows, or more than `most`.
    """
    text = read_text(path)
    is_json = path.suffix.lower() in (".jsonl", ".ndjson", ".json")
    names, rows = _read_jsonl(path, text, most) if is_json else _read_csv(path, text, most)
    if not rows or not names:
        raise UsageError(f"{path} has no rows", hint="the first line names inputs: seed,cfg")
    single = len(names) == 1
    return Axis(tuple(names), [row[0] for row in rows] if single else rows, str(path))


def _read_csv(
    path: Path, text: str, most: int
) -> tuple[Sequence[str], list[tuple[JsonValue, ...]]]:
    rows: list[tuple[JsonValue, ...]] = []
    names: list[str] = []
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not names:
                names = _header(path, cells)
                continue
            if len(cells) != len(names):
                raise InputError(
                    f"{path}:{reader.line_num}: {len(cells)} cells in a table of "
                    f"{len(names)} columns",
                    hint="put quotes around cells that have commas",
                )
            rows.append(tuple(Text(cell) if cell else MISSING for cell in cells))
            _limit(path, rows, most)
    except csv.Error as exc:
        raise InputError(f"{path}:{reader.line_num}: {exc}") from exc
    return names, rows


def _header(path: Path, cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    for index, name in enumerate(names):
        if not name:
            raise InputError(f"{path}: column {index + 1} has no name")
        if name in names[:index]:
            raise InputError(f"{path}: two columns are called `{shorten(name)}`")
    return names


def _read_jsonl(
    path: Path, text: str, most: int
) -> tuple[Sequence[str], list[tuple[JsonValue, ...]]]:
    rows: list[tuple[JsonValue, ...]] = []
    names: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as exc:
            raise InputError(
                f"{path}:{number}: this is not JSON", hint="one object a line"
            ) from exc
        if not isinstance(row, dict):
            raise InputError(
                f"{path}:{number}: a row is an object of input → value, not {kind_of(row)}"
            )
        names.update(dict.fromkeys(row))
        # a tuple takes a third of the room of an object
        rows.append(tuple(row.get(name, MISSING) for name in names))
        _limit(path, rows, most)
    for index, cells in enumerate(rows):
        if len(cells) < len(names):
            rows[index] = (*cells, *(MISSING,) * (len(names) - len(cells)))
    return list(names), rows


def _limit(path: Path, rows: Sequence[object], most: int) -> None:
    if len(rows) > most:
        raise UsageError(
            f"{path} has more than {most:,} rows", hint="--max-jobs N allows more, if you mean it"
        )
