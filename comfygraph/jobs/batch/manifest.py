"""
The manifest of a batch: one row a variant, as CSV for a spreadsheet and as JSONL for a script.

Rows are appended as jobs end, so that a batch that is under way can be looked at. When the batch
is left, both files are written anew from the ledger, in the order of the batch, and put in place
whole.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from comfygraph.core.values import JsonValue
from comfygraph.errors import UsageError

COLUMNS = ("index", "state", "label", "job", "attempts", "cost", "files", "message")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Row:
    """
    What the manifest says of a variant.

    Args:
        index: Its number, from 1.
        state: `succeeded`, `failed`, `cancelled`, `refused`, `uncertain` and so on.
        parameters: What makes the variant.
        label: The graph that it was made of.
        job: The service's id, `""` where it is not known.
        key: The idempotency key.
        digest: The digest of the graph.
        attempts: How many jobs were made for it.
        cost: In the service's own unit, of all attempts, where it said so.
        files: Paths of its files, relative to the folder of the manifest where they are within.
        message: What went wrong, or `""`.
    """

    index: int
    state: str
    parameters: Mapping[str, JsonValue]
    label: str = ""
    job: str = ""
    key: str = ""
    digest: str = ""
    attempts: int = 1
    cost: float | None = None
    files: tuple[str, ...] = ()
    message: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """
        Give the row as a JSON object.
        """
        return {
            "index": self.index,
            "state": self.state,
            "label": self.label,
            "parameters": dict(self.parameters),
            "job": self.job,
            "key": self.key,
            "digest": self.digest,
            "attempts": self.attempts,
            "cost": self.cost,
            "files": list(self.files),
            "message": self.message,
        }

    def cells(self, parameters: Sequence[str]) -> list[str]:
        """
        Give the row as cells of a CSV, the parameters in columns of their own.
        """
        own = [
            str(self.index),
            self.state,
            *(_cell(self.parameters.get(name)) for name in parameters),
            self.label,
            self.job,
            str(self.attempts),
            "" if self.cost is None else f"{self.cost:.10g}",
            "; ".join(self.files),
            self.message,
        ]
        return [_harmless(cell) for cell in own]


class Manifest:
    """
    The two files in a folder: `batch-ID.csv` and `batch-ID.jsonl`.

    Args:
        folder: Where they are; it exists.
        batch: The id of the batch.
        parameters: The columns for parameters.

    Raises:
        UsageError: They cannot be written.
    """

    def __init__(self, folder: Path, batch: str, parameters: Sequence[str]) -> None:
        self._csv = folder / f"batch-{batch}.csv"
        self._jsonl = folder / f"batch-{batch}.jsonl"
        self._parameters = tuple(parameters)

    @property
    def paths(self) -> tuple[Path, Path]:
        """
        The CSV and the JSONL.
        """
        return self._csv, self._jsonl

    def append(self, rows: Sequence[Row]) -> None:
        """
        Add rows at the end of both files, each with one write.

        Raises:
            UsageError: They cannot be written.
        """
        if not rows:
            return
        try:
            for path, text in (
                (self._csv, self._csv_text(rows)),
                (self._jsonl, _jsonl_text(rows)),
            ):
                with path.open("ab") as file:
                    file.write(text.encode())
        except OSError as exc:
            raise UsageError(f"cannot write the manifest: {exc.strerror or exc}") from exc

    def rewrite(self, rows: Iterable[Row]) -> None:
        """
        Write both files anew and put them in place whole.

        Args:
            rows: All rows, in their order; taken one after the other.

        Raises:
            UsageError: They cannot be written.
        """
        temporary = [_beside(self._csv), _beside(self._jsonl)]
        try:
            with temporary[0].open("xb") as table, temporary[1].open("xb") as lines:
                table.write(_csv_text([self._header()]).encode())
                for row in rows:
                    table.write(self._csv_text([row]).encode())
                    lines.write(_jsonl_text([row]).encode())
                for file in (table, lines):
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary[0], self._csv)
            os.replace(temporary[1], self._jsonl)
        except OSError as exc:
            raise UsageError(f"cannot write the manifest: {exc.strerror or exc}") from exc
        finally:
            for path in temporary:
                with suppress(OSError):
                    path.unlink()

    def _header(self) -> list[str]:
        return [*COLUMNS[:2], *map(_harmless, self._parameters), *COLUMNS[2:]]

    def _csv_text(self, rows: Sequence[Row]) -> str:
        return _csv_text([row.cells(self._parameters) for row in rows])


def _csv_text(rows: Iterable[Sequence[str]]) -> str:
    out = StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _jsonl_text(rows: Iterable[Row]) -> str:
    return "".join(json.dumps(row.to_json()) + "\n" for row in rows)


def _cell(value: JsonValue) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _harmless(cell: str) -> str:
    """
    Keep a spreadsheet from taking a text for a formula.
    """
    if cell.startswith(_FORMULA) and not _is_number(cell):
        return f"'{cell}"
    return cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}.part")
