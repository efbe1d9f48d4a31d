"""
Which models a graph needs: where it names them, how, and what they seem to be made for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from comfygraph.analysis.families import Family, family_of_ecosystem, family_of_name
from comfygraph.catalog import InputSpec, NodeCatalog
from comfygraph.core.values import JsonValue, Link, Node, Prompt
from comfygraph.references.air import Air, airs_in, is_air
from comfygraph.references.forms import FileName, Reference, read_reference
from comfygraph.references.kinds import folder_of_kind, kind_of_folder

EMBEDDINGS = "embeddings"
_LONGEST_TEXT = 100_000
"""Characters of a prompt text that are searched for embeddings."""
_MODEL_FILE = re.compile(r"\.(?:safetensors|ckpt|pth?|bin|gguf|sft|onnx)$", re.I)
_EMBEDDING = re.compile(r"(?<![\w:-])embedding:(?P<name>[^\s,():]+)")
"""ComfyUI's tokenizer ends a name at a space and drops commas; brackets hold weights."""
_DEEPEST = 8
"""How many objects and lists down a value is searched for names."""
_HOLDERS = (str, list, dict)
"""What has or holds a name; no note is taken of the rest, such as numbers by the million."""
_NO_MODELS = frozenset({"configs"})

_FOLDERS_BY_INPUT = (
    (re.compile(r"^(ckpt|checkpoint|base_ckpt|refiner_ckpt)(_name)?(_?\d+)?$"), "checkpoints"),
    (re.compile(r"^lora(_name)?(_?\d+)?$"), "loras"),
    (re.compile(r"^vae(_name)?(_?\d+)?$"), "vae"),
    (re.compile(r"^(unet|diffusion_model)(_name)?(_?\d+)?$"), "diffusion_models"),
    (re.compile(r"^(clip|text_encoder)(_name)?(_?\d+)?$"), "text_encoders"),
    (re.compile(r"^(control_?net|controlnet)(_name)?(_?\d+)?$"), "controlnet"),
    (re.compile(r"^upscale_model(_name)?(_?\d+)?$"), "upscale_models"),
    (re.compile(r"^clip_vision(_name)?(_?\d+)?$"), "clip_vision"),
)
"""What inputs of classes that nobody has described are usually for."""


class Confidence(StrEnum):
    """
    How sure it is what a model is made for.
    """

    HIGH = "high"
    """Somebody who keeps the model says so."""
    LOW = "low"
    """Its name suggests it."""


class FamilyGuess(NamedTuple):
    """
    What a model seems to be made for.

    Args:
        family: The family of base models.
        confidence: How sure that is.
        why: What says so, fit behind "by": `the name of the file`.
    """

    family: Family
    confidence: Confidence
    why: str


class ModelUse(NamedTuple):
    """
    One place where a graph names a model.

    Args:
        node_id: The node.
        class_type: Its class.
        title: Its title, or its class where it has none.
        input: The input.
        value: The name as it stands there; part of the text where `span` says so.
        reference: The name, read.
        folder: The folder of ComfyUI that the input lists, or `None` where that is not known.
        span: Start and end (exclusive) in the value of the input where the name is only a part
            of it, as an embedding in a text; else `None`.
        listed: The names that the catalog's server has; `None` where it does not say.
        guessed: The class is not in the catalog; the name of the input tells what it is for.
        within: The keys and places from the value of the input down to the name, where the value
            is an object or a list, as in nodes that take any number of LoRAs.
    """

    node_id: str
    class_type: str
    title: str
    input: str
    value: str
    reference: Reference
    folder: str | None
    span: tuple[int, int] | None = None
    listed: tuple[object, ...] | None = None
    guessed: bool = False
    within: tuple[str | int, ...] = ()

    @property
    def kind(self) -> str | None:
        """The kind of model (`checkpoint`, `lora`, ...), or `None` where that is not known."""
        kind = kind_of_folder(self.folder) if self.folder is not None else None
        if kind is None and isinstance(self.reference, Air):
            return self.reference.type or None
        return kind

    @property
    def family(self) -> FamilyGuess | None:
        """What the name says that the model is made for, or `None`."""
        return guess_family(self.reference)


def guess_family(reference: Reference) -> FamilyGuess | None:
    """
    Give what a name says that a model is made for, or `None`.
    """
    if isinstance(reference, Air):
        family = family_of_ecosystem(reference.ecosystem)
        if family is not None:
            return FamilyGuess(family, Confidence.HIGH, "the ecosystem of its AIR")
        name = reference.file_name or ""
    else:
        name = reference.name if isinstance(reference, FileName) else ""
    family = family_of_name(name) if name else None
    return FamilyGuess(family, Confidence.LOW, "its name") if family is not None else None


def models_of(prompt: Prompt, catalog: NodeCatalog) -> list[ModelUse]:
    """
    List the models that a graph needs, in the order of its nodes and their inputs.

    Inputs count that list files of a folder of models, as the catalog knows them; in classes
    that it does not know, what is the name of a model's file, also deep in a value. Embeddings in
    texts count as well. What comes over a link is not known before the graph runs.

    Args:
        prompt: The graph.
        catalog: The classes.
    """
    return [use for node in prompt.nodes() for use in _uses(node, catalog)]


def _uses(node: Node, catalog: NodeCatalog) -> Iterator[ModelUse]:
    specs = _specs(node, catalog)
    for name, value in node.inputs.items():
        if specs is None and isinstance(value, dict | list):
            yield from _within(node, name, value)
        if not isinstance(value, str):
            continue
        spec = specs.get(name) if specs is not None else None
        folder = spec.files if spec is not None else None
        if folder is not None:
            if folder.startswith("input") or folder in _NO_MODELS or not names_model(value):
                continue
            listed = spec.options if spec and catalog.origin != "bundled" else None
            yield _use(node, name, value, folder, listed=listed)
        elif specs is None and _is_model_name(value):
            yield _use(node, name, value, _folder_by_input(name), guessed=True)
        elif spec is None or spec.options is None:
            yield from _embeddings(node, name, value)


def _specs(node: Node, catalog: NodeCatalog) -> Mapping[str, InputSpec] | None:
    definition = catalog.find(node.class_type)
    if definition is None:
        return None
    inputs = {
        name: value.to_json() if isinstance(value, Link) else value
        for name, value in node.inputs.items()
    }
    return definition.expand(inputs)


def _use(
    node: Node,
    name: str,
    value: str,
    folder: str | None,
    *,
    span: tuple[int, int] | None = None,
    listed: tuple[object, ...] | None = None,
    guessed: bool = False,
) -> ModelUse:
    return ModelUse(
        node.id, node.class_type, node.title, name, value, read_reference(value), folder,
        span, listed, guessed,
    )  # fmt: skip


def names_model(value: str) -> bool:
    """
    Tell whether a value names a model in any form; `pixel_space` and `None` do not.
    """
    plain = value.strip()
    if is_air(plain) or _MODEL_FILE.search(plain):
        return True
    return not isinstance(read_reference(plain), FileName)


def _is_model_name(value: str) -> bool:
    """Where no catalog says what an input is, a number may be a seed and a hash anything."""
    return (
        "\n" not in value
        and "://" not in value
        and bool(is_air(value) or _MODEL_FILE.search(value.strip()))
    )


def _within(node: Node, name: str, value: JsonValue) -> Iterator[ModelUse]:
    """Names of models in a value that nests, such as `{"on": true, "lora": "a.safetensors"}`."""
    todo: list[tuple[tuple[str | int, ...], str, JsonValue]] = [((), name, value)]
    while todo:
        place, key, item = todo.pop()
        if isinstance(item, str) and _is_model_name(item):
            use = _use(node, name, item, _folder_by_input(key), guessed=True)
            yield use._replace(within=place)
        elif len(place) == _DEEPEST:
            continue
        elif isinstance(item, dict):
            todo += reversed(
                [
                    ((*place, at), at, below)
                    for at, below in item.items()
                    if isinstance(below, _HOLDERS)
                ]
            )
        elif isinstance(item, list):
            todo += reversed(
                [
                    ((*place, at), key, below)
                    for at, below in enumerate(item)
                    if isinstance(below, _HOLDERS)
                ]
            )


def _folder_by_input(name: str) -> str | None:
    return next((folder for form, folder in _FOLDERS_BY_INPUT if form.match(name)), None)


def _embeddings(node: Node, name: str, value: str) -> Iterator[ModelUse]:
    text = value[:_LONGEST_TEXT]
    if "embedding:" not in text and "urn:air:" not in text.casefold():
        return
    found = {start: (end, word) for start, end, word in airs_in(text)}
    for match in _EMBEDDING.finditer(text):
        if not is_air(text[match.start("name") :]):
            found[match.start("name")] = (match.end("name"), match["name"])
    for start in sorted(found):
        end, word = found[start]
        yield _use(node, name, word, _folder_in_text(word), span=(start, end))


def _folder_in_text(word: str) -> str | None:
    reference = read_reference(word)
    return folder_of_kind(reference.type) if isinstance(reference, Air) else EMBEDDINGS
