"""
Embeddings and other marks in the texts of prompts.
"""

from __future__ import annotations

import re

MOST = 50
_EMBEDDING = re.compile(r"(?:^|(?<=[\s(),]))embedding:\s*([^\s,()\[\]{}]*)")
_WEIGHT = re.compile(r":[0-9.]+$")


def embeddings_in(text: str) -> list[str]:
    """
    Give the names behind `embedding:` in a prompt, empty where there is none, at most `MOST`.

    `SDTokenizer` of ComfyUI looks for the word behind spaces and brackets, and takes what comes
    next for the name, over spaces as well; a weight belongs to the brackets around it.
    """
    if "embedding:" not in text:
        return []
    found = [match[1].rstrip(".;") for match in _EMBEDDING.finditer(text[:200_000])]
    return [name if "urn:air:" in name else _WEIGHT.sub("", name) for name in found[:MOST]]
