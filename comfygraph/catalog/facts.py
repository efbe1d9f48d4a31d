"""
What a graph relies on in a node class, and nothing else: types, options, ranges, outputs.

Prose, defaults, grids of widgets and lists of files are no part of it: they change from
release to release and machine to machine, and the server takes the same graphs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from comfygraph.catalog.specs import InputSpec, NodeDef
from comfygraph.core.nearest import shorten
from comfygraph.errors import CatalogError

_FACTS = frozenset(
    {
        "min", "max", "options", "multiselect", "key", "inputs", "input", "template", "prefix",
        "names", "slot", "slotType", "allowed_types", "template_id", "image_upload",
        "video_upload", "audio_upload", "file_upload", "required", "optional",
    }
)  # fmt: skip
_FLAGS = ("output_node", "api_node", "deprecated", "experimental", "is_input_list")
_DEEPEST = 64


def class_facts(node: NodeDef) -> dict[str, Any]:
    """
    Give the facts of a class as JSON: `node_from_facts` makes a definition of them again.

    Raises:
        CatalogError: The definition nests too deep.
    """
    out: dict[str, Any] = {"required": {}, "optional": {}}
    files: dict[str, str] = {}
    for name, spec in node.inputs.items():
        out["required" if spec.required else "optional"][name] = _spec(node, spec)
        if spec.files is not None:
            files[name] = spec.files
    # A class whose outputs depend on its inputs has type names here that say so.
    out["outputs"] = [spec.type for spec in node.outputs]
    if any(spec.is_list for spec in node.outputs):
        out["lists"] = [spec.is_list for spec in node.outputs]
    out["flags"] = [flag for flag in _FLAGS if getattr(node, flag)]
    out["files"] = files
    return {key: value for key, value in out.items() if value or key == "outputs"}


def facts_hash(facts: Mapping[str, Any]) -> str:
    """
    Give 16 hexadecimal digits that two versions of a class share only if their facts do.

    The order of inputs does not count.

    Raises:
        CatalogError: The facts nest too deep.
    """
    try:
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    except RecursionError as exc:
        raise CatalogError("the facts of a class nest too deep") from exc
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def node_from_facts(class_type: str, facts: Mapping[str, Any]) -> NodeDef:
    """
    Make a definition of the facts; what is malformed in them is left out.
    """
    flags = facts.get("flags")
    entry = {
        "input": {section: facts.get(section, {}) for section in ("required", "optional")},
        "output": facts.get("outputs"),
        "output_is_list": facts.get("lists"),
        **{flag: True for flag in _FLAGS if isinstance(flags, list) and flag in flags},
    }
    files = facts.get("files")
    known = files if isinstance(files, dict) else {}
    return NodeDef(
        class_type, entry, {name: folder for name, folder in known.items() if _is_text(folder)}
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _spec(node: NodeDef, spec: InputSpec) -> list[Any]:
    opts = {} if spec.files is not None else _facts(node, spec.opts)
    if spec.options is not None and spec.files is None:
        opts["options"] = _bounded(node, spec.options)
    return [spec.type, opts] if opts else [spec.type]


def _bounded(node: NodeDef, options: tuple[Any, ...]) -> list[Any]:
    for option in options:
        if isinstance(option, list | dict):
            _facts(node, option)
    return list(options)


def _facts(node: NodeDef, opts: Any, depth: int = 0) -> Any:
    """
    Leave out of the options of an input, and of all inside, what is no fact.
    """
    if depth > _DEEPEST:
        raise CatalogError(f"the definition of `{shorten(node.class_type)}` nests too deep")
    if isinstance(opts, list | tuple):
        return [_facts(node, item, depth + 1) for item in opts]
    if not isinstance(opts, Mapping):
        return opts
    out: dict[str, Any] = {}
    for key, value in opts.items():
        if key not in _FACTS or (key == "multiselect" and value is False):
            continue
        if key in ("required", "optional") and isinstance(value, Mapping):
            # The keys of a section are names of inputs.
            out[key] = {name: _facts(node, spec, depth + 1) for name, spec in value.items()}
        else:
            out[key] = _facts(node, value, depth + 1)
    return out
