"""
Files in the lists of a ComfyUI server: found under the name that the server has for them.
"""

from __future__ import annotations

from typing import NamedTuple

from comfygraph.core.nearest import nearest

MOST_COMPARISONS = 20_000
"""Names that are compared for suggestions, in all: about a second's worth."""


class _Known(NamedTuple):
    """A list that was gone through once."""

    listed: tuple[object, ...]
    exact: frozenset[str]
    folded: dict[str, str]
    bases: dict[str, list[str]]


class FileLists:
    """
    Finds files in lists. Lists may have thousands of names and graphs thousands of loaders, so
    each list is gone through once, and suggestions end after a while.
    """

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._comparisons = MOST_COMPARISONS

    def find(self, name: str, listed: tuple[object, ...]) -> str | None:
        """
        Give the name that a server has for a file: the same, else with other slashes or case,
        else in another folder if only one is called so; `None` where it has none.
        """
        known = self._of(listed)
        if name in known.exact:
            return name
        folded = _fold(name)
        if folded in known.folded:
            return known.folded[folded]
        found = known.bases.get(folded.rpartition("/")[2], [])
        return found[0] if len(found) == 1 else None

    def hint(self, name: str, listed: tuple[object, ...]) -> str | None:
        """
        Give a hint that names the nearest file, or `None`.
        """
        known = self._of(listed)
        self._comparisons -= len(known.exact)
        if self._comparisons < 0:
            return None
        # nearly all names end alike, which makes them no more alike
        stems = {_stem(one): one for one in sorted(known.exact, reverse=True)}
        found = nearest(_stem(name), stems)
        return f"did you mean `{stems[found[0]]}`?" if found else None

    def _of(self, listed: tuple[object, ...]) -> _Known:
        known = self._known.get(id(listed))
        if known is None:
            names = [name for name in listed if isinstance(name, str)]
            folded: dict[str, str] = {}
            bases: dict[str, list[str]] = {}
            for name in names:
                folded.setdefault(_fold(name), name)
                bases.setdefault(_fold(name).rpartition("/")[2], []).append(name)
            # The list is kept too, so that no other one can get its id.
            known = self._known[id(listed)] = _Known(listed, frozenset(names), folded, bases)
        return known


def _stem(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if dot and ending.isalpha() else name


def _fold(name: str) -> str:
    return name.replace("\\", "/").casefold()
