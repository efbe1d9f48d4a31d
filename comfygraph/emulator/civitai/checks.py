"""
What the service says about a submitted workflow before it takes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from comfygraph.core.values import JsonValue
from comfygraph.emulator.civitai.model import Step
from comfygraph.emulator.civitai.problems import Findings
from comfygraph.emulator.civitai.template import is_word, read_template
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.schedule import link_of

AIR = re.compile(
    r"^(?:urn:)?(?:air:)?(?:(?P<ecosystem>[a-zA-Z0-9_\-/]+):)?(?:(?P<type>[a-zA-Z0-9_\-/]+):)?"
    r"(?P<source>[a-zA-Z0-9_\-/]+):(?P<id>[a-zA-Z0-9_\-/.]+)"
    r"(?:@(?P<version>[a-zA-Z0-9_\-/.=,%+:]+))?(?:\.(?P<format>[a-zA-Z0-9_\-]+))?$"
)
"""The pattern of resource names in the service's OpenAPI document."""

_SPANS = {
    "days": re.compile(r"(?:(\d{1,8})\.)?([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d{1,7})?"),
    "hours": re.compile(r"()(\d{2,8}):([0-5]\d):([0-5]\d)"),
}
_PRIORITIES = frozenset({"high", "normal", "low"})
_TRACES = frozenset({"none", "logs", "binary"})
_STEP = frozenset({"$type", "name", "priority", "timeout", "retries", "metadata", "input"})
_INPUTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "comfy": frozenset({"comfyWorkflow", "quantity", "imageMetadata", "useSpineComfy"}),
        "customComfy": frozenset(
            {
                "resources",
                "workflow",
                "trace",
                "sessionId",
                "comfyImage",
                "sessionOwnerApiToken",
                "minVramGb",
                "useSageAttention",
                "minimumDurationSeconds",
            }
        ),
        "comfyNodepackSnapshot": frozenset(
            {"nodepacks", "comfyImage", "minVramGb", "useSageAttention"}
        ),
        "echo": frozenset({"message", "delay"}),
    }
)
DEFAULT_SECONDS = 1200.0


def read_steps(body: JsonValue, wait: float, faults: Faults) -> list[Step]:
    """
    Check the body of a submit, and read its steps.

    Args:
        body: The JSON value.
        wait: How long the client waits for the end; an ephemeral workflow needs that.
        faults: Knobs of the request.

    Raises:
        InvalidError: The body is wrong.
    """
    template, found = read_template(body, wait, faults)
    steps = template.get("steps")
    if not isinstance(steps, list) or not steps:
        found.add("steps", "The field steps must have at least one element.")
        steps = []
    read: list[Step] = []
    for index, step in enumerate(steps):
        _step(found, f"steps[{index}]", index, step, read, faults)
    found.done()
    return read


def _step(
    found: Findings,
    path: str,
    index: int,
    step: JsonValue,
    read: list[Step],
    faults: Faults,
) -> None:
    if not isinstance(step, dict):
        found.add(path, "The JSON value could not be converted to WorkflowStepTemplate.")
        return
    kind = step.get("$type")
    if not isinstance(kind, str) or kind not in _INPUTS:
        found.add(f"{path}.$type", f"Unknown step type '{kind}'.")
        return
    found.unknown(path, step, _STEP)
    name = step.get("name")
    if name is not None and (not isinstance(name, str) or not name):
        found.add(f"{path}.name", "The value must be a text.")
        name = None
    name = name or str(index)
    if any(other.name == name for other in read):
        found.add(f"{path}.name", f"There is another step '{name}'.")
    retries = step.get("retries")
    if retries is not None and (type(retries) is not int or retries < 0):
        found.add(f"{path}.retries", "The value must be a whole number.")
    if not isinstance(step.get("metadata"), dict | None):
        found.add(f"{path}.metadata", "The value must be an object.")
    if not is_word(step.get("priority", "normal"), _PRIORITIES):
        found.add(f"{path}.priority", "The value must be high, normal or low.")
    seconds = DEFAULT_SECONDS
    if step.get("timeout") is not None:
        seconds = _seconds(step["timeout"], faults.span_form)
        if seconds <= 0:
            found.add(f"{path}.timeout", "The value is no time span (HH:MM:SS).")
    given = step.get("input")
    if not isinstance(given, dict):
        found.add(f"{path}.input", "The input field is required.")
        return
    found.unknown(f"{path}.input", given, _INPUTS[kind])
    _references(found, f"{path}.input", given, {other.name for other in read}, index)
    match kind:
        case "comfy":
            _comfy(found, f"{path}.input", given, faults)
        case "customComfy":
            _custom_comfy(found, f"{path}.input", given, faults)
        case "comfyNodepackSnapshot":
            _snapshot(found, f"{path}.input", given)
    read.append(
        Step(
            type=kind,
            name=name,
            input=given,
            seconds=seconds,
            timeout=step.get("timeout"),
            priority=step.get("priority") or "normal",
            retries=step.get("retries"),
            metadata=step["metadata"] if isinstance(step.get("metadata"), dict) else {},
        )
    )


def _seconds(text: JsonValue, form: str) -> float:
    match = _SPANS[form].fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return 0.0
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _references(found: Findings, path: str, value: JsonValue, names: set[str], index: int) -> None:
    # Bodies are limited in depth when they are read.
    if isinstance(value, list):
        for place, item in enumerate(value):
            _references(found, f"{path}[{place}]", item, names, index)
    elif isinstance(value, dict):
        target = value.get("$ref")
        if target is None:
            for name, item in value.items():
                _references(found, f"{path}.{name}", item, names, index)
        elif not is_word(target, {"$arguments", *names, *(f"${place}" for place in range(index))}):
            found.add(path, f"The reference '{target}' does not name an earlier step.")


def _comfy(found: Findings, path: str, given: Mapping[str, JsonValue], faults: Faults) -> None:
    quantity = given.get("quantity", 1)
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 1 <= quantity <= 100:
        found.add(f"{path}.quantity", "The field quantity must be between 1 and 100.")
    graph = given.get("comfyWorkflow")
    if not isinstance(graph, dict) or not graph:
        found.add(f"{path}.comfyWorkflow", "The comfyWorkflow field is required.")
        return
    for node_id, node in graph.items():
        where = f"{path}.comfyWorkflow.{node_id}"
        if not isinstance(node, dict) or not isinstance(class_of(node), str):
            found.add(where, "The classType field is required.")
        elif not isinstance(node.get("inputs", {}), dict):
            found.add(f"{where}.inputs", "The value must be an object.")
        else:
            for name, value in node.get("inputs", {}).items():
                if faults.numeric_links and link_of(value) is not None:
                    found.add(f"{where}.inputs.{name}", "The value must be two numbers.")
                elif isinstance(value, dict | list) and link_of(_link(value)) is None:
                    text = "The value must be a text, a number, a boolean or a link."
                    found.add(f"{where}.inputs.{name}", text)


def _custom_comfy(
    found: Findings, path: str, given: Mapping[str, JsonValue], faults: Faults
) -> None:
    if not isinstance(given.get("workflow"), dict):
        found.add(f"{path}.workflow", "The workflow field is required.")
    _worker(found, path, given)
    seconds = given.get("minimumDurationSeconds")
    if seconds is not None and (type(seconds) is not int or seconds < 0):
        found.add(f"{path}.minimumDurationSeconds", "The value must be a whole number.")
    if not is_word(given.get("trace", "none"), _TRACES):
        found.add(f"{path}.trace", "The value must be none, logs or binary.")
    resources = given.get("resources")
    if not isinstance(resources, list) or not resources:
        found.add(f"{path}.resources", "At least one resource is required.")
        return
    for place, air in enumerate(resources):
        where = f"{path}.resources[{place}]"
        if isinstance(air, dict) and "$ref" in air:
            continue
        if not isinstance(air, str) or not AIR.fullmatch(air):
            found.add(where, "AIR is in an invalid format.")
        elif ":nodepack:" in air and not faults.bare_packs:
            text = "Declare the install-layer AIR from a ComfyNodepackSnapshot step instead."
            found.add(where, text)


def _worker(found: Findings, path: str, given: Mapping[str, JsonValue]) -> None:
    image = given.get("comfyImage")
    if image is not None and not (isinstance(image, str) and AIR.fullmatch(image)):
        found.add(f"{path}.comfyImage", "AIR is in an invalid format.")
    memory = given.get("minVramGb")
    if memory is not None and (type(memory) is not int or memory < 0):
        found.add(f"{path}.minVramGb", "The value must be a whole number.")
    if not isinstance(given.get("useSageAttention"), bool | None):
        found.add(f"{path}.useSageAttention", "The value must be a boolean.")


def _snapshot(found: Findings, path: str, given: Mapping[str, JsonValue]) -> None:
    _worker(found, path, given)
    packs = given.get("nodepacks")
    if not isinstance(packs, list) or not packs:
        found.add(f"{path}.nodepacks", "At least one node pack is required.")
        return
    for place, air in enumerate(packs):
        if not isinstance(air, str) or not air.startswith("urn:air:comfy:nodepack:comfyregistry:"):
            found.add(f"{path}.nodepacks[{place}]", "AIR is in an invalid format.")


def class_of(node: Mapping[str, JsonValue]) -> JsonValue:
    """
    Give the class of a node; both spellings are taken.
    """
    return node.get("class_type", node.get("classType"))


def prompt_of(graph: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """
    Give a graph as a prompt, with ComfyUI's own names of keys.
    """
    prompt: dict[str, JsonValue] = {}
    for node_id, node in graph.items():
        if not isinstance(node, dict):
            prompt[node_id] = node
            continue
        meta = node.get("_meta", node.get("meta"))
        inputs = node.get("inputs", {})
        if isinstance(inputs, dict):
            inputs = {name: _link(value) for name, value in inputs.items()}
        prompt[node_id] = {"class_type": class_of(node), "inputs": inputs}
        if isinstance(meta, dict):
            prompt[node_id]["_meta"] = meta
    return prompt


def _link(value: JsonValue) -> JsonValue:
    # the schema writes links as two numbers, ComfyUI as a text and a number
    if isinstance(value, list) and len(value) == 2 and type(value[0]) is int:
        return [str(value[0]), value[1]]
    return value


def airs_of(graph: Mapping[str, JsonValue]) -> dict[str, tuple[str, str]]:
    """
    Give the resources that a graph names: AIR → (node id, input).
    """
    found: dict[str, tuple[str, str]] = {}
    for node_id, node in graph.items():
        inputs = node.get("inputs") if isinstance(node, dict) else None
        for name, value in inputs.items() if isinstance(inputs, dict) else ():
            if isinstance(value, str) and value.startswith("urn:air:"):
                found.setdefault(value, (node_id, name))
    return found
