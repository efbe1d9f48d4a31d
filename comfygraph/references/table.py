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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.errors import UsageError
from comfygraph.references.air import Air, is_air
from comfygraph.references.forms import (
    CivitaiVersionId,
    FileHash,
    FileName,
    Reference,
    TamsId,
    read_civitai_version,
    read_hash,
    read_reference,
)

MAX_BYTES = 16 << 20
KEYS = ("file", "air", "tams", "civitai", "sha256", "hash")


class Names(NamedTuple):
    """
    What one model is called.

    Args:
        file: Its file in ComfyUI's folders.
        air: Its AIR.
        tams: Its number on TensorArt.
        version: The number of its version on Civitai.
        hash: A hash of its file.
    """

    file: FileName | None = None
    air: Air | None = None
    tams: TamsId | None = None
    version: CivitaiVersionId | None = None
    hash: FileHash | None = None

    def merged(self, other: Names) -> Names:
        """
        Give these names, completed with those of `other`.
        """
        return Names(
            self.file or other.file,
            self.air or other.air,
            self.tams or other.tams,
            self.version or other.version,
            self.hash or other.hash,
        )

    @property
    def version_id(self) -> int | None:
        """The number of the version on Civitai, by itself or in the AIR, or `None`."""
        if self.version is not None:
            return self.version.id
        return self.air.version_id if self.air is not None else None


def names_of(reference: Reference) -> Names:
    """
    Give the one name that a reference is.
    """
    match reference:
        case FileName():
            return Names(file=reference)
        case Air():
            return Names(air=reference)
        case TamsId():
            return Names(tams=reference)
        case FileHash():
            return Names(hash=reference)


class ModelTable:
    """
    Models by any of their names. Where several entries share one, the first that has it holds.

    Args:
        entries: The models, in the order of the file.
        path: How messages call the table.
    """

    def __init__(self, entries: tuple[Names, ...] = (), path: str = "") -> None:
        self.entries = entries
        self.path = path
        self._by_key: dict[tuple[str, str], Names] = {}
        for entry in entries:
            for key in _keys(entry):
                self._by_key.setdefault(key, entry)

    def find(self, reference: Reference) -> Names | None:
        """
        Give all names of a model, or `None` for one that is not in the table.

        Files are found by their path, then without case and with either slash, then by their
        name alone, so that `sdxl\\Detail.safetensors` is found as `detail.safetensors`.
        """
        for key in _keys(names_of(reference)):
            found = self._by_key.get(key)
            if found is not None:
                return found
        return None


def _keys(names: Names) -> Iterator[tuple[str, str]]:
    """What a model is found by, the surest first."""
    if names.file is not None:
        plain = names.file.name.replace("\\", "/")
        yield "file", plain
        yield "folded", plain.casefold()
        yield "base", plain.casefold().rpartition("/")[2]
    if names.air is not None:
        yield "air", names.air.key
        if names.air.file_id is not None:
            yield "version", str(names.air.version_id)
    if names.version_id is not None:
        yield "version", str(names.version_id)
    if names.tams is not None:
        yield "tams", names.tams.id
    if names.hash is not None:
        yield "hash", names.hash.digits
        yield "hash", names.hash.digits[:10]


def read_table(path: str) -> ModelTable:
    """
    Read a table; a name that ends with `.json` is JSON, any other TOML.

    Raises:
        UsageError: It cannot be read, or an entry is wrong; the message names file and entry.
    """
    document = _read_document(path)
    if not isinstance(document, dict):
        raise UsageError(f"{path}: not a table of name = AIR or number")
    entries = [_read_entry(path, key, value) for key, value in document.items()]
    _refuse_contradictions(path, dict(zip(document, entries, strict=True)))
    return ModelTable(tuple(entries), path)


def _read_document(path: str) -> Any:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path}: {getattr(exc, 'strerror', None) or exc}") from exc
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: larger than {MAX_BYTES >> 20} MB, no table of models is")
    as_json = path.casefold().endswith(".json")
    try:
        text = data.decode("utf-8-sig")
        if as_json:
            return json.loads(text, object_pairs_hook=lambda pairs: _unique(path, pairs))
        import tomllib

        return tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # also TOMLDecodeError and UnicodeDecodeError
        raise UsageError(f"{path}: not {'JSON' if as_json else 'TOML'}: {exc}") from exc


def _unique(path: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out:
            raise UsageError(f"{path}: `{shorten(key)}` is there twice")
        out[key] = value
    return out


def _read_entry(path: str, key: str, value: Any) -> Names:
    where = f"{path}: `{shorten(key)}`"
    table = value if isinstance(value, dict) else {_form_of(where, value): value}
    names = Names()
    for name, item in table.items():
        if name not in KEYS:
            hint = did_you_mean(name, KEYS) or f"keys are {', '.join(KEYS)}"
            raise UsageError(f"{where}: unknown key `{shorten(name)}`", hint=hint)
        names = names.merged(_read_name(f"{where}: `{name}`", name, item))
    own = names_of(read_reference(key))
    if is_air(key) and own.air is None:
        _parse_air(where, key)
    if names.file is None or own.file is None:
        names = own.merged(names)
    if sum(part is not None for part in names) < 2:
        raise UsageError(
            f"{where} has one name only", hint=f"give it another: {', '.join(KEYS[1:])}"
        )
    return names


def _form_of(where: str, value: Any) -> str:
    """Tell which key a value without one is for."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "tams" if len(str(value)) >= 15 else "civitai"
    if not isinstance(value, str):
        raise UsageError(
            f"{where} is neither a text nor a table",
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


def _read_name(where: str, name: str, value: Any) -> Names:
    if isinstance(value, int) and not isinstance(value, bool) and name in ("tams", "civitai"):
        value = str(value)
    if not isinstance(value, str):
        raise UsageError(f"{where} is no text")
    text = value.strip()
    try:
        match name:
            case "file":
                return Names(file=_read_file(where, text))
            case "air":
                return Names(air=Air.parse(text))
            case "tams":
                reference = read_reference(text)
                if not isinstance(reference, TamsId):
                    raise UsageError(
                        f"`{shorten(text)}` is no number of a model",
                        hint="TensorArt's have 15 to 20 digits",
                    )
                return Names(tams=reference)
            case "civitai":
                version = read_civitai_version(text)
                if version is None:
                    raise UsageError(
                        f"`{shorten(text)}` names no version on Civitai",
                        hint="give its number, or an address with modelVersionId=",
                    )
                return Names(version=version)
            case _:
                return Names(hash=read_hash(text))
    except UsageError as exc:
        message = exc.message if exc.message.startswith(where) else f"{where}: {exc.message}"
        raise UsageError(message, hint=exc.hint) from exc


def _read_file(where: str, text: str) -> FileName:
    if not text or is_air(text):
        raise UsageError(f"{where}: `{shorten(text)}` is no name of a file")
    return FileName(text)


def _parse_air(where: str, text: str) -> Air:
    try:
        return Air.parse(text)
    except UsageError as exc:
        raise UsageError(f"{where}: {exc.message}", hint=exc.hint) from exc


def _refuse_contradictions(path: str, entries: Mapping[str, Names]) -> None:
    """One file cannot be two models; two files may well be one."""
    seen: dict[str, tuple[str, Names]] = {}
    for key, names in entries.items():
        if names.file is None:
            continue
        label, other = seen.setdefault(names.file.name, (key, names))
        if other.merged(names) != names.merged(other):
            raise UsageError(
                f"{path}: `{shorten(key)}` and `{shorten(label)}` give the file "
                f"`{shorten(names.file.name)}` different names"
            )
