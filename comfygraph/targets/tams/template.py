"""
Templates: graphs that somebody published as an "AI tool", with a few fields to fill in.

A filled template travels as a `Prompt` whose nodes have only these fields as inputs, so that
everything which works on prompts (uploads of local files, `--set`) works on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comfygraph.core.values import JsonValue, Prompt
from comfygraph.errors import ProtocolError
from comfygraph.targets.reading import identifier, mapping, mappings, one_line, pick, text
from comfygraph.targets.tams.body import exact

CLASS_TYPE = "TemplateFields"
"""The class of a template's nodes: their real one is not told."""


@dataclass(frozen=True, slots=True)
class Template:
    """
    A template as the service lists it.

    Args:
        id: Its number, as text.
        name: What its author calls it.
        fields: `(node id, field, preset value)` in the service's order.
    """

    id: str
    name: str
    fields: tuple[tuple[str, str, JsonValue], ...]

    def to_prompt(self) -> Prompt:
        """
        Give the fields as a prompt, to be filled in.
        """
        nodes: dict[str, dict[str, JsonValue]] = {}
        for node_id, name, value in self.fields:
            title = self.name or "template"
            node = {"class_type": CLASS_TYPE, "inputs": {}, "_meta": {"title": title}}
            inputs = nodes.setdefault(node_id, node)["inputs"]
            # a list would be taken for a link
            inputs[name] = {"__value__": value} if isinstance(value, list) else value
        return Prompt.from_json(nodes)


def read_template(data: Mapping[str, JsonValue], template_id: str) -> Template:
    """
    Read the answer of `GET /v1/workflows/{templateId}`.

    Raises:
        ProtocolError: It lists no fields, or one without node or name.
    """
    inner = mapping(data.get("template")) or dict(data)
    fields = []
    listed = pick(pick(inner, "fields"), "fieldAttrs", "field_attrs")
    for item in mappings(listed):
        node_id = identifier(pick(item, "nodeId", "node_id"))
        name = text(pick(item, "fieldName", "field_name"))
        if not node_id or not name:
            raise ProtocolError("a field of the template has no node or no name")
        fields.append((node_id, name, pick(item, "fieldValue", "field_value")))
    if not fields:
        raise ProtocolError("TAMS lists no fields for the template")
    found = identifier(pick(inner, "templateId", "template_id")) or template_id
    return Template(found, one_line(inner.get("name"), 120), tuple(fields))


def template_body(template_id: str, prompt: Prompt) -> dict[str, JsonValue]:
    """
    Give `templateId` and `fields` of a filled template.
    """
    attributes: list[JsonValue] = []
    for node in prompt.nodes():
        inputs = mapping(node.to_json().get("inputs"))
        for name, value in inputs.items():
            wrapped = isinstance(value, dict) and value.keys() == {"__value__"}
            plain = value["__value__"] if wrapped else value
            attributes.append({"nodeId": node.id, "fieldName": name, "fieldValue": exact(plain)})
    return {"templateId": template_id, "fields": {"fieldAttrs": attributes}}
