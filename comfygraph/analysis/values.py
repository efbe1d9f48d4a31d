"""
Constants that come over links: numbers, texts, truth values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comfygraph.analysis.sizes import Maker, Transfer
from comfygraph.analysis.view import View

_LONGEST = 5_000
"""Characters of a joined text: thousands of nodes may each make a longer one of the last."""


def constant(args: Sequence[str]) -> Transfer:
    """`constant value`: what that input holds."""
    return lambda view: view.value(args[0])


def size(args: Sequence[str]) -> Transfer:
    """`size image`: width, height and number of the pictures, one an output slot."""

    def transfer(view: View) -> tuple[Any, ...]:
        found = view.size(*args)
        return (found.width, found.height, found.pictures) if found is not None else ()

    return transfer


def join(args: Sequence[str]) -> Transfer:
    """`StringConcatenate`: two texts with a delimiter between them."""

    def transfer(view: View) -> str | None:
        one, two, between = (view.text(name) for name in ("string_a", "string_b", "delimiter"))
        if one is None or two is None or between is None:
            return None
        if len(one) + len(between) + len(two) > _LONGEST:
            return None
        return f"{one}{between}{two}"

    return transfer


def number(args: Sequence[str]) -> Transfer:
    """`number value`: as a fraction and as a whole number."""

    def transfer(view: View) -> tuple[Any, ...]:
        found = view.number(args[0])
        return (found, int(found)) if found is not None else ()

    return transfer


VERBS: Mapping[str, Maker] = {"constant": constant, "size": size, "join": join, "number": number}
"""What the table and the configuration may say of `value`."""
