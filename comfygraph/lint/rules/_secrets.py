"""
How keys, tokens and passwords look.

Only what is surely one is told: a known beginning with the right length behind it, an input that
is named for it, or a word that no language and no file system would make.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from math import log2

from comfygraph.lint.signs import KEY_NAMES, KEY_PREFIXES, LONG_TOKEN

LONGEST = 20_000
"""Texts beyond this are files, not values; looking through them would take too long."""

KNOWN = (
    ("an Anthropic key", "sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{32,}"),
    ("an OpenAI key", "sk-", r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}"),
    ("a Stripe key", "sk_", r"\bsk_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("a Stripe key", "rk_", r"\brk_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("a Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,}"),
    ("a GitHub token", "ghp_", r"\bghp_[A-Za-z0-9]{36,}"),
    ("a GitHub token", "gho_", r"\bgho_[A-Za-z0-9]{36,}"),
    ("a GitHub token", "ghs_", r"\bghs_[A-Za-z0-9]{36,}"),
    ("a GitHub token", "ghu_", r"\bghu_[A-Za-z0-9]{36,}"),
    ("a GitHub token", "ghr_", r"\bghr_[A-Za-z0-9]{36,}"),
    ("a GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{50,}"),
    ("a GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("an AWS key id", "AKIA", r"\bAKIA[A-Z0-9]{16}\b"),
    ("an AWS key id", "ASIA", r"\bASIA[A-Z0-9]{16}\b"),
    ("a Google API key", "AIza", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("a Slack token", "xox", r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    ("a Slack token", "xapp-", r"\bxapp-[A-Za-z0-9-]{20,}"),
    ("a Replicate token", "r8_", r"\br8_[A-Za-z0-9]{30,}"),
    ("a comfy.org key", "comfyui-", r"\bcomfyui-[a-f0-9]{40,}"),
    ("an npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a PyPI token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{50,}"),
    ("a RunPod key", "rpa_", r"\brpa_[A-Z0-9]{30,}"),
    ("a Groq key", "gsk_", r"\bgsk_[A-Za-z0-9]{40,}"),
    ("an xAI key", "xai-", r"\bxai-[A-Za-z0-9]{60,}"),
    ("a Tavily key", "tvly-", r"\btvly-[A-Za-z0-9-]{20,}"),
    ("a JSON web token", "eyJ",
     r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{8,}"),
    ("a private key", "-----BEGIN ", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    ("a bearer token", "Bearer", r"\bBearer\s+[A-Za-z0-9._~+/-]{20,}"),
)  # fmt: skip
"""What it is, how it begins, and how it looks as a whole; `re` keeps the compiled patterns."""

IN_URL = re.compile(
    r"://[^/?#\s:@]+:(?P<password>[^/?#\s@]{3,})@"
    r"|[?&](?:token|api_?key|key|access_token|auth|secret|password|sig|signature)=(?P<value>[^&#\s]{12,})",
    re.I,
)
_NAMED = re.compile(r"(?:api|access|auth|secret|private|hf|civitai|openai)[ _-]?(?:key|token)$|"
                    r"(?:^|[ _.-])(?:password|passwd|passphrase|secret|token|credentials?|bearer)$", re.I)  # fmt: skip
_PLACEHOLDER = re.compile(
    r"^$|^[<{$%\[].*[>}%\])]?$|your|here|example|placeholder|change.?me|xxx|\*\*\*|^(?:none|null|todo|"
    r"optional|default|enter.*|insert.*|paste.*|env:.*|os\.environ.*)$",
    re.I,
)
_WORD = re.compile(r"[A-Za-z0-9_+/=-]{32,200}")
_HEX = re.compile(r"[0-9a-fA-F-]+")
ENTROPY = 4.3
"""Bits a character; English words stay below 4, random base64 of 40 characters is near 4.8."""


def secret_in(name: str, value: str, prefixes: Sequence[str] = KEY_PREFIXES) -> str | None:
    """
    Say what kind of secret a value holds, never the value itself; `None` for no secret.

    Args:
        name: The input's name.
        value: Its text.
        prefixes: The beginnings to look for, where the caller knows which can be there.
    """
    if len(value) > LONGEST:
        return None
    if prefixes and any(prefix in value for prefix in prefixes):
        for kind, start, pattern in KNOWN:
            if start in value and re.search(pattern, value):
                return kind
    url = IN_URL.search(value) if "://" in value else None
    if url is not None and not _PLACEHOLDER.search(url["password"] or url["value"]):
        return "a password or token in a URL"
    if is_key_name(name) and _may_be_key(value):
        return "a credential, going by the input's name"
    if (
        len(value) >= LONG_TOKEN
        and " " not in value
        and _WORD.fullmatch(value)
        and not _HEX.fullmatch(value)
        and _is_random(value)
    ):
        return "what looks like a key: a long word of random letters and digits"
    return None


@lru_cache(maxsize=1024)
def is_key_name(name: str) -> bool:
    """
    Tell whether an input is named for a credential: `api_key`, `password`.
    """
    last = name.rpartition(".")[2]
    return any(part in last.casefold() for part in KEY_NAMES) and bool(_NAMED.search(last))


def _may_be_key(value: str) -> bool:
    text = value.strip()
    if not 6 <= len(text) <= 500 or any(mark in text for mark in " \n\t"):
        return False
    return not _PLACEHOLDER.search(text)


def _is_random(value: str) -> bool:
    digits = sum(letter.isdigit() for letter in value)
    upper = sum(letter.isupper() for letter in value)
    lower = sum(letter.islower() for letter in value)
    if min(digits, upper, lower) < len(value) // 12 or value.count("_") + value.count("-") > 4:
        return False
    counts = [value.count(letter) / len(value) for letter in set(value)]
    return -sum(share * log2(share) for share in counts) >= ENTROPY
