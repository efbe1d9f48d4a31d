"""
What a graph needs of Civitai: the AIRs that it names, and what it names in another way.

A `customComfy` step gets a list of resources, and its worker has nothing else: the list is made
from the graph, and what cannot be in it is complained of at its node and input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from comfygraph.catalog.bundled import bundled_catalog, core_files
from comfygraph.catalog.packs import packs_with
from comfygraph.core.nearest import shorten
from comfygraph.core.values import JsonValue, Link, Node, Prompt
from comfygraph.errors import UsageError
from comfygraph.references.air import Air, airs_in, is_air
from comfygraph.targets.base import NodeComplaint
from comfygraph.targets.reading import is_web_url

BLOB = "urn:air:other:other:orchestrator:blob@"
"""How a file of Civitai's own store is named; the id of the blob follows."""

PLAIN_NAME, BAD_AIR, LOCAL_FILE, MISSING_PACK = (
    "plain_name",
    "bad_air",
    "local_file",
    "missing_pack",
)
"""The codes of our complaints."""

_MODEL_FILE = re.compile(r"\.(?:safetensors|ckpt|pth?|bin|gguf|sft|onnx)$|^[0-9]{5,20}$", re.I)
_MEDIA_CLASSES: Mapping[str, str] = {
    "LoadImage": "image",
    "LoadImageMask": "image",
    "LoadImageOutput": "image",
    "LoadAudio": "audio",
    "LoadVideo": "file",
    "VHS_LoadVideo": "video",
    "VHS_LoadVideoFFmpeg": "video",
    "VHS_LoadAudioUpload": "audio",
}
_MOST_COMPLAINTS = 200
_MOST_CLASSES = 50


@dataclass(frozen=True, slots=True)
class Manifest:
    """
    What a graph needs.

    Args:
        graph: The nodes as they are sent: AIRs in canonical form, keys that nobody knows left out.
        resources: The AIRs in the order of the graph, each once.
        places: AIR, folded → node and input that name it first.
        complaints: What is named by a plain name or by an AIR that is none.
        foreign: Class → a node of it, for classes that ComfyUI itself does not have.
    """

    graph: Mapping[str, Mapping[str, JsonValue]]
    resources: tuple[str, ...]
    places: Mapping[str, tuple[str, str]]
    complaints: tuple[NodeComplaint, ...]
    foreign: Mapping[str, str]


def manifest_of(prompt: Prompt, *, urls: bool) -> Manifest:
    """
    Read what a graph needs.

    Args:
        prompt: The graph.
        urls: Whether the workers fetch pictures from web addresses (those of `comfy` steps do).
    """
    found = _Findings()
    graph = {node.id: _node(node, found, urls) for node in prompt.nodes()}
    return Manifest(
        graph,
        tuple(found.resources.values()),
        found.places,
        tuple(found.complaints),
        found.foreign,
    )


def pack_complaints(manifest: Manifest, packs: tuple[str, ...]) -> Iterator[NodeComplaint]:
    """
    Yield the classes of a graph that are in none of the named packs, as far as that is known.

    Args:
        manifest: What the graph needs.
        packs: AIRs of node packs or of their layers.
    """
    ids = [Air.parse(pack).id.casefold() for pack in packs]
    named = {name.rpartition("/")[2] for name in ids} | {name.replace("/", "-") for name in ids}
    for class_type, node_id in islice(manifest.foreign.items(), _MOST_CLASSES):
        likely = packs_with(class_type, most=20)
        if packs and (not likely or any(pack.name.casefold() in named for pack in likely)):
            continue
        pack = f", the pack `{likely[0].name}` has it" if likely else ""
        yield NodeComplaint(
            node_id,
            f"`{shorten(class_type)}` is no class of ComfyUI itself{pack}: name its pack with the "
            "option `node_packs`",
            class_type=class_type,
            code=MISSING_PACK,
        )


def blob_id_of(value: JsonValue) -> str | None:
    """
    Give the id of the blob that a text names by its AIR, or `None`.
    """
    if not isinstance(value, str) or not is_air(value):
        return None
    try:
        air = Air.parse(value)
    except UsageError:
        return None
    own = air.source == "orchestrator" and air.id.casefold() == "blob"
    return air.version if own else None


class _Findings:
    def __init__(self) -> None:
        self.resources: dict[str, str] = {}
        self.places: dict[str, tuple[str, str]] = {}
        self.complaints: list[NodeComplaint] = []
        self.foreign: dict[str, str] = {}

    def air(self, text: str, node: Node, name: str) -> str:
        """
        Take an AIR in and give it in canonical form; complain of one that is none.
        """
        try:
            air = Air.parse(text)
        except UsageError as exc:
            self.complain(node, name, exc.message, BAD_AIR)
            return text
        if air.type == "nodepack":
            said = f"`{shorten(str(air))}` is a node pack and no model"
            self.complain(node, name, said, BAD_AIR)
            return text
        self.resources.setdefault(air.key, str(air))
        self.places.setdefault(air.key, (node.id, name))
        return self.resources[air.key]

    def complain(self, node: Node, name: str, message: str, code: str) -> None:
        if len(self.complaints) < _MOST_COMPLAINTS:
            self.complaints.append(NodeComplaint(node.id, message, name, node.class_type, code))


def _node(node: Node, found: _Findings, urls: bool) -> dict[str, JsonValue]:
    # the schema writes `classType` and `meta`, every known caller sends ComfyUI's own names;
    # keys that neither knows would be refused
    definition = bundled_catalog().find(node.class_type)
    if definition is None:
        found.foreign.setdefault(node.class_type, node.id)
    folders = core_files(node.class_type) if definition is not None else None
    inputs: dict[str, JsonValue] = {}
    for name, value in node.inputs.items():
        if isinstance(value, Link):
            inputs[name] = value.to_json()
            continue
        inputs[name] = _with_airs(value, node, name, found)
        # classes that nobody here knows may name models deep in a value
        for text in _texts_in(value) if folders is None or isinstance(value, str) else ():
            if not is_air(text):
                _check_name(text, node, name, folders, found, urls)
    out: dict[str, JsonValue] = {"class_type": node.class_type, "inputs": inputs}
    if node.meta is not None:
        out["_meta"] = dict(node.meta)
    return out


def _texts_in(value: JsonValue) -> Iterator[str]:
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict | list):
            todo += reversed(list(item.values()) if isinstance(item, dict) else item)


def _check_name(
    value: str,
    node: Node,
    name: str,
    folders: Mapping[str, str] | None,
    found: _Findings,
    urls: bool,
) -> None:
    folder = (folders or {}).get(name, "")
    if folder.startswith("input") or _MEDIA_CLASSES.get(node.class_type) == name:
        if not value or (urls and is_web_url(value)):
            return
        way = "no https address" if urls else "no AIR"
        said = f"`{shorten(value)}` is {way}: upload the file, or name it in the way of Civitai"
        found.complain(node, name, said, LOCAL_FILE)
    elif (folder not in ("", "configs") or folders is None) and _MODEL_FILE.search(value):
        # numbers name models on TensorArt, and anything in classes that nobody here knows
        if folders is None and value.isdigit():
            return
        said = f"`{shorten(value)}` is a file name, Civitai knows models by their AIR"
        found.complain(node, name, said, PLAIN_NAME)


def _with_airs(value: JsonValue, node: Node, name: str, found: _Findings) -> JsonValue:
    """
    Give a value with its AIRs in canonical form; values may nest deep.
    """
    root = [value]
    todo: list[tuple[dict[str, JsonValue] | list[JsonValue], JsonValue]] = [(root, 0)]
    while todo:
        holder, key = todo.pop()
        item = holder[key]
        if isinstance(item, str):
            if is_air(item):
                holder[key] = found.air(item, node, name)
            elif "urn:air:" in item.casefold():
                holder[key] = _text_with_airs(item, node, name, found)
        elif isinstance(item, dict):
            holder[key] = inner = dict(item)
            todo.extend((inner, inner_key) for inner_key in reversed(inner))
        elif isinstance(item, list):
            holder[key] = copy = list(item)
            todo.extend((copy, place) for place in range(len(copy) - 1, -1, -1))
    return root[0]


def _text_with_airs(text: str, node: Node, name: str, found: _Findings) -> str:
    parts: list[str] = []
    end = 0
    for start, stop, word in airs_in(text):
        parts += [text[end:start], found.air(word, node, name)]
        end = stop
    return "".join([*parts, text[end:]])
