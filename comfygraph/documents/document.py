"""
`Document`: a file that carries a graph, whatever shape it has, and where the graph stands in it.

Known shapes: a prompt; `{"prompt": ...}` as `POST /prompt` takes it; the editor's workflow;
an entry of ComfyUI's history or queue; a TAMS job body; a Civitai workflow; and an image, a
sound or a film that carries a prompt or a workflow in its metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from comfygraph.core.pointer import escape_pointer
from comfygraph.core.records import NamedTuple
from comfygraph.documents.json_text import MAX_BYTES, JsonSyntaxError, decode_text, parse_json
from comfygraph.errors import InputError, PromptError

if TYPE_CHECKING:
    from pathlib import Path

    from comfygraph.core.values import JsonValue, Prompt

Kind = Literal["prompt", "wrapped", "history", "queue", "tams", "civitai", "workflow", "unknown"]

_HEAD = 64
_JSON_STARTS = b'{[ \t\r\n"'

_CIVITAI_GRAPHS = {"comfy": "comfyWorkflow", "customComfy": "workflow"}


class Document(NamedTuple):
    """
    A parsed file.

    Args:
        path: The file's name for messages; `<stdin>` and the like are fine. With `#prompt` or
            `#workflow` behind it where the graph comes out of an image: places are in its text.
        text: The text, or `None` where the document never was text.
        value: The whole JSON value.
        kind: What it was recognised as; `unknown` where nothing fits.
        prompt: The graph as `POST /prompt` takes it, any JSON value; `None` for a workflow.
        base: JSON pointer of the graph in the file, `""` for a bare prompt.
        class_key: How the document spells `class_type`.
        targets: `partial_execution_targets` of a request body, or `None`.
        places: For a graph that was converted: node id and input name → JSON pointer into
            the file that it was converted from. `None` where the graph stands in the file.
        container: Format of the image, sound or film that the text was found in, such as `png`;
            `None` where the text is the file. Only then can it be written back.
        written: For a graph that a Python script built: node id → file and line of the call that
            wrote the node, and under `""` the line that gives the graph its name.
    """

    path: str
    text: str | None
    value: JsonValue
    kind: Kind
    prompt: JsonValue
    base: str = ""
    class_key: str = "class_type"
    targets: Any = None
    places: Callable[[str, str | None], str] | None = None
    container: str | None = None
    written: Mapping[str, tuple[str, int]] | None = None

    def to_prompt(self) -> Prompt:
        """
        Give the graph as a `Prompt`.

        Raises:
            PromptError: The document holds no prompt, or a malformed one.
        """
        if self.kind == "workflow" and self.prompt is None:
            raise PromptError(
                f"{self.path} is a workflow of the editor, not a prompt",
                hint="convert it with `comfygraph convert`",
            )
        from comfygraph.core.values import Prompt

        try:
            return Prompt.from_json(self.prompt)
        except PromptError as exc:
            raise PromptError(
                f"{self.path}: {exc.message}", pointer=self.base + exc.pointer, hint=exc.hint
            ) from exc

    def node_pointer(self, node_id: str) -> str:
        """
        Give the JSON pointer of a node in the file.
        """
        if self.places is not None:
            return self.places(node_id, None)
        return f"{self.base}/{escape_pointer(node_id)}"

    def input_pointer(self, node_id: str, name: str) -> str:
        """
        Give the JSON pointer of an input in the file.
        """
        if self.places is not None:
            return self.places(node_id, name)
        return f"{self.base}/{escape_pointer(node_id)}/inputs/{escape_pointer(name)}"


def read_bytes(path: str | Path, *, limit: int = MAX_BYTES) -> bytes:
    """
    Read a file that may come from anybody.

    Args:
        path: The file.
        limit: The most bytes to read; a larger file is refused unread.

    Raises:
        InputError: It is missing, unreadable, no file, or too large.
    """
    return _read(path, limit, media=False)


@overload
def _read(path: str | Path, limit: int, *, media: Literal[False]) -> bytes: ...
@overload
def _read(path: str | Path, limit: int, *, media: Literal[True]) -> bytes | None: ...
def _read(path: str | Path, limit: int, *, media: bool) -> bytes | None:
    """The bytes of a file; `None` for one that is a picture, a sound or a film, if those may be."""
    try:
        with open(path, "rb") as file:
            data = file.read(_HEAD)
            if media and _is_media(data) and file.seekable():
                return None
            data += file.read(limit + 1 - len(data))
    except FileNotFoundError as exc:
        raise InputError(f"{path}: no such file") from exc
    except IsADirectoryError as exc:
        raise InputError(f"{path}: is a directory") from exc
    except (OSError, ValueError) as exc:  # ValueError: a zero in the path
        raise InputError(f"{path}: {getattr(exc, 'strerror', None) or exc}") from exc
    if len(data) > limit:
        raise InputError(f"{path}: larger than {limit >> 20} MB, no graph is that large")
    return data


def open_document(
    source: str | Path | bytes,
    *,
    name: str | None = None,
    graph: Literal["prompt", "workflow"] | None = None,
) -> Document:
    """
    Open a document and recognise what it is.

    Args:
        source: A path, or the bytes of a document. Of an image, a sound or a film no more is
            read than its metadata.
        name: What messages call it; default is the path.
        graph: Which of the two to take out of an image; default is the prompt, and the workflow
            where there is none.

    Raises:
        InputError: The file cannot be read, is not JSON, or carries no graph.
    """
    label = name or ("<bytes>" if isinstance(source, bytes) else str(source))
    data = source if isinstance(source, bytes) else _read(source, MAX_BYTES, media=True)
    if data is None or _is_media(data[:_HEAD]):
        return _open_media(source if data is None else data, label, graph)
    text = decode_text(data)
    return recognise(parse_json(text), text=text, path=label)


def _is_media(head: bytes) -> bool:
    if head[:1] in _JSON_STARTS:  # nearly every file: nothing more is loaded
        return False
    from comfygraph.documents.media.containers import sniff

    return sniff(head) is not None


def _open_media(
    source: str | Path | bytes, label: str, wanted: Literal["prompt", "workflow"] | None
) -> Document:
    from comfygraph.documents.media.reading import read_media

    media = read_media(source, name=label)
    try:
        graph, text = media.pick(wanted)
    except InputError as exc:
        raise InputError(f"{label}: {exc.message}", hint=exc.hint) from exc
    try:
        value = parse_json(text)
    except JsonSyntaxError as exc:
        message = f"its {graph} is {exc.message}"
        raise JsonSyntaxError(message, line=exc.line, column=exc.column) from exc
    document = recognise(value, text=text, path=f"{label}#{graph}")
    return document._replace(container=media.container)


def recognise(value: JsonValue, *, text: str | None = None, path: str = "<json>") -> Document:
    """
    Tell what a JSON value is, and where in it the graph stands.

    Args:
        value: The JSON value.
        text: The text that it was parsed from.
        path: What messages call it.
    """
    if isinstance(value, dict):
        if isinstance(value.get("nodes"), list) and not _is_node(value.get("nodes")):
            return Document(path, text, value, "workflow", None)
        found = _wrapped(value, text, path)
        if found is not None:
            return found
    elif isinstance(value, list) and len(value) >= 3 and _is_prompt(value[2]):
        return Document(path, text, value, "queue", value[2], "/2")
    kind: Kind = "prompt" if isinstance(value, dict) and not _is_foreign(value) else "unknown"
    if isinstance(value, dict) and _spells_class_type(value):
        return Document(path, text, value, kind, _renamed(value), "", "classType")
    return Document(path, text, value, kind, value)


def _wrapped(value: Mapping[str, Any], text: str | None, path: str) -> Document | None:
    prompt = value.get("prompt")
    if "prompt" in value and not _is_node(prompt):
        if isinstance(prompt, list) and len(prompt) >= 3 and _is_prompt(prompt[2]):
            return Document(path, text, value, "history", prompt[2], "/prompt/2")
        if isinstance(prompt, dict) or not _is_prompt(value):
            targets = value.get("partial_execution_targets")
            return Document(path, text, value, "wrapped", prompt, "/prompt", targets=targets)
    params = value.get("params")
    if isinstance(params, dict) and not _is_node(params) and _is_tams(value, params):
        key = "classType" if _spells_class_type(params) else "class_type"
        return Document(path, text, value, "tams", _renamed(params), "/params", key)
    steps = value.get("steps")
    if isinstance(steps, list):
        return _civitai(value, steps, text, path)
    if len(value) == 1:  # GET /history/{id} answers {id: entry}
        key, entry = next(iter(value.items()))
        if isinstance(entry, dict) and isinstance(entry.get("prompt"), list):
            inner = entry["prompt"]
            if len(inner) >= 3 and _is_prompt(inner[2]):
                base = f"/{escape_pointer(key)}/prompt/2"
                return Document(path, text, value, "history", inner[2], base)
    return None


def _civitai(
    value: Mapping[str, Any], steps: list[Any], text: str | None, path: str
) -> Document | None:
    for index, step in enumerate(steps):
        if not isinstance(step, dict) or step.get("$type") not in _CIVITAI_GRAPHS:
            continue
        key = _CIVITAI_GRAPHS[step["$type"]]
        inner = step.get("input")
        graph = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(graph, dict):
            spelling = "classType" if _spells_class_type(graph) else "class_type"
            base = f"/steps/{index}/input/{key}"
            return Document(path, text, value, "civitai", _renamed(graph), base, spelling)
    return None


def _is_node(value: Any) -> bool:
    return isinstance(value, dict) and ("class_type" in value or "classType" in value)


def _is_prompt(value: Any) -> bool:
    return isinstance(value, dict) and any(_is_node(node) for node in value.values())


def _is_tams(value: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    return _is_prompt(params) or "requestId" in value or "request_id" in value


def _is_foreign(value: Mapping[str, Any]) -> bool:
    """An object of which no member looks like a node, such as package.json."""
    return bool(value) and not any(
        isinstance(node, dict) and ("inputs" in node or _is_node(node)) for node in value.values()
    )


def _spells_class_type(graph: Mapping[str, Any]) -> bool:
    return any(
        isinstance(node, dict) and "classType" in node and "class_type" not in node
        for node in graph.values()
    )


def _renamed(graph: Mapping[str, Any]) -> dict[str, Any]:
    if not _spells_class_type(graph):
        return dict(graph)
    return {
        node_id: {("class_type" if key == "classType" else key): node[key] for key in node}
        if isinstance(node, dict) and "classType" in node and "class_type" not in node
        else node
        for node_id, node in graph.items()
    }
