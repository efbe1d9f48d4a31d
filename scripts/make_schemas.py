"""
Make the JSON Schemas in `comfygraph/schemas/` from the code.

    python scripts/make_schemas.py

They are published for other programs: `comfygraph schema` prints them, and nothing else reads them.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from comfygraph.jobs.batch.events import BATCH_EVENT_TYPES
from comfygraph.lint.render.json_format import ReportJson
from comfygraph.targets.base import JobRef
from comfygraph.targets.events import EVENT_TYPES

SCHEMAS = Path(__file__).parent.parent / "comfygraph" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_REQUIRED: Mapping[type, tuple[str, ...]] = {JobRef: ("target", "base_url")}
"""Members that a reader insists on, where these are not all of them: `JobRef.from_json`."""


def prompt_schema() -> Schema:
    """
    Give the schema of a prompt, as `POST /prompt` takes it under `prompt`.
    """
    link = {
        "description": "A link: the id of a node, and one of its output slots from 0.",
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "integer"}],
        "minItems": 2,
        "maxItems": 2,
    }
    node = {
        "description": "A node of the graph. The server takes no notice of other members.",
        "type": "object",
        "required": ["class_type", "inputs"],
        "properties": {
            "class_type": {"type": "string", "description": "The node class, such as KSampler."},
            "inputs": {
                "description": "Input name to value or link; a list as a value is wrapped in "
                '{"__value__": [...]}.',
                "type": "object",
                "additionalProperties": {
                    "anyOf": [
                        {"$ref": "#/$defs/Link"},
                        {"type": ["string", "number", "boolean", "null", "object"]},
                    ]
                },
            },
            "_meta": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "description": "What the editor calls the node."},
                    "comfygraph": {"$ref": "#/$defs/Meta"},
                },
            },
        },
    }
    meta = {
        "description": "What comfygraph itself keeps with a node.",
        "type": "object",
        "properties": {
            "ignore": {
                "description": "Lint rules that are silent here: ids, their beginnings, or names.",
                "anyOf": [
                    {"type": "string"},
                    {"type": "array", "items": {"type": "string"}},
                ],
            },
            "group": {
                "description": "The group that the node is drawn in, such as hires or "
                "hires/upscale.",
                "type": "string",
            },
        },
    }
    return {
        **head("prompt", "A ComfyUI prompt: node id to node."),
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/Node"},
        "$defs": {"Link": link, "Meta": meta, "Node": node},
    }


def report_schema() -> Schema:
    """
    Give the schema of what `comfygraph lint --format json` prints.
    """
    return _closed("report", ReportJson)


def event_schema() -> Schema:
    """
    Give the schema of an event of a job, as `event_to_json` gives it.
    """
    defs: dict[str, Schema] = {}
    for kind in EVENT_TYPES:
        _reference(kind, defs, tag=True)
    return {
        **head("event", "What happens to a job; `type` tells which event it is."),
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in EVENT_TYPES],
        "$defs": dict(sorted(defs.items())),
    }


def batch_event_schema() -> Schema:
    """
    Give the schema of an event of a batch, as `batch_event_to_json` gives it.
    """
    defs: dict[str, Schema] = {}
    for kind in (*EVENT_TYPES, *BATCH_EVENT_TYPES):
        _reference(kind, defs, tag=True)
    return {
        **head("batch-event", "What happens to a batch; `type` tells which event it is."),
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in BATCH_EVENT_TYPES],
        "$defs": dict(sorted(defs.items())),
    }


def job_reference_schema() -> Schema:
    """
    Give the schema of a job reference, as `JobRef.to_json` gives it.
    """
    return _closed("job-reference", JobRef)


def head(name: str, description: str) -> Schema:
    """
    Give the members that every schema begins with.
    """
    return {
        "$schema": DIALECT,
        "$id": f"urn:comfygraph:schema:{name}",
        "title": f"comfygraph {name.replace('-', ' ')}",
        "description": description,
    }


def _closed(name: str, kind: type) -> Schema:
    """A schema of one type with all that it is made of."""
    defs: dict[str, Schema] = {}
    _reference(kind, defs)
    own = defs.pop(kind.__name__)
    return {
        **head(name, own.pop("description")),
        **own,
        **({"$defs": dict(sorted(defs.items()))} if defs else {}),
    }


def _reference(kind: Any, defs: dict[str, Schema], *, tag: bool = False) -> Schema:
    """Point to the definition of a type with members, made when it is first met."""
    name = kind.__name__
    if name not in defs:
        defs[name] = {}
        hints = typing.get_type_hints(kind)
        properties: dict[str, Schema] = {"type": {"const": name}} if tag else {}
        notes = _argument_notes(kind)
        for member, hint in hints.items():
            properties[member] = _of(hint, defs)
            if member in notes:
                properties[member]["description"] = notes[member]
        # Readers must bear members that later versions add, so no definition is closed.
        defs[name] = {
            "description": _summary(kind),
            "type": "object",
            "properties": properties,
            "required": list(_REQUIRED.get(kind, properties)),
        }
    return {"$ref": f"#/$defs/{name}"}


def _of(hint: Any, defs: dict[str, Schema]) -> Schema:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        plain = [_of(item, defs) for item in arguments]
        if all(set(item) == {"type"} for item in plain):
            return {"type": [item["type"] for item in plain]}
        return {"anyOf": plain}
    if origin is typing.Literal:
        return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
    if origin in (list, tuple):
        return {"type": "array", "items": _of(arguments[0], defs)}
    if origin is Mapping or origin is dict:
        return {"type": "object", "additionalProperties": _of(arguments[1], defs)}
    simple = {
        str: "string", int: "integer", float: "number", bool: "boolean", types.NoneType: "null",
    }  # fmt: skip
    if hint is Any:
        return {}
    if hint in simple:
        return {"type": simple[hint]}
    if hint is bytes:
        return {"type": "string", "contentEncoding": "base64"}
    if isinstance(hint, type) and (is_dataclass(hint) or typing.is_typeddict(hint)):
        return _reference(hint, defs)
    raise TypeError(f"no schema for {hint!r}")


def _summary(kind: type) -> str:
    """The docstring up to its arguments, on one line."""
    return " ".join((kind.__doc__ or "").partition("Args:")[0].split())


def _argument_notes(kind: type) -> dict[str, str]:
    """What the docstring says of each argument."""
    notes: dict[str, str] = {}
    last = None
    for line in (kind.__doc__ or "").partition("Args:")[2].splitlines():
        name, colon, text = line.strip().partition(": ")
        if colon and name.isidentifier() and line.startswith(" " * 8) and line[8:9] != " ":
            last = name
            notes[name] = text
        elif last and line.strip():
            notes[last] += f" {line.strip()}"
    return notes


def schema_files() -> dict[str, str]:
    """
    Give file name → text of every schema.
    """
    schemas = {
        "prompt": prompt_schema(),
        "report": report_schema(),
        "event": event_schema(),
        "batch-event": batch_event_schema(),
        "job-reference": job_reference_schema(),
    }
    return {
        f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


if __name__ == "__main__":
    SCHEMAS.mkdir(exist_ok=True)
    for file, text in schema_files().items():
        (SCHEMAS / file).write_text(text, encoding="utf-8")
