"""
A JSON Schema of prompts made of one catalog's nodes: for editors that complete and check JSON.

In draft-07, of which editors know most. What a class gets wrong in itself is told: unknown
classes and inputs, missing inputs, values out of range or of a closed list. Whether links fit is
beyond a schema: that is what lint says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from comfygraph.catalog.dynamic import template_member
from comfygraph.catalog.flatten import ANY_MEMBER, FlatInput, flat_inputs
from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO, NodeDef
from comfygraph.dsl.literals import LITERAL_KINDS
from comfygraph.dsl.plan import MISSING, InputPlan

DIALECT = "http://json-schema.org/draft-07/schema#"
LINK = "#/definitions/link"
LARGEST_RANGE = 2**63
"""A bound beyond this says "no bound" in words of a double, and is left out."""

Schema = dict[str, Any]


def make_schema(catalog: NodeCatalog, extra: Mapping[str, Iterable[str]]) -> Schema:
    """
    Give the schema of a prompt, as `POST /prompt` takes it under `prompt`.

    Args:
        catalog: The classes that a node may have. File names that it lists are offered, and
            any other is taken too.
        extra: Class → patterns of inputs that it does not declare and the editor writes.
    """
    names = list(catalog.names())
    classes = {name: _class_schema(catalog[name], extra.get(name, ())) for name in names}
    titles = {name: _title(catalog[name]) for name in names}
    cases = [
        {
            "if": {"properties": {"class_type": {"const": name}}},
            "then": {
                "properties": {
                    # Not `enumDescriptions`, which VS Code knows and strict validators refuse.
                    "class_type": {"description": title},
                    "inputs": {"$ref": f"#/definitions/{_key(name)}"},
                }
            },
        }
        for name, title in titles.items()
    ]
    return {
        "$schema": DIALECT,
        "title": f"Prompts for {catalog.label}",
        "description": "A ComfyUI prompt: node id to node.",
        "type": "object",
        "additionalProperties": {"$ref": "#/definitions/node"},
        "definitions": {
            "link": {
                "description": "A link: the id of a node, and one of its output slots from 0.",
                "type": "array",
                "items": [{"type": "string"}, {"type": "integer"}],
                "minItems": 2,
                "maxItems": 2,
            },
            "node": {
                "type": "object",
                "required": ["class_type", "inputs"],
                "properties": {
                    "class_type": {
                        "description": "The node class.",
                        "type": "string",
                        "enum": names,
                    },
                    "inputs": {"description": "Input name to value or link.", "type": "object"},
                    "_meta": {
                        "type": "object",
                        "properties": {
                            "title": {
                                "type": "string",
                                "description": "What the editor calls the node.",
                            }
                        },
                    },
                },
                "allOf": cases,
            },
            **{_key(name): schema for name, schema in classes.items()},
        },
    }


def schema_text(schema: Schema) -> str:
    """
    Write a schema with one definition a line: small, and readable where it changes.
    """
    import json

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=True, separators=(",", ": "))

    head = [
        f"  {line(key)}: {line(value)}" for key, value in schema.items() if key != "definitions"
    ]
    body = [f"    {line(key)}: {line(value)}" for key, value in schema["definitions"].items()]
    return "{\n" + ",\n".join(head) + ',\n  "definitions": {\n' + ",\n".join(body) + "\n  }\n}\n"


def literally(text: str) -> str:
    """
    Give the pattern of just this text. `re.escape` also escapes spaces, which ECMA 262 forbids.
    """
    return re.sub(r"[\\^$.*+?()\[\]{}|]", r"\\\g<0>", text)


def _key(class_type: str) -> str:
    # A reference is a JSON pointer in a URL; class names hold anything.
    plain = re.sub(
        r"[^A-Za-z0-9_]+", lambda found: "".join(f"-{ord(c):x}" for c in found[0]), class_type
    )
    return f"class.{plain}"


def _title(definition: NodeDef) -> str:
    parts = [definition.display_name, definition.category]
    marks = [
        word
        for word, holds in (
            ("deprecated", definition.deprecated),
            ("experimental", definition.experimental),
            ("paid", definition.api_node),
        )
        if holds
    ]
    return " · ".join(part for part in [*parts, *marks] if part)


def _class_schema(definition: NodeDef, extra: Iterable[str]) -> Schema:
    """
    Give the schema of the `inputs` of a class.
    """
    properties: dict[str, list[Schema]] = {}
    patterns: dict[str, list[Schema]] = {}
    required: list[str] = []
    choices: dict[tuple[tuple[str, Any], ...], list[str]] = {}
    for item in flat_inputs(definition).values():
        if item.spec.type == AUTOGROW:
            required += _first_members(definition, item)
            continue
        plan = InputPlan(item.spec._replace(name=item.name))
        schema = _input_schema(plan, definition.inputs.get(item.name))
        if ANY_MEMBER in item.name:
            pattern = "^" + literally(item.name).replace(r"\*", r"[^.]+") + "$"
            _add(patterns.setdefault(pattern, []), schema)
            continue
        _add(properties.setdefault(item.name, []), schema)
        if not item.spec.required:
            continue
        if not item.chosen:
            required.append(item.name)
        elif all(ANY_MEMBER not in name for name, _ in item.chosen):
            choices.setdefault(item.chosen, []).append(item.name)
    out: Schema = {"description": _title(definition), "type": "object"}
    if required:
        out["required"] = list(dict.fromkeys(required))
    out["properties"] = {name: _one(schemas) for name, schemas in properties.items()}
    known = {name: _one(found) for name, found in patterns.items()}
    if known or extra:
        out["patternProperties"] = {**known, **{f"^{pattern}$": {} for pattern in extra}}
    out["additionalProperties"] = False
    if choices:
        out["allOf"] = [
            {
                "if": {
                    "required": [name for name, _ in chosen],
                    "properties": {name: {"const": key} for name, key in chosen},
                },
                "then": {"required": members},
            }
            for chosen, members in choices.items()
        ]
    return out


def _first_members(definition: NodeDef, item: FlatInput) -> list[str]:
    """
    Give the members of an autogrow group that must be there.
    """
    declared = definition.inputs.get(item.name)
    least = item.spec.opts.get("min")
    if declared is None or not declared.required or not isinstance(least, int):
        return []
    if not template_member(declared)[0]:
        return []
    return [f"{item.name}.{name}" for name in (item.spec.options or ())[:least]]


def _add(schemas: list[Schema], schema: Schema) -> None:
    if schema not in schemas:
        schemas.append(schema)


def _one(schemas: list[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _input_schema(plan: InputPlan, declared: Any) -> Schema:
    spec = plan.spec
    tooltip = spec.opts.get("tooltip")
    about = [tooltip] if isinstance(tooltip, str) and tooltip else []
    about.append(f"{'file of ' + spec.files if spec.files else spec.type}{_range(plan)}")
    out: Schema = {"description": " · ".join(about)}
    if plan.fill is not MISSING and plan.fill is not None:
        out["default"] = plan.ready
    values = _values(plan)
    if values is None:
        return {**out, "allOf": [{"$ref": LINK}]}
    return {**out, "anyOf": [*values, {"$ref": LINK}]} if values else out


def _range(plan: InputPlan) -> str:
    least, most, step = plan.spec.min, plan.spec.max, plan.spec.step
    text = f", {least} to {most}" if _bound(least) and _bound(most) else ""
    return text + (f", step {step}" if _bound(step) and step not in (0, 1) else "")


def _bound(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= LARGEST_RANGE


def _values(plan: InputPlan) -> list[Schema] | None:
    """
    Give what may stand in an input besides a link: `None` for nothing, `[]` for anything.
    """
    spec = plan.spec
    if spec.type == DYNAMIC_COMBO:
        return [{"enum": list(spec.options or ())}]
    if spec.options is not None:
        return _listed(plan)
    if "*" in plan.kinds:
        return []
    found = [_plain(plan, kind) for kind in plan.kinds if kind in LITERAL_KINDS]
    if found:
        return found
    return [] if plan.widget else None


def _listed(plan: InputPlan) -> list[Schema]:
    options = [item for item in plan.spec.options or () if isinstance(item, str | int | float)]
    known = [{"enum": list(dict.fromkeys(options))}] if options else []
    if plan.is_open:
        return [*known, {"type": "string"}]
    if plan.spec.opts.get("multiselect"):
        many = {"type": "array", "items": known[0] if known else {}}
        wrapped = {"type": "object", "properties": {"__value__": many}}
        return [*known, many, {**wrapped, "required": ["__value__"]}]
    return known


def _plain(plan: InputPlan, kind: str) -> Schema:
    names: Mapping[str, str] = {
        "INT": "integer", "FLOAT": "number", "STRING": "string", "BOOLEAN": "boolean",
    }  # fmt: skip
    out: Schema = {"type": names[kind]}
    if kind in ("INT", "FLOAT"):
        for key, bound in (("minimum", plan.spec.min), ("maximum", plan.spec.max)):
            if type(bound) in (int, float) and bound == bound and abs(bound) <= 2**64:
                out[key] = bound
    return out
