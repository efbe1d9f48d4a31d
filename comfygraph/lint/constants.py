"""
What the server makes of constants: conversion, ranges, closed lists, names of files.

Models the second half of the loop of `validate_inputs` in ComfyUI's `execution.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygraph.catalog.specs import InputSpec
from comfygraph.lint.fault import Fault, crash
from comfygraph.lint.validators import Validator, file_check_crash, plain_file_name

LIST_SHOWN = 20
"""The server quotes closed lists up to this length."""


def convert_constant(node_id: str, spec: InputSpec, value: Any) -> tuple[Any, Fault | None]:
    """Convert a constant as the server does, by the exact text of the declared type."""
    value = _unwrapped(value)
    try:
        match spec.type:
            case "INT":
                value = int(value) if type(value) is not int else value
            case "FLOAT":
                value = float(value) if type(value) is not float else value
            case "STRING":
                value = str(value) if type(value) is not str else value
            case "BOOLEAN":
                value = bool(value) if type(value) is not bool else value
            case _:
                pass
    except (ValueError, TypeError, OverflowError) as exc:
        return value, Fault(
            "not-convertible",
            node_id,
            spec.name,
            "invalid_input_type",
            f"Failed to convert an input value to a {spec.type} value",
            f"{spec.name}, {_shown(value)}, {exc}",
            {
                "input_name": spec.name,
                "input_config": spec.config,
                "received_value": value,
                "exception_message": str(exc),
            },
            spec=spec,
        )
    return value, None


def check_value(node_id: str, spec: InputSpec, value: Any, strict_files: bool) -> Fault | None:
    opts = spec.opts
    try:
        if "min" in opts and value < opts["min"]:
            return _out_of_range(node_id, spec, value, "smaller", "min")
        if "max" in opts and value > opts["max"]:
            return _out_of_range(node_id, spec, value, "bigger", "max")
    except TypeError as exc:
        return crash("not-comparable", node_id, spec, "TypeError", str(exc))
    options = spec.options
    if options is None:
        return None
    if spec.opts.get("multiselect") and isinstance(value, list):
        bad = [item for item in value if item not in options]
        return _not_in_list(node_id, spec, bad[0]) if bad else None
    if value in options or (spec.files and not strict_files and isinstance(value, str)):
        return None
    return _not_in_list(node_id, spec, value)


def _out_of_range(node_id: str, spec: InputSpec, value: Any, word: str, bound: str) -> Fault:
    return Fault(
        f"{'below' if bound == 'min' else 'above'}-{bound}",
        node_id,
        spec.name,
        f"value_{word}_than_{bound}",
        f"Value {_shown(value)} {word} than {bound} of {spec.opts[bound]}",
        spec.name,
        {"input_name": spec.name, "input_config": spec.config, "received_value": value},
        spec=spec,
    )


def _not_in_list(node_id: str, spec: InputSpec, value: Any) -> Fault:
    options = list(spec.options or ())
    short = len(options) <= LIST_SHOWN
    listed = str(options) if short else f"(list of length {len(options)})"
    return Fault(
        "not-in-list",
        node_id,
        spec.name,
        "value_not_in_list",
        "Value not in list",
        f"{spec.name}: {_shown(value)} not in {listed}",
        {
            "input_name": spec.name,
            "input_config": spec.config if short else None,
            "received_value": value,
        },
        spec=spec,
    )


def check_files(
    node_id: str,
    specs: Mapping[str, InputSpec],
    inputs: Mapping[str, Any],
    validator: Validator,
    strict_files: bool,
) -> list[Fault]:
    faults: list[Fault] = []
    for name in validator.inputs:
        spec = specs.get(name)
        if spec is None:
            continue
        if name not in inputs:
            text = f"validate_inputs() missing 1 required positional argument: '{name}'"
            faults.append(crash("no-file-name", node_id, spec, "TypeError", text))
            continue
        value = inputs[name]
        value = _unwrapped(value)
        if isinstance(value, list):
            value = None  # The check is called with constants only.
        problem = file_check_crash(value)
        if problem is not None:
            # Where files are taken on trust, so is the check that looks for them.
            error = "crash" if strict_files else "execution"
            faults.append(
                Fault(
                    "bad-file-name", node_id, name, error, "", problem, {}, "AttributeError", spec
                )
            )
        elif strict_files and plain_file_name(str(value)) not in (spec.options or ()):
            faults.append(
                Fault(
                    "file-missing",
                    node_id,
                    name,
                    "custom_validation_failed",
                    "Custom validation failed for node",
                    f"{name} - Invalid {name} file: {value}",
                    {"input_name": name, "input_config": spec.config, "received_value": value},
                    spec=spec,
                )
            )
    return faults


def _shown(value: Any) -> str:
    """`str()` of a value; integers too long for Python to print are told by their size."""
    try:
        return str(value)
    except ValueError:
        return f"an integer of {value.bit_length()} bits"


def _unwrapped(value: Any) -> Any:
    """Take a value out of `{"__value__": ...}`, the only way to pass a list."""
    return value["__value__"] if isinstance(value, dict) and "__value__" in value else value
