"""
AIR: how Civitai names a model, a node pack, a file or an image of its fleet.

    urn:air:{ecosystem}:{type}:{source}:{id}[@{version}][+{suffix}]

`Air.parse` takes the whole form only; `Air.read` takes what Civitai's own servers take too, where
the beginning may be left out (`civitai:4384@128713`). The form of both is that of the regular
expression in the OpenAPI file of Civitai's orchestration, which is lenient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from comfygraph.core.nearest import shorten
from comfygraph.errors import UsageError

MARK = "urn:air:"
FORM = "urn:air:ECOSYSTEM:TYPE:SOURCE:ID@VERSION"
MAX_LENGTH = 2048
"""Characters; the longest real ones, layers of node packs, have about 300."""

_PART = r"[A-Za-z0-9_\-/]+"
_WHOLE = re.compile(
    rf"urn:air:(?P<ecosystem>{_PART}):(?P<type>{_PART}):(?P<source>{_PART}):"
    r"(?P<id>[A-Za-z0-9_\-/.]+)(?:@(?P<version>[A-Za-z0-9_\-/.=,%:]+))?"
    r"(?:\+(?P<suffix>[A-Za-z0-9]+))?",
    re.I,
)
_LOOSE = re.compile(
    rf"(?:urn:)?(?:air:)?(?:(?P<ecosystem>{_PART}):)?(?:(?P<type>{_PART}):)?(?P<source>{_PART}):"
    r"(?P<id>[A-Za-z0-9_\-/.]+)(?:@(?P<version>[A-Za-z0-9_\-/.=,%+:]+))?",
    re.I,
)
_IN_TEXT = re.compile(
    # A model of Civitai ends with its numbers: what follows may be a weight, as in `(… :1.2)`.
    rf"urn:air:{_PART}:{_PART}:civitai:\d+@\d+(?:\+\d+)?(?![\w/-])|urn:air:[^\s\"'<>()\[\]{{}},;]+",
    re.I,
)
_SUFFIX = re.compile(r"(?s)(.+)\+([A-Za-z0-9]+)")
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Air:
    """
    One AIR. `str()` gives it in canonical form.

    Args:
        ecosystem: Lower-case key of the family of base models, such as `sdxl`; `""` where a
            loose form leaves it out.
        type: Lower-case kind, such as `checkpoint` or `lora`; `""` where it is left out.
        source: Who keeps it, lower case: `civitai`, `huggingface`, `orchestrator`, ...
        id: The model: a number on Civitai, `owner/repo` on Hugging Face, `publisher/pack`.
        version: The version: a number on Civitai, `revision/path` on Hugging Face, or `None`.
        suffix: What stands after `+`: the number of a file on Civitai, the hexadecimal name of
            an image for a layer of a node pack, or `None`.
    """

    ecosystem: str
    type: str
    source: str
    id: str
    version: str | None = None
    suffix: str | None = None

    @classmethod
    def parse(cls, text: str) -> Air:
        """
        Read an AIR in its whole form and normalise it: space around it goes, and ecosystem, type
        and source become lower case; id and version keep their letters.

        A model of Civitai must have the numbers of model and version, and a file is a number.

        Raises:
            UsageError: It is none.
        """
        found = _WHOLE.fullmatch(text.strip()) if len(text) <= MAX_LENGTH else None
        if found is None:
            raise UsageError(f"`{shorten(text)}` is no AIR", hint=f"an AIR is {FORM}")
        air = _made(found)
        problem = air._problem()
        if problem is not None:
            raise UsageError(f"`{shorten(text)}` {problem}", hint=f"an AIR is {FORM}")
        return air

    @classmethod
    def read(cls, text: str) -> Air | None:
        """
        Read an AIR as Civitai's servers do, or give `None`.

        `urn:air:`, the ecosystem and the type may be missing and the version too, so this takes
        nearly every text with a colon in it: use it where an AIR is expected, not to find one.
        """
        found = _LOOSE.fullmatch(text.strip()) if len(text) <= MAX_LENGTH else None
        if found is None:
            return None
        air = _made(found)
        parts = _SUFFIX.fullmatch(air.version or "") if air.suffix is None else None
        return replace(air, version=parts[1], suffix=parts[2]) if parts else air

    @classmethod
    def civitai(
        cls, ecosystem: str, type: str, model: int, version: int, file: int | None = None
    ) -> Air:
        """
        Make the AIR of a model on Civitai.
        """
        suffix = None if file is None else str(file)
        return cls(ecosystem.lower(), type.lower(), "civitai", str(model), str(version), suffix)

    def __str__(self) -> str:
        head = ":".join(part for part in (self.ecosystem, self.type, self.source) if part)
        version = f"@{self.version}" if self.version is not None else ""
        suffix = f"+{self.suffix}" if self.suffix is not None else ""
        return f"{MARK}{head}:{self.id}{version}{suffix}"

    @property
    def key(self) -> str:
        """What two AIRs share that Civitai takes for the same: it compares without case."""
        return str(self).casefold()

    @property
    def model_id(self) -> int | None:
        """The number of the model on Civitai, or `None`."""
        return self._number(self.id)

    @property
    def version_id(self) -> int | None:
        """The number of the version on Civitai, or `None`."""
        return self._number(self.version)

    @property
    def file_id(self) -> int | None:
        """The number of the file on Civitai, or `None`."""
        return self._number(self.suffix)

    @property
    def file_name(self) -> str | None:
        """The name of the file where the AIR tells it (Hugging Face, Civitai's own store)."""
        if self.source not in ("huggingface", "civitai-r2", "orchestrator") or not self.version:
            return None
        name = self.version.rpartition("/")[2]
        return name if "." in name else None

    def _number(self, text: str | None) -> int | None:
        is_number = self.source == "civitai" and text is not None and _NUMBER.fullmatch(text)
        return int(text) if is_number and text is not None else None

    def _problem(self) -> str | None:
        if self.source != "civitai":
            return None
        if self.model_id is None:
            return "names its model by no number"
        if self.version is None:
            return "lacks the version of the model: `@` and a number"
        if self.version_id is None:
            return "has a version that is no number"
        if self.suffix is not None and self.file_id is None:
            return "has a file that is no number"
        return None


def _made(found: re.Match[str]) -> Air:
    parts = found.groupdict()
    ecosystem, kind, source = (
        (parts[name] or "").lower() for name in ("ecosystem", "type", "source")
    )
    return Air(ecosystem, kind, source, parts["id"], parts["version"], parts.get("suffix"))


def is_air(text: str) -> bool:
    """
    Tell whether a text means to be an AIR, well formed or not: it begins with `urn:air:`.
    """
    return text.lstrip()[: len(MARK)].casefold() == MARK


def airs_in(text: str) -> Iterator[tuple[int, int, str]]:
    """
    Yield what means to be an AIR in a longer text, such as the embeddings of a prompt.

    Yields:
        Start, end (exclusive) and the AIR as it stands there, well formed or not.
    """
    for found in _IN_TEXT.finditer(text):
        word = found[0].rstrip(".:")
        yield found.start(), found.start() + len(word), word
