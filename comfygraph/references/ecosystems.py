"""
Ecosystems: the first part of an AIR, which says for what base model a file was made.
"""

from __future__ import annotations

from comfygraph.references._ecosystems import BASE_MODELS

OTHERS = frozenset({"other", "comfy", "oci"})
"""Ecosystems that say nothing of a base model."""

_DOCUMENTED = {"sd15": "sd1", "sd_1_5": "sd1", "sd35m": "sd3_5m"}
"""What documentation calls them, and what works."""


def ecosystem_of(base_model: str) -> str | None:
    """
    Give the ecosystem of a base model as Civitai and TAMS name them (`SD 1.5`, `Pony`), in any
    case, or `None` for one that is not known.
    """
    return _FOLDED.get(_fold(base_model))


def known_ecosystem(key: str) -> str | None:
    """
    Give the key under which Civitai's workers know an ecosystem, `sd1` for `SD15`, or `None`.
    """
    folded = key.casefold()
    folded = _DOCUMENTED.get(folded, folded)
    return folded if folded in _ECOSYSTEMS else None


def _fold(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())


_FOLDED = {_fold(name): key for name, key in BASE_MODELS.items()}
_ECOSYSTEMS = frozenset(BASE_MODELS.values()) | OTHERS
