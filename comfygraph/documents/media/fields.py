"""
`Field`: a named text in the metadata of a file, and which graphs are in it.

ComfyUI names them `prompt` and `workflow` (nodes.py, `SaveImage.save_images`). Other nodes put
both into one JSON object in a comment, and some sites the bare prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from comfygraph.documents.json_text import parse_json
from comfygraph.documents.media.source import Source
from comfygraph.errors import InputError, clean

Graph = Literal["prompt", "workflow"]
GRAPHS: tuple[Graph, Graph] = ("prompt", "workflow")

_COMMENTS = frozenset(
    {
        "comment", "comments", "usercomment", "description", "imagedescription", "synopsis",
        "\xa9cmt", "desc", "ldes", "com.apple.quicktime.comment",
    }
)  # fmt: skip
_BLANK = "\0 \t\r\n\ufeff"
_WRAPPINGS = 4


@dataclass(frozen=True, slots=True)
class Field:
    """
    A text in the metadata.

    Args:
        name: As the file spells it.
        text: The text; `None` where the name says that no graph is in it, so it was not read.
    """

    name: str
    text: str | None = None

    def graphs(self) -> Mapping[Graph, str]:
        """
        Give the JSON texts of the graphs in it.
        """
        if self.text is None:
            return {}
        name = self.name.strip().lower()
        text = _unwrap(self.text)
        if not text.startswith("{"):
            return {}
        for graph in GRAPHS:
            if name == graph:
                return {graph: text}
        return _graphs_in_comment(text) if name in _COMMENTS else {}


@dataclass(frozen=True, slots=True)
class Edit:
    """
    A change of a file: the bytes from `start` to `end` become `data` and `zeros` zeros.
    """

    start: int
    end: int
    data: bytes = b""
    zeros: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """
    What takes the graphs out of a file.

    Args:
        removed: Names of the fields that go.
        edits: In the order of the file, none over another.
    """

    removed: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()


class Container(Protocol):
    """
    What the module of a container format offers.
    """

    def read(self, source: Source) -> Iterator[Field]:
        """Give the texts in the metadata, in the order of the file."""
        ...

    def strip(self, source: Source) -> Cut:
        """Say what takes the graphs out."""
        ...


def may_hold_graph(name: str) -> bool:
    """
    Tell by its name whether a text is worth reading.
    """
    name = name.strip().lower()
    return name in GRAPHS or name in _COMMENTS


def printable(name: str) -> str:
    """
    Give a name from a file as it may be shown: short, and without control characters.
    """
    return clean(name if len(name) <= 40 else f"{name[:39]}…")


def decode(data: bytes) -> str:
    """
    Decode a text: UTF-8, else Latin-1, which never fails.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def cut(fields: Iterable[Field], edits: Iterable[Edit]) -> Cut:
    """
    Make a `Cut` of the fields that go and the edits that take them out.
    """
    removed = dict.fromkeys(field.name for field in fields)
    return Cut(tuple(removed), tuple(sorted(edits, key=lambda edit: edit.start)))


def _unwrap(text: str) -> str:
    """JSON text that was made JSON text again, as some versions of ComfyUI wrote into films."""
    text = text.strip(_BLANK)
    for _ in range(_WRAPPINGS):
        if not text.startswith('"'):
            break
        try:
            inner = parse_json(text)
        except InputError:
            break
        text = inner.strip(_BLANK)
    return text


def _graphs_in_comment(text: str) -> dict[Graph, str]:
    if not any(f'"{key}"' in text for key in ("prompt", "workflow", "class_type", "nodes")):
        return {}
    try:
        value: Any = parse_json(text)
    except InputError:
        return {}
    found: dict[Graph, str] = {}
    for graph in GRAPHS:
        member = value.get(graph)
        if isinstance(member, str):
            member = _unwrap(member)
            if member.startswith("{"):
                found[graph] = member
        elif isinstance(member, dict) and "class_type" not in member:
            found[graph] = json.dumps(member)
    if found:
        return found
    if isinstance(value.get("nodes"), list):
        return {"workflow": text}
    if any(isinstance(node, dict) and "class_type" in node for node in value.values()):
        return {"prompt": text}
    return {}
