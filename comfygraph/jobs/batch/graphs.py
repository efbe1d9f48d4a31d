"""
The graphs that a batch starts from: one, those of a folder, those of a JSONL; one at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from comfygraph.catalog import InputSpec, NodeCatalog
from comfygraph.core.kinds import kind_of
from comfygraph.core.values import JsonValue, Prompt
from comfygraph.documents import Document, open_document
from comfygraph.documents.document import recognise
from comfygraph.errors import InputError, UsageError

MAX_LINE_BYTES = 64 << 20
"""The longest line of a JSONL that is read."""

_ENDINGS = frozenset({
    ".json", ".png", ".webp", ".jpg", ".jpeg", ".avif", ".flac", ".mp3", ".mp4", ".ogg", ".opus",
    ".webm",
})  # fmt: skip
_ROW_KEYS = ("graph", "set", "name")


@dataclass(frozen=True, slots=True)
class Base:
    """
    A graph that variants are made of.

    Args:
        prompt: The graph as it is without any change.
        label: What messages and the manifest call it.
        parameters: Names that `settle` takes, beside the inputs of the nodes, with what they want.
        settle: Builds the graph with values for parameters, where the graph has some.
        given: Changes that belong to this graph alone, by the names of inputs or parameters.
        partial_targets: Ids of the output nodes to run; empty for all.
        alone: It came out of a picture, a sound or a film, and names no files of this machine.
    """

    prompt: Prompt
    label: str = ""
    parameters: Mapping[str, InputSpec | None] = field(default_factory=dict)
    settle: Callable[[Mapping[str, JsonValue]], Prompt] | None = None
    given: Mapping[str, JsonValue] = field(default_factory=dict)
    partial_targets: tuple[str, ...] = ()
    alone: bool = False


class Bases(Protocol):
    """
    Graphs in an order; `len` is known before any of them is read.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Base]: ...


def base_of(document: Document, catalog: NodeCatalog, label: str = "") -> Base:
    """
    Give the graph of a document, a workflow of the editor converted.

    Raises:
        InputError: It holds no graph.
    """
    partial = document.targets if isinstance(document.targets, list) else []
    targets = tuple(node_id for node_id in partial if isinstance(node_id, str))
    name = label or document.path
    alone = document.container is not None
    if document.kind != "workflow":
        return Base(document.to_prompt(), name, partial_targets=targets, alone=alone)
    from comfygraph.workflow import convert

    return Base(Prompt.from_json(convert(document.value, catalog).document), name, alone=alone)


@dataclass(frozen=True, slots=True)
class Folder:
    """
    The files of a folder that may hold graphs, by name. Hidden files and subfolders are left out.
    """

    files: tuple[Path, ...]
    catalog: NodeCatalog

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Base]:
        for path in self.files:
            with _Placed(str(path)):
                yield base_of(open_document(path), self.catalog, path.name)


@dataclass(frozen=True, slots=True)
class Lines:
    """
    The lines of a JSONL: a graph each, or `{"graph": PATH or graph, "set": {...}, "name": ...}`.
    """

    path: Path
    count: int
    catalog: NodeCatalog

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Base]:
        opened: tuple[str, Base] | None = None  # rows often name the same file as the one before
        for number, line in _lines(self.path):
            place = f"{self.path}:{number}"
            with _Placed(place):
                row = _json(line, place)
                if not _is_row(row):
                    yield base_of(recognise(row, path=place), self.catalog, f"line {number}")
                    continue
                _check_row(row, place)
                graph = row["graph"]
                label = row.get("name") or (graph if isinstance(graph, str) else f"line {number}")
                if not isinstance(graph, str):
                    base = base_of(recognise(graph, path=place), self.catalog)
                elif opened is not None and opened[0] == graph:
                    base = opened[1]
                else:
                    base = base_of(open_document(self.path.parent / graph), self.catalog)
                    opened = (graph, base)
                yield replace(base, label=label, given=row.get("set") or {})


def open_bases(source: Path, catalog: NodeCatalog) -> Bases:
    """
    Open what `--batch` names: a folder of graphs, or a JSONL.

    Args:
        source: The folder or the file.
        catalog: What workflows are converted with.

    Raises:
        InputError: It cannot be read.
        UsageError: There is no graph in it.
    """
    if source.is_dir():
        try:
            files = tuple(
                sorted(
                    path
                    for path in source.iterdir()
                    if path.suffix.lower() in _ENDINGS
                    and not path.name.startswith(".")
                    and path.is_file()
                )
            )
        except OSError as exc:
            raise InputError(f"cannot read {source}: {exc.strerror or exc}") from exc
        if not files:
            raise UsageError(
                f"there is no graph in the folder {source}",
                hint="graphs are .json files, or pictures and films that carry one",
            )
        return Folder(files, catalog)
    count = sum(1 for _ in _lines(source))
    if not count:
        raise UsageError(f"{source} is empty", hint="it holds one graph a line")
    return Lines(source, count, catalog)


class _Placed:
    """
    Puts the place before the message of what goes wrong within.
    """

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if isinstance(exc, InputError) and not exc.message.startswith(self._place):
            exc.message = f"{self._place}: {exc.message}"
            exc.args = (exc.message,)


def _lines(path: Path) -> Iterable[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise InputError(f"{path}:{number}: a line has more than 64 MB")
                if line.strip():
                    yield number, line
    except OSError as exc:
        raise InputError(f"cannot read {path}: {exc.strerror or exc}") from exc
    except ValueError as exc:
        raise InputError(f"{str(path)!r} is no path") from exc


def _json(line: bytes, place: str) -> JsonValue:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise InputError(
            f"{place}: this line is not JSON", hint="a JSONL holds one graph a line"
        ) from exc


def _is_row(row: JsonValue) -> bool:
    return isinstance(row, dict) and isinstance(row.get("graph"), str | dict) and (
        "class_type" not in row["graph"]
    )  # fmt: skip


def _check_row(row: dict[str, JsonValue], place: str) -> None:
    unknown = next((key for key in row if key not in _ROW_KEYS), None)
    if unknown is not None:
        raise InputError(
            f"{place}: a line has no key `{unknown[:60]}`", hint=f"it has {', '.join(_ROW_KEYS)}"
        )
    if not isinstance(row.get("set", {}), dict):
        raise InputError(f"{place}: `set` is an object of input → value, not {kind_of(row['set'])}")
    if not isinstance(row.get("name", ""), str):
        raise InputError(f"{place}: `name` is text, not {kind_of(row['name'])}")
