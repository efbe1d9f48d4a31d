"""
The table that a person writes: what the same model is called here and there.

    # models.toml
    "dreamshaper_8.safetensors" = "urn:air:sd1:checkpoint:civitai:4384@128713"

    ["add_detail.safetensors"]
    air = "urn:air:sd1:lora:civitai:58390@62833"
    tams = "648628718430054626"

    [style]
    file = "styles/ink.safetensors"
    civitai = 62833            # the number of a version on Civitai, or the address of its page
    sha256 = "47AAAA0DCB..."

A key is a name of the model as it may stand in a graph: a file, an AIR or a number of TensorArt.
With `file` in the table below it, the key is a mere label. A single text stands for the one other
name that it has the form of. JSON has the same shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.errors import UsageError
from comfygraph.references.air import Air, is_air
from comfygraph.references.forms import (
    FileHash,
    FileName,
    TamsId,
    read_civitai_version,
    read_hash,
    read_reference,
)
from comfygraph.references.table import ModelTable, Names, names_of

T = TypeVar("T")

MAX_BYTES = 16 << 20
KEYS = ("file", "air", "tams", "civitai", "sha256", "hash")
_MOST_DOTS = 20
_MODEL_FILE = re.compile(r"\.(?:safetensors|ckpt|pth?|bin|gguf|sft|onnx)$", re.I)


def read_table(path: str) -> ModelTable:
    """
    Read a table; a name that ends with `.json` is JSON, any other TOML.

    Raises:
        UsageError: It cannot be read, or an entry is wrong; the message names file, line and
            entry.
    """
    text = _read_text(path)
    try:
        document = _read_json(text) if path.casefold().endswith(".json") else _read_toml(text)
        if not isinstance(document, dict):
            raise _MistakeError("not a table of name = AIR or number")
        entries: dict[str, Names] = {}
        for key, value in document.items():
            entries[key] = _read_entry(key, value)
        _refuse_contradictions(entries)
    except _MistakeError as exc:
        place = exc.place or _line_of(text, exc.key, exc.again)
        raise UsageError(f"{path}{place}: {exc}", hint=exc.hint) from exc
    return ModelTable(tuple(entries.values()), path)


class _MistakeError(Exception):
    """Something wrong in a table, and the key that it is about."""

    def __init__(
        self, message: str, key: str = "", hint: str | None = None, place: str = "",
        again: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.key = key
        self.hint = hint
        self.place = place
        self.again = again


def _line_of(text: str, key: str, again: bool) -> str:
    """
    Give `:` and the line at which a key stands, for the second time if that is the mistake; empty
    where it is not seen, as one that TOML spells in another way.
    """
    if not key:
        return ""
    spelled = "|".join(map(re.escape, {key, json.dumps(key)[1:-1]}))
    stands = re.compile(
        rf"(?:^|[\[{{,])[ \t]{{0,99}}\[{{0,2}}[ \t\"']{{0,9}}(?:{spelled})[ \t\"']{{0,9}}[].:=]",
        re.MULTILINE,
    )
    found = [match for _, match in zip(range(2), stands.finditer(text), strict=False)]
    if not found:
        return ""
    start = found[-1 if again else 0].end() - 1
    return f":{text.count(chr(10), 0, start) + 1}"


def _read_text(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path}: {getattr(exc, 'strerror', None) or exc}") from exc
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: larger than {MAX_BYTES >> 20} MB, no table of models is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise UsageError(f"{path}:{line}: not UTF-8") from exc


def _read_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as exc:
        place = f":{exc.lineno}:{exc.colno}"
        raise _MistakeError(f"not JSON: {exc.msg}", place=place) from exc
    except (ValueError, RecursionError) as exc:
        raise _MistakeError(f"not JSON: {exc}") from exc


def _read_toml(text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # also TOMLDecodeError
        said, _, place = str(exc).partition(" (at ")
        numbers = re.findall(r"[0-9]+", place)
        raise _MistakeError(f"not TOML: {said}", place="".join(f":{n}" for n in numbers)) from exc


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise _MistakeError(f"`{shorten(key)}` is there twice", key, again=True)
        out[key] = value
    return out


def _read_entry(key: str, value: Any) -> Names:
    try:
        return _names_of_entry(key, value)
    except UsageError as exc:
        raise _MistakeError(f"`{shorten(key)}`{exc.message}", key, exc.hint) from exc


def _names_of_entry(key: str, value: Any) -> Names:
    """The messages of its errors go on behind the key."""
    table = value if isinstance(value, dict) else {_form_of(value): value}
    names = Names()
    for name, item in table.items():
        if name not in KEYS:
            hint = _lacks_quotes(f"{key}.{name}", item) or did_you_mean(name, KEYS)
            hint = hint or f"keys are {', '.join(KEYS)}"
            raise UsageError(f": unknown key `{shorten(name)}`", hint=hint)
        try:
            names = names.merged(_read_name(name, item))
        except UsageError as exc:
            raise UsageError(f": `{name}`{exc.message}", hint=exc.hint) from exc
    own = names_of(read_reference(key))
    if is_air(key) and own.air is None:
        _told(Air.parse, key)
    if names.file is None or own.file is None:
        names = own.merged(names)
    if sum(part is not None for part in names) < 2:
        raise UsageError(" has one name only", hint=f"give it another: {', '.join(KEYS[1:])}")
    return names


def _lacks_quotes(name: str, value: Any) -> str | None:
    """In TOML, a name of a file that lacks its quotes is a table within a table for each dot."""
    for _ in range(_MOST_DOTS):
        if _MODEL_FILE.search(name):
            return f'a name with a dot stands in quotes: "{shorten(name)}"'
        if not isinstance(value, dict) or not value:
            return None
        key, value = next(iter(value.items()))
        name += f".{key}"
    return None


def _form_of(value: Any) -> str:
    """Tell which key a value without one is for."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "tams" if len(str(value)) >= 15 else "civitai"
    if not isinstance(value, str):
        raise UsageError(
            " is neither a text nor a table",
            hint='write name = "urn:air:…", or name = { air = "urn:air:…", tams = "…" }',
        )
    plain = value.strip()
    if is_air(plain):
        return "air"
    match read_reference(plain):
        case TamsId():
            return "tams"
        case FileHash():
            return "sha256"
        case _:
            pass
    if plain.isdecimal() or "://" in plain or plain.casefold().startswith("civitai:"):
        return "civitai"
    return "file"


def _read_name(name: str, value: Any) -> Names:
    if isinstance(value, int) and not isinstance(value, bool) and name in ("tams", "civitai"):
        value = str(value)
    if not isinstance(value, str):
        raise UsageError(" is no text")
    text = value.strip()
    match name:
        case "file":
            if not text or is_air(text):
                raise UsageError(f": `{shorten(text)}` is no name of a file")
            return Names(file=FileName(text))
        case "air":
            return Names(air=_told(Air.parse, text))
        case "tams":
            reference = read_reference(text)
            if not isinstance(reference, TamsId):
                raise UsageError(
                    f": `{shorten(text)}` is no number of a model",
                    hint="TensorArt's have 15 to 20 digits",
                )
            return Names(tams=reference)
        case "civitai":
            version = read_civitai_version(text)
            if version is None:
                raise UsageError(
                    f": `{shorten(text)}` names no version on Civitai",
                    hint="give its number, or an address with modelVersionId=",
                )
            return Names(version=version)
        case _:
            return Names(hash=_told(read_hash, text))


def _told(read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except UsageError as exc:
        raise UsageError(f": {exc.message}", hint=exc.hint) from exc


def _refuse_contradictions(entries: Mapping[str, Names]) -> None:
    """One file cannot be two models; two files may well be one."""
    seen: dict[str, tuple[str, Names]] = {}
    for key, names in entries.items():
        if names.file is None:
            continue
        label, other = seen.setdefault(names.file.name, (key, names))
        if other.merged(names) != names.merged(other):
            raise _MistakeError(
                f"`{shorten(key)}` and `{shorten(label)}` give the file "
                f"`{shorten(names.file.name)}` different names",
                key,
            )
