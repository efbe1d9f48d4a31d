"""
Local files that a graph names: which inputs name one, whether it may be read, and its bytes.

A graph may come from a stranger, and an upload leaves the machine. So a value of the graph is
followed only below folders that the person has named or works in, to media files that are not
hidden; a value that the person gave for this job may be any file.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.core.values import Prompt
from comfygraph.errors import InputError
from comfygraph.targets.local_file import LocalFile
from comfygraph.targets.reading import kind_of

MAX_FILE = 256 * 1024 * 1024
"""The largest file that is uploaded, in bytes; all files of a job may have four times as many."""

_LONGEST_NAME = 4096
_UNKNOWN_CLASS_INPUTS = frozenset({"image", "mask", "video", "audio"})
_EXPLICIT = re.compile(r"(?:/|~|\.\.?[/\\]|\\\\|[A-Za-z]:[/\\])")
_ELSEWHERE = re.compile(
    # a URL, an AIR or other URN, an id of a service, a name with ComfyUI's note of a folder
    r"[A-Za-z][A-Za-z0-9+.\-]+:.*"
    r"|[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"
    r"|.*\[(?:input|output|temp)\]\s*",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Sources:
    """
    Where the files that a graph names may be read.

    Args:
        folders: Relative names are looked up in these, in order; nothing outside of them is read.
        trusted: Inputs, `(node id, input)`, whose value the person gave for this job: relative
            to the working folder, `~` is home, and any file may be meant.
    """

    folders: tuple[Path, ...] = ()
    trusted: frozenset[tuple[str, str]] = frozenset()


def working_folder() -> Sources:
    """
    Let files below the working folder be read.
    """
    return Sources((Path(),))


class LocalInput(NamedTuple):
    """
    An input that names, or may name, a local file.

    Args:
        node_id: The node.
        class_type: Its class.
        input: The input.
        value: What stands there.
        path: The file to read, or `None` where there is none or it may not be read.
        problem: Why there is no path; empty where there is one.
        explicit: Whether the value is surely a path and no name of the service's own: it begins
            like one, or the file is there and may not be read.
    """

    node_id: str
    class_type: str
    input: str
    value: str
    path: Path | None = None
    problem: str = ""
    explicit: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """
        Give node id and input.
        """
        return self.node_id, self.input

    @property
    def label(self) -> str:
        """
        Name the input for a person.
        """
        return f"`{self.input}` of {self.class_type} ({self.node_id})"


def find_local_inputs(
    prompt: Prompt, sources: Sources, catalog: NodeCatalog | None = None
) -> list[LocalInput]:
    """
    Find the inputs that name an input image, sound or film, and the file behind each.

    Looks at the file system and reads nothing. Values that are addresses, AIRs or ids of uploads
    are no names of files.

    Args:
        prompt: The graph.
        sources: Where files may be read.
        catalog: Knows which inputs list files; default is the bundled core. For classes that it
            does not have, inputs called image, mask, video and audio count.
    """
    named = [
        LocalInput(node.id, node.class_type, name, value, explicit=bool(_EXPLICIT.match(value)))
        for node in prompt.nodes()
        for name, value in node.inputs.items()
        if isinstance(value, str)
        and _may_name_file(value)
        and (_looks_like_file(value) or (node.id, name) in sources.trusted)
    ]
    if not named:
        return []  # the catalog is not loaded for nothing
    known = load_catalog() if catalog is None else catalog
    return [_located(item, sources) for item in named if _takes_file(item, known)]


def read_local_file(path: Path, label: str, limit: int = MAX_FILE) -> LocalFile:
    """
    Read a file.

    Args:
        path: The file.
        label: The input that names it, for messages.
        limit: The most bytes.

    Raises:
        InputError: It cannot be read, is no file, is empty, or is too large.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise InputError(f"{label}: `{path}` is no file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as exc:  # ValueError: a zero in the path
        raise InputError(
            f"{label}: cannot read `{path}`: {getattr(exc, 'strerror', None) or exc}"
        ) from exc
    if len(data) > limit:
        raise InputError(
            f"{label}: `{path}` is too large to upload", hint=f"the most is {limit >> 20} MB"
        )
    if not data:
        raise InputError(f"{label}: `{path}` is empty")
    return LocalFile.of(path.name, data)


def read_local_files(inputs: Iterable[LocalInput]) -> Iterator[tuple[LocalInput, LocalFile]]:
    """
    Read the files of inputs that have one, each once.

    Raises:
        InputError: A file cannot be read, or all together are too large.
    """
    read: dict[Path, LocalFile] = {}
    left = 4 * MAX_FILE
    for item in inputs:
        if item.path is None:
            continue
        if item.path not in read:
            read[item.path] = read_local_file(item.path, item.label, min(MAX_FILE, left))
            left -= len(read[item.path].data)
        yield item, read[item.path]


def _may_name_file(value: str) -> bool:
    return 0 < len(value) <= _LONGEST_NAME and (
        bool(_EXPLICIT.match(value)) or not _ELSEWHERE.fullmatch(value)
    )


def _looks_like_file(value: str) -> bool:
    return bool(_EXPLICIT.match(value)) or kind_of(value) != "file"


def _takes_file(item: LocalInput, catalog: NodeCatalog) -> bool:
    definition = catalog.get(item.class_type)
    if definition is None:
        return item.input in _UNKNOWN_CLASS_INPUTS
    spec = definition.inputs.get(item.input)
    if spec is None or spec.files is None or not spec.files.startswith("input"):
        return False
    # that class lists what the server itself made: an upload would not be found there
    return item.class_type != "LoadImageOutput"


def _located(item: LocalInput, sources: Sources) -> LocalInput:
    trusted = item.place in sources.trusted
    try:
        wanted = Path(item.value).expanduser()
    except RuntimeError:  # no such user
        return item._replace(problem="there is no such file")
    folders = (Path(),) if trusted else sources.folders
    refused = False
    for candidate in [wanted] if wanted.is_absolute() else [base / wanted for base in folders]:
        real = _real_file(candidate)
        if real is None:
            continue
        if trusted or _is_allowed(real, sources.folders):
            return item._replace(path=real)
        refused = True
    if refused:
        problem = "the file is hidden, no media file, or outside of the graph's folder"
        return item._replace(problem=problem, explicit=True)
    if not sources.folders and not trusted:
        return item._replace(problem="a graph from elsewhere names no local files")
    return item._replace(problem="there is no such file")


def _real_file(path: Path) -> Path | None:
    try:
        real = path.resolve(strict=True)
        return real if stat.S_ISREG(real.stat().st_mode) else None
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle
        return None


def _is_allowed(real: Path, folders: Iterable[Path]) -> bool:
    if kind_of(real.name) == "file":
        return False
    for folder in folders:
        root = folder.resolve()
        if real.is_relative_to(root):
            inside = real.relative_to(root).parts
            if not any(part.startswith(".") for part in inside):
                return True
    return False
