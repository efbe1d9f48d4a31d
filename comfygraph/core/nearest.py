"""
The names that somebody may have meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 100
"""Longer names are neither compared nor quoted: comparing is quadratic in their length."""


_ENDING = re.compile(r"\.(?:safetensors|ckpt|pth?|bin|gguf|sft|onnx)$")
"""Nearly all files of models end alike, which makes their names no more alike."""


def nearest(name: str, known: Iterable[str], count: int = 1) -> list[str]:
    """
    Give the known names most like `name`, best first; none when nothing is like it.

    Letter case, spaces, underscores and the endings of model files do not make names differ.
    """
    from difflib import get_close_matches

    if len(name) > _LONGEST:
        return []
    folded: dict[str, str] = {}
    for candidate in known:
        if len(candidate) <= _LONGEST:
            folded.setdefault(_fold(candidate), candidate)
    return [folded[key] for key in get_close_matches(_fold(name), folded, n=count, cutoff=0.6)]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """
    Give a hint that names the nearest of the known names, or `None`.
    """
    found = nearest(name, known)
    return f"did you mean `{found[0]}`?" if found else None


def shorten(name: str) -> str:
    """
    Give a name for a message: hostile documents have names of megabytes.
    """
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _fold(name: str) -> str:
    return _ENDING.sub("", name.casefold().replace("_", "").replace(" ", ""))
