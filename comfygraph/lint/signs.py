"""
Cheap looks at a whole graph that tell which rules can have something to say about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfygraph.catalog import NodeDef
    from comfygraph.lint.context import Constant

SAFE_INTEGER = 2**53 - 1
"""JavaScript's `Number.MAX_SAFE_INTEGER`: past it, the editor's numbers are rounded."""

LONG_TEXT = 10_000
"""Characters from which a text may be a file in disguise."""

LONG_TOKEN = 32
"""Characters from which a word without spaces may be a key."""

KEY_PREFIXES = (
    "sk-", "sk_", "rk_", "hf_", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-",
    "AKIA", "ASIA", "AIza", "xox", "xapp-", "r8_", "comfyui-", "eyJ", "-----BEGIN ", "npm_",
    "pypi-", "Bearer", "rpa_", "tvly-", "gsk_", "xai-",
)  # fmt: skip
"""How keys and tokens of well-known services begin."""

KEY_NAMES = ("key", "token", "secret", "passw", "credential", "auth", "bearer")
"""Parts of the names of inputs that hold credentials."""


def class_signs(definition: NodeDef) -> Iterator[str]:
    """
    Give what is special about a class: `deprecated`, `experimental`, `paid`, `dynamic`, `loader`.
    """
    if definition.deprecated:
        yield "deprecated"
    if definition.experimental:
        yield "experimental"
    if definition.api_node:
        yield "paid"
    if definition.is_dynamic:
        yield "dynamic"
    if definition.raw.get("output_matchtypes"):
        yield "match-type"
    if definition.files and len(definition.outputs) > 1:
        yield "loader"


def text_signs(constants: Iterable[Constant]) -> Iterator[str]:
    """
    Give what the texts of a graph may hold: `url`, `key`, `root`, `parent`, `long`, `air`.
    """
    texts = [constant[2] for constant in constants]
    text = "\n" + "\n".join(texts)
    if "://" in text:
        yield "url"
    if ":\\" in text or ":/" in text or "\n/" in text or "~/" in text or "\n\\\\" in text:
        yield "root"
    if "../" in text or "..\\" in text or "\n..\n" in f"{text}\n":
        yield "parent"
    if len(text) > LONG_TEXT and max(map(len, texts)) > LONG_TEXT:
        yield "long"
    if (
        any(prefix in text for prefix in KEY_PREFIXES)
        or any(len(value) > LONG_TOKEN and " " not in value for value in texts)
        or _names_a_key({constant[1] for constant in constants})
    ):
        yield "key"


def _names_a_key(names: set[str]) -> bool:
    folded = "\n".join(names).casefold()
    return any(part in folded for part in KEY_NAMES)
