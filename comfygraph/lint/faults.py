"""
What the server would find wrong with one node: the loop of `validate_inputs`
in ComfyUI's `execution.py`, without its recursion and for every node, reachable or not.

Rules turn faults into findings, and the prediction of the server's answer is made from
the very same faults, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from comfygraph.catalog.specs import InputSpec, NodeDef
from comfygraph.lint.constants import check_files, check_value, convert_constant
from comfygraph.lint.fault import Checked, Fault, crash, execution_fault
from comfygraph.lint.sockets import accepts, type_text
from comfygraph.lint.validators import NO_VALIDATOR, VALIDATORS, Validator

_PLAIN = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
"""The socket types whose constants the server converts, and what to."""

Found = Callable[[str], NodeDef | None]


def check_node(
    node_id: str,
    node: Mapping[str, Any],
    definition: NodeDef,
    prompt: Mapping[str, Any],
    find: Found,
    strict_files: bool,
) -> Checked:
    """
    Check the inputs of one node against its class.

    Args:
        node_id: The node's id.
        node: The raw node; its `class_type` is known to the catalog.
        definition: Its class.
        prompt: The raw prompt, for the other ends of links.
        find: Gives the definition of another class, or `None`.
        strict_files: Whether names of files must be in the catalog's lists.
    """
    inputs = node.get("inputs")
    if not isinstance(inputs, dict):
        return Checked([_no_inputs(node_id, node)], [], 0, {}, {})
    faults: list[Fault] = []
    specs = definition.inputs
    if definition.is_dynamic:
        expansion = definition.expansion(inputs)
        specs = expansion.specs
        faults += [
            execution_fault("unchosen", node_id, spec, inputs.get(spec.name))
            for spec in expansion.unchosen
            if spec.required or spec.name in inputs
        ]
    validator = VALIDATORS.get(definition.class_type, NO_VALIDATOR)
    follows: list[tuple[str, str]] = []
    rewrites: dict[str, Any] = {}
    crashed = False
    for name, spec in specs.items():
        if name not in inputs:
            if spec.required:
                faults.append(_missing(node_id, definition, spec))
            continue
        value = inputs[name]
        if type(value) is list:
            fault = _check_link(node_id, spec, value, prompt, find, validator)
            if fault is None:
                follows.append((name, value[0]))
            else:
                faults.append(fault)
                crashed |= fault.server_error == "crash"
            continue
        wanted = _PLAIN.get(spec.type)
        if type(value) is not wanted and (wanted is not None or type(value) is dict):
            value, fault = convert_constant(node_id, spec, value)
            if value is not inputs[name]:
                rewrites[name] = value
            if fault is not None:
                faults.append(fault)
                continue
        if wanted is None and spec.options is None and spec.is_link_only:
            faults.append(execution_fault("constant-for-link", node_id, spec, value))
        if spec.options is None and (wanted is str or wanted is bool) and not spec.opts:
            continue
        if validator is NO_VALIDATOR or not (validator.takes_all or name in validator.inputs):
            fault = check_value(node_id, spec, value, strict_files)
            if fault is not None:
                faults.append(fault)
                crashed |= fault.server_error == "crash"
    if validator.files:
        faults.extend(check_files(node_id, specs, inputs, validator, strict_files))
    if not crashed:
        return Checked(faults, follows, len(follows), rewrites, specs)
    follows, reached = _until_crash(specs, faults, follows)
    return Checked(faults, follows, reached, rewrites, specs)


def _until_crash(
    specs: Mapping[str, InputSpec], faults: list[Fault], follows: list[tuple[str, str]]
) -> tuple[list[tuple[str, str]], int]:
    """Order the links as the server's loop does, and count those before it ends early."""
    from comfygraph.lint.server_order import union_order

    names = list(specs)
    order = union_order(
        (name for name in names if specs[name].required),
        (name for name in names if not specs[name].required),
    )
    crashes = {fault.input for fault in faults if fault.server_error == "crash"}
    place = {name: index for index, name in enumerate(order)}
    end = min(place[name] for name in crashes if name is not None)
    follows = sorted(follows, key=lambda link: place[link[0]])
    return follows, sum(place[name] < end for name, _ in follows)


def _no_inputs(node_id: str, node: Mapping[str, Any]) -> Fault:
    if "inputs" not in node:
        return Fault("no-inputs", node_id, None, "crash", "", "'inputs'", {}, "KeyError")
    kind = type(node["inputs"]).__name__
    return Fault(
        "no-inputs", node_id, None, "fatal", "", f"`inputs` is {kind}", {}, "AttributeError"
    )


def _missing(node_id: str, definition: NodeDef, spec: InputSpec) -> Fault:
    shown = spec.name.rpartition(".")[2] if definition.is_dynamic else spec.name
    return Fault(
        "missing-input",
        node_id,
        spec.name,
        "required_input_missing",
        "Required input is missing",
        shown,
        {"input_name": spec.name},
        spec=spec,
    )


def _check_link(
    node_id: str,
    spec: InputSpec,
    value: list[Any],
    prompt: Mapping[str, Any],
    find: Found,
    validator: Validator,
) -> Fault | None:
    if len(value) != 2:
        return Fault(
            "bad-link",
            node_id,
            spec.name,
            "bad_linked_input",
            "Bad linked input, must be a length-2 list of [node_id, slot_index]",
            spec.name,
            {"input_name": spec.name, "input_config": spec.config, "received_value": value},
            spec=spec,
        )
    source, slot = value
    if not isinstance(source, str) or source not in prompt:
        if isinstance(source, list | dict):
            text = f"unhashable type: '{type(source).__name__}'"
            return crash("dangling-link", node_id, spec, "TypeError", text)
        return crash("dangling-link", node_id, spec, "KeyError", repr(source))
    target = prompt[source]
    class_type = target.get("class_type") if isinstance(target, dict) else None
    definition = find(class_type) if isinstance(class_type, str) else None
    if definition is None:
        return None  # Its class is unknown: another finding says so, and the server stops there.
    outputs = definition.outputs
    if type(slot) is bool:
        slot = int(slot)
    if type(slot) is not int:
        text = f"tuple indices must be integers or slices, not {type(slot).__name__}"
        return crash("bad-slot", node_id, spec, "TypeError", text)
    if not -len(outputs) <= slot < len(outputs):
        return crash("bad-slot", node_id, spec, "IndexError", "tuple index out of range")
    output = outputs[slot]
    if output.type == spec.type and not (output.listed or spec.listed):
        return None
    if validator.skips_types or accepts(spec, output):
        return None
    wanted, received = type_text(spec), type_text(output)
    return Fault(
        "type-mismatch",
        node_id,
        spec.name,
        "return_type_mismatch",
        "Return type mismatch between linked nodes",
        f"{spec.name}, received_type({received}) mismatch input_type({wanted})",
        {
            "input_name": spec.name,
            "input_config": spec.config,
            "received_type": list(output.options or ()) if output.listed else output.type,
            "linked_node": value,
        },
        spec=spec,
    )
