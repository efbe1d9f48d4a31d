"""
How services name models and images, for the rules about portability.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from comfygraph.core.pointer import parse_pointer
from comfygraph.lint.context import RuleContext

MODEL_ID = re.compile(r"[0-9]{15,20}")
"""A model on TensorArt."""

RESOURCE_ID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
"""An uploaded image on TensorArt: a UUID."""

MARK = "urn:air:"

_AIR = re.compile(
    r"urn:air:(?P<ecosystem>[A-Za-z0-9_\-/]+):(?P<type>[A-Za-z0-9_\-/]+):"
    r"(?P<source>[A-Za-z0-9_\-/]+):(?P<id>[A-Za-z0-9_\-/.]+)"
    r"(?:@(?P<version>[A-Za-z0-9_\-/.=,%:]+))?(?:\+(?P<suffix>[A-Za-z0-9]+))?",
    re.I,
)
_MODEL_FILE = re.compile(r"\.(?:safetensors|ckpt|pth?|bin|gguf|sft|onnx)$|^[0-9]{5,20}$", re.I)
_WORD_WITH_AIR = re.compile(r"urn:air:[^\s\"'<>()\[\]{},;]+", re.I)


def model_names(
    ctx: RuleContext, folders: frozenset[str] | None = None
) -> Iterator[tuple[str, str, str]]:
    """
    Yield the names of models, as `(node id, input, name)`.

    Args:
        ctx: The graph.
        folders: Only files of these folders; `None` for all that are no input files.
    """
    for node_id, name, value, spec in ctx.strings:
        folder = spec.files if spec is not None else None
        if folder is None or folder.startswith("input") or folder == "configs":
            continue
        if folders is None or folder in folders:
            yield node_id, name, value


def input_names(ctx: RuleContext) -> Iterator[tuple[str, str, str]]:
    """
    Yield the names of input images, sounds and films, as `(node id, input, name)`.
    """
    for node_id, name, value, spec in ctx.strings:
        if spec is not None and spec.files is not None and spec.files.startswith("input"):
            yield node_id, name, value


def names_file(value: str) -> bool:
    """
    Tell whether a value names a model file, or a model by its number; `pixel_space` does not.
    """
    return bool(_MODEL_FILE.search(value))


def airs_in(value: str) -> list[str]:
    """
    Give the AIRs in a text, such as the embeddings of a prompt.
    """
    return [found.rstrip(".:") for found in _WORD_WITH_AIR.findall(value[:100_000])]


def is_air(value: str) -> bool:
    """
    Tell whether a value means to be an AIR, well formed or not.
    """
    return value.strip().casefold().startswith(MARK)


def read_air(air: str) -> Mapping[str, str] | None:
    """
    Give the parts of an AIR (ecosystem, type, source, id, version), or `None`.
    """
    found = _AIR.fullmatch(air)
    return {key: part or "" for key, part in found.groupdict().items()} if found else None


def air_problem(air: str) -> str | None:
    """
    Say what is wrong with an AIR, or `None`.
    """
    parts = read_air(air)
    if parts is None:
        return "is no AIR"
    if parts["source"].casefold() != "civitai":
        return None
    if not parts["id"].isdigit():
        return "names its model by no number"
    if not parts["version"]:
        return "lacks the version of the model: `@` and a number"
    return None if parts["version"].isdigit() else "has a version that is no number"


def foreign(value: str) -> str | None:
    """
    Say how another service names this, or `None` for a plain file name.
    """
    if is_air(value):
        return "an AIR"
    if re.match(r"\s*https?://", value):
        return "a URL"
    return "a number" if MODEL_ID.fullmatch(value) else None


def custom_step(ctx: RuleContext) -> Mapping[str, Any] | None:
    """
    Give the `input` of the `customComfy` step that the graph stands in, or `None`.
    """
    document = ctx.document
    if document.kind != "civitai" or not document.base.endswith("/input/workflow"):
        return None
    index = int(parse_pointer(document.base)[1])
    found: Mapping[str, Any] = document.value["steps"][index]["input"]
    return found


def declared_resources(step: Mapping[str, Any]) -> set[str] | None:
    """
    Give the declared AIRs of a step, folded; `None` where it declares nothing readable.
    """
    resources = step.get("resources")
    if not isinstance(resources, list):
        return None
    return {item.strip().casefold() for item in resources if isinstance(item, str)}
