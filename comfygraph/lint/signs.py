"""
Cheap looks at a whole graph that tell which rules can have something to say about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfygraph.lint.context import Constant

SAFE_INTEGER = 2**53 - 1
"""JavaScript's `Number.MAX_SAFE_INTEGER`: past it, the editor's numbers are rounded."""

LONG_TEXT = 10_000
"""Characters from which a text may be a file in disguise."""

SHORT_TOKEN = 20
"""Characters from which a word with a known beginning may be a key."""

LONG_TOKEN = 32
"""Characters from which any word without spaces may be a key."""

KEY_PREFIXES = (
    "sk-", "sk_", "rk_", "hf_", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-",
    "AKIA", "ASIA", "AIza", "xox", "xapp-", "r8_", "comfyui-", "eyJ", "-----BEGIN ", "npm_",
    "pypi-", "Bearer", "rpa_", "tvly-", "gsk_", "xai-",
)  # fmt: skip
"""How keys and tokens of well-known services begin."""

KEYS_IN_TEXT = (
    "sk-", "hf_", "ghp_", "github_pat_", "AKIA", "AIza", "xox", "eyJ", "-----BEGIN ", "Bearer",
)  # fmt: skip
"""Those that are looked for in prose too; the others must be a whole value."""

KEY_NAMES = ("key", "token", "secret", "passw", "credential", "auth", "bearer")
"""Parts of the names of inputs that hold credentials."""


def text_signs(text: str, constants: Sequence[Constant]) -> Iterator[str]:
    """
    Give what the texts of a graph may hold: `url`, `root`, `parent`, `long`,
    `embedding`, `lora-tag`, and kinds of `key`.

    Args:
        text: All texts, each after a line break.
        constants: The same, one by one.
    """
    # A search for one character is twenty times as fast as one for two.
    slash, back = "/" in text, "\\" in text
    if slash and "://" in text:
        yield "url"
    if (slash and ("\n/" in text or "~/" in text or text.count(":/") != text.count("://"))) or (
        back and (":\\" in text or "\n\\\\" in text)
    ):
        yield "root"
    if ".." in text and ("../" in text or "..\\" in text or "\n..\n" in f"{text}\n"):
        yield "parent"
    long = [value for _, _, value, _ in constants if len(value) >= SHORT_TOKEN]
    if len(text) > LONG_TEXT and max(map(len, long), default=0) > LONG_TEXT:
        yield "long"
    if "embedding:" in text:
        yield "embedding"
    if "<lora:" in text:
        yield "lora-tag"
    if any(prefix in text for prefix in KEYS_IN_TEXT):
        yield "key-prefix"
    if any(" " not in value and "." not in value[-12:] for value in long):
        yield "key-word"
    names = "\n".join({constant[1] for constant in constants}).casefold()
    if any(part in names for part in KEY_NAMES):
        yield "key-name"
