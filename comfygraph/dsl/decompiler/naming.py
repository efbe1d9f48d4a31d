"""
Names for variables: what a node's title says, what it gives, what it is used for.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable, Sequence

from comfygraph.catalog.specs import MATCH_TYPE

LONGEST = 40
LONGEST_TITLE = 28
RESERVED = frozenset({
    *dir(builtins), *keyword.kwlist, *keyword.softkwlist,
    "Output", "annotations", "build", "group", "json", "named", "prompt", "raw_node",
})  # fmt: skip
"""Names that a script needs for something else."""

ROLES = ("positive", "negative")
_PLAIN = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "*", MATCH_TYPE})
"""Types that say little: what the value is used for says more."""
_VAGUE = frozenset({
    "a", "any", "b", "conditioning", "input", "on_false", "on_true", "out", "output", "result",
    "source", "string", "switch", "value", "values", "x", "y",
})  # fmt: skip
_HUMPS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def slug(text: str, longest: int = LONGEST) -> str | None:
    """
    Give words as a variable name of ASCII letters, or `None` if they do not make one.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return name if name and name[0].isalpha() and len(name) <= longest else None


def class_slug(class_type: str) -> str:
    """
    Give a class as a variable name: `CLIPTextEncode` → `clip_text_encode`.
    """
    words = "_".join(_HUMPS.findall(class_type[: 2 * LONGEST]))
    return slug(words) or slug(words[:LONGEST].rpartition("_")[0]) or "node"


def output_slug(kind: str, name: str, class_type: str, uses: Iterable[str]) -> str:
    """
    Give the name of an output.

    Args:
        kind: Its socket type.
        name: What the catalog calls it.
        class_type: The class of its node.
        uses: The inputs that it is linked to.
    """
    words = slug(name)
    if words is not None and words not in _VAGUE and words != slug(kind):
        return words
    if kind in _PLAIN:
        inputs = {use.rpartition(".")[2] for use in uses}
        only = slug(inputs.pop()) if len(inputs) == 1 else None
        return only if only is not None and only not in _VAGUE else class_slug(class_type)
    return slug(kind, 24) or class_slug(class_type)


class Names:
    """
    Hands out names, each once, and none that the script needs for something else.
    """

    def __init__(self) -> None:
        self._taken = set(RESERVED)
        self._counts: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """
        Give this name, or the next free of `image_2`, `image_3`, ...
        """
        name = wanted
        count = self._counts.get(wanted, 1)
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._counts[wanted] = count
        self._taken.add(name)
        return name


def import_order(name: str) -> tuple[int, Sequence[object], str]:
    """
    Sort names of one import as ruff does: constants, classes, others; numbers by value.
    """
    rank = 2
    if len(name) > 1 and name.isupper():
        rank = 0
    elif name[:1].isupper():
        rank = 1
    parts = re.split(r"(\d+)", name.lower())
    natural = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]
    return rank, natural, name
