"""
Names of result files from a template: `{batch}/{index:05}_{seed}_{node}.{ext}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.values import JsonValue
from comfygraph.errors import UsageError
from comfygraph.jobs.names import safe_name, split_ending

DEFAULT_TEMPLATE = "{name}_{index:05}_{number}.{ext}"

OWN_FIELDS: Mapping[str, str] = {
    "batch": "the id of the batch",
    "index": "the number of the variant, from 1",
    "label": "the graph that the variant was made of",
    "node": "the id of the node that made the file",
    "title": "the title of that node",
    "name": "the service's name of the file, without its counter and ending",
    "ext": "the ending of the service's name",
    "number": "the number of the file within its job, from 1",
    "job": "the service's id of the job",
}
"""The fields that every template has; the names of parameters come on top."""

_FIELD = re.compile(r"\{\{|\}\}|\{([^{}:]+)(?::(0?\d{0,2}))?\}|[{}]")
_COUNTER = re.compile(r"_[0-9]{5,12}_$")
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    width: str


class FileNames:
    """
    Makes the names of files.

    Args:
        template: The template; `/` parts folders, `{field:05}` fills a number with zeros, `{{` is
            a brace.
        parameters: The names of the batch's parameters, usable as fields; of `3.seed` also `seed`
            alone, where no other ends so.

    Raises:
        UsageError: The template is malformed or names an unknown field; the hint names the known.
    """

    def __init__(self, template: str, parameters: Iterable[str] = ()) -> None:
        self._aliases = _aliases(parameters)
        self._parts = [self._read(part, template) for part in template.split("/")]
        if not all(self._parts):
            raise UsageError(
                f"the template `{shorten(template)}` has a folder or a file without a name",
                hint=f"write it like {DEFAULT_TEMPLATE}",
            )

    def _read(self, part: str, template: str) -> list[str | _Field]:
        out: list[str | _Field] = []
        at = 0
        for found in _FIELD.finditer(part):
            if found.start() > at:
                out.append(part[at : found.start()])
            at = found.end()
            if found[0] in ("{{", "}}"):
                out.append(found[0][0])
            elif found[1] is None:
                raise UsageError(
                    f"the template `{shorten(template)}` has a brace that does not fit",
                    hint="fields stand in braces: {index:05}; {{ is a brace",
                )
            else:
                out.append(_Field(self._known(found[1].strip(), template), found[2] or ""))
        if at < len(part):
            out.append(part[at:])
        return out

    def _known(self, name: str, template: str) -> str:
        if name in OWN_FIELDS or name in self._aliases:
            return name
        known = [*OWN_FIELDS, *self._aliases]
        raise UsageError(
            f"the template `{shorten(template)}` has an unknown field `{shorten(name)}`",
            hint=did_you_mean(name, known) or f"it may have {', '.join(known)}",
        )

    def uses(self, name: str) -> bool:
        """
        Whether the template has this field.
        """
        return any(
            isinstance(item, _Field) and item.name == name for part in self._parts for item in part
        )

    def path(
        self,
        fields: Mapping[str, JsonValue],
        parameters: Mapping[str, JsonValue],
        *,
        media_type: str = "",
    ) -> PurePosixPath:
        """
        Make the path of a file, relative to the folder of the batch.

        Each part is a safe name: whatever a field holds, the path cannot leave the folder.

        Args:
            fields: The values of `OWN_FIELDS`.
            parameters: The values of the variant's parameters.
            media_type: The media type of the file, for an ending where its name has none.
        """
        values = {**fields}
        for alias, name in self._aliases.items():
            values.setdefault(alias, parameters.get(name, ""))
        parts = [
            "".join(item if isinstance(item, str) else _text(values, item) for item in part)
            for part in self._parts
        ]
        *folders, last = parts
        safe = [safe_name(folder, fallback="_") for folder in folders]
        return PurePosixPath(*safe, safe_name(last.rstrip("."), media_type=media_type))


def service_name(name: str) -> tuple[str, str]:
    """
    Part the service's name of a file into the fields `name` and `ext`: `cat_00001_.png` into `cat`
    and `png`. ComfyUI's counter counts the files of a server, not those of a batch.
    """
    stem, ending = split_ending(safe_name(name))
    return _COUNTER.sub("", stem) or stem, ending[1:]


def _aliases(parameters: Iterable[str]) -> dict[str, str]:
    """
    Give the fields that stand for parameters: the whole name, and the input alone where that is
    clear.
    """
    names = list(dict.fromkeys(parameters))
    out = {name: name for name in names}
    short = [name.rpartition(".")[2] for name in names]
    for name, tail in zip(names, short, strict=True):
        if tail and short.count(tail) == 1 and tail not in out:
            out[tail] = name
    return {alias: name for alias, name in out.items() if alias not in OWN_FIELDS}


def _text(values: Mapping[str, JsonValue], field: _Field) -> str:
    value = values.get(field.name)
    if value is None:
        return ""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, int) and field.width:
        text = format(value, f"{field.width}d")
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = str(value)
    return text.replace("/", "_").replace("\\", "_")[:_LONGEST_VALUE]
