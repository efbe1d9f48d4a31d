"""
Reading the graphs out of images, sounds and films.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from comfygraph.documents.media.containers import LABELS, container_of, module_of
from comfygraph.documents.media.fields import GRAPHS, Graph, printable
from comfygraph.documents.media.source import Source
from comfygraph.errors import InputError

_MOST_NAMES = 30


@dataclass(frozen=True, slots=True)
class MediaGraph:
    """
    The graphs that a file carries, as JSON texts.

    Args:
        container: The format, such as `png`.
        prompt_text: The prompt, or `None`.
        workflow_text: The editor's workflow, or `None`.
        fields: Names of all texts in the metadata, graphs or not, each once.
    """

    container: str
    prompt_text: str | None
    workflow_text: str | None
    fields: tuple[str, ...] = ()

    def text(self, graph: Graph) -> str | None:
        """
        Give the text of one of the two.
        """
        return self.prompt_text if graph == "prompt" else self.workflow_text

    def pick(self, graph: Graph | None = None) -> tuple[Graph, str]:
        """
        Give the graph that was asked for; if none was, the prompt, else the workflow.

        Raises:
            InputError: It is not there; the message says what is.
        """
        for name in (graph,) if graph is not None else GRAPHS:
            text = self.text(name)
            if text is not None:
                return name, text
        label = LABELS[self.container]
        other: Graph = "workflow" if graph == "prompt" else "prompt"
        if graph is not None and self.text(other) is not None:
            raise InputError(
                f"holds no {graph}, only a {other}", hint=f"`comfygraph extract --{other}` gives it"
            )
        names = ", ".join(printable(name) for name in self.fields if name) or "none"
        raise InputError(
            f"holds neither prompt nor workflow; texts in this {label}: {names}",
            hint="ComfyUI writes both unless it runs with --disable-metadata; "
            "sites and messengers often remove them",
        )


def read_media(source: str | Path | bytes | BinaryIO, *, name: str | None = None) -> MediaGraph:
    """
    Read the graphs out of an image, a sound or a film.

    Args:
        source: A path, the bytes, or a seekable binary file. Of large files no more is read
            than the metadata.
        name: What messages call it; default is the path.

    Raises:
        InputError: It cannot be read, is no format that we know, or is damaged.
    """
    if isinstance(source, bytes):
        with labelled(name or "<bytes>"):
            return _read(BytesIO(source))
    if isinstance(source, str | Path):
        with open_seekable(source) as file, labelled(name or str(source)):
            return _read(file)
    with labelled(name or "<file>"):
        return _read(source)


def _read(file: BinaryIO) -> MediaGraph:
    source = Source(file)
    container = container_of(source.peek(0, 64))
    named: dict[Graph, str] = {}
    commented: dict[Graph, str] = {}
    names: dict[str, None] = {}
    for field in module_of(container).read(source):
        if len(names) < _MOST_NAMES:
            names[field.name] = None
        found = field.graphs()
        (named if field.name.strip().lower() in GRAPHS else commented).update(found)
    found = {**commented, **named}
    return MediaGraph(container, found.get("prompt"), found.get("workflow"), tuple(names))


@contextmanager
def labelled(name: str) -> Iterator[None]:
    """
    Put the file's name before what is wrong with it.
    """
    try:
        yield
    except InputError as exc:
        raise InputError(f"{name}: {exc.message}", hint=exc.hint) from exc


@contextmanager
def open_seekable(path: str | Path) -> Iterator[BinaryIO]:
    """
    Open a file for reading.

    Raises:
        InputError: It is missing, unreadable, or cannot be read out of order, as a pipe.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115  # closed below
    except FileNotFoundError as exc:
        raise InputError(f"{path}: no such file") from exc
    except IsADirectoryError as exc:
        raise InputError(f"{path}: is a directory") from exc
    except (OSError, ValueError) as exc:
        raise InputError(f"{path}: {getattr(exc, 'strerror', None) or exc}") from exc
    with file:
        if not file.seekable():
            raise InputError(f"{path}: is a pipe; write it to a file first")
        yield file
