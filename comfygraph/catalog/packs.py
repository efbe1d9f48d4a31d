"""
Which node pack has a class: 39,000 classes of 5,600 public packs.

The table is one pack a line: its repository, then its classes, separated by tabs and packed with
gzip. It is opened only for a class that no catalog has, and searched as text: it is never parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_GITHUB = "https://github.com/"

_TINY = 5
"""Packs of fewer classes are more often copies than origins."""


@dataclass(frozen=True, slots=True)
class NodePack:
    """
    A node pack.

    Args:
        url: Its repository, or the address of its only file.
        classes: How many classes it has.
    """

    url: str
    classes: int

    @property
    def name(self) -> str:
        """The name that ComfyUI-Manager lists it under, most of the time: its repository's."""
        return self.url.rstrip("/").rpartition("/")[2]

    @property
    def install(self) -> str:
        """The command that installs it, to be run in ComfyUI's folder `custom_nodes`."""
        if self.url.endswith(".py"):
            return f"curl -LO {self.url}"
        return f"git clone {self.url}"


@cache
def _table() -> str:
    import gzip

    path = Path(__file__).parent / "data" / "packs.txt.gz"
    return gzip.decompress(path.read_bytes()).decode("utf-8")


def packs_with(class_type: str, most: int = 3) -> list[NodePack]:
    """
    Give the packs that have a class, the likeliest origin first.

    Some packs bundle others whole and are larger than these; some have copied a class or two and
    are tiny. So the smallest that is not tiny comes first.

    Args:
        class_type: The class.
        most: How many packs to give at the most.
    """
    if not class_type or len(class_type) > 200 or "\t" in class_type or "\n" in class_type:
        return []
    table = _table()
    found: list[NodePack] = []
    for end in ("\t", "\n"):
        needle = f"\t{class_type}{end}"
        at = table.find(needle)
        while at >= 0:
            start = table.rfind("\n", 0, at) + 1
            line = table[start : table.index("\n", at + 1)]
            place, *classes = line.split("\t")
            url = place if "://" in place else _GITHUB + place
            found.append(NodePack(url, len(classes)))
            at = table.find(needle, at + 1)
    return sorted(found, key=lambda pack: (pack.classes < _TINY, pack.classes, pack.url))[:most]
