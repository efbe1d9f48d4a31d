"""
Reading the shapes that `/object_info` gives: input specs and output slots.

Tolerant of what newer servers add: an input of an unknown kind is a socket of that type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygraph.catalog.specs import InputSpec, OutputSpec

_UPLOAD_FOLDERS = {
    "image_upload": "input:image",
    "video_upload": "input:video",
    "audio_upload": "input:audio",
    "file_upload": "input:file",
}


def read_inputs(entry: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, InputSpec]:
    """
    Read the sections `required` and `optional` of one entry.

    Args:
        entry: One entry of `/object_info`.
        files: Input name → folder, for inputs known to list files.
    """
    out: dict[str, InputSpec] = {}
    sections = entry.get("input")
    order = entry.get("input_order")
    if not isinstance(sections, Mapping):
        return out
    for section in ("required", "optional"):
        specs = sections.get(section)
        if not isinstance(specs, Mapping):
            continue
        names = order.get(section) if isinstance(order, Mapping) else None
        for name in _in_order(specs, names):
            out[name] = read_input(
                name, specs[name], required=section == "required", files=files.get(name)
            )
    return out


def _in_order(specs: Mapping[str, Any], names: object) -> list[str]:
    if not isinstance(names, list):
        return list(specs)
    known = [name for name in names if isinstance(name, str) and name in specs]
    seen = set(known)
    return known + [name for name in specs if name not in seen]


def read_input(
    name: str,
    spec: Any,
    *,
    required: bool,
    files: str | None = None,
    group: str | None = None,
) -> InputSpec:
    """
    Read one spec: `[type]`, `[type, options]`, `[[values], options]` or a bare type.

    Args:
        name: The input's full name.
        spec: The JSON value of the spec.
        required: Whether it stands in the section `required`.
        files: The folder that the values are files of, where it is known.
        group: The dynamic input that it is a member of.
    """
    kind: Any = spec
    opts: Mapping[str, Any] = {}
    if isinstance(spec, list | tuple):
        kind = spec[0] if spec else "*"
        if len(spec) > 1 and isinstance(spec[1], Mapping):
            opts = spec[1]
    if isinstance(kind, list | tuple):
        return InputSpec(
            name, "COMBO", required, opts, tuple(kind), files or _upload(opts), True, group
        )
    socket = kind if isinstance(kind, str) and kind else "*"
    options: tuple[Any, ...] | None = None
    if socket == "COMBO":
        values = opts.get("options")
        options = tuple(values) if isinstance(values, list | tuple) else ()
    return InputSpec(name, socket, required, opts, options, files or _upload(opts), False, group)


def _upload(opts: Mapping[str, Any]) -> str | None:
    for flag, folder in _UPLOAD_FOLDERS.items():
        if opts.get(flag):
            return folder
    return None


def read_outputs(entry: Mapping[str, Any]) -> tuple[OutputSpec, ...]:
    """
    Read the output slots of one entry; names and list flags may be short or missing.
    """
    types = entry.get("output")
    if not isinstance(types, list | tuple):
        return ()
    names = entry.get("output_name")
    lists = entry.get("output_is_list")
    out = []
    for slot, kind in enumerate(types):
        listed = isinstance(kind, list | tuple)
        socket = "COMBO" if listed else kind if isinstance(kind, str) else "*"
        name = _at(names, slot)
        out.append(
            OutputSpec(
                slot,
                name if isinstance(name, str) and name else socket,
                socket,
                _at(lists, slot) is True,
                listed,
                tuple(kind) if isinstance(kind, list | tuple) else None,
            )
        )
    return tuple(out)


def _at(values: object, index: int) -> Any:
    return values[index] if isinstance(values, list | tuple) and index < len(values) else None
