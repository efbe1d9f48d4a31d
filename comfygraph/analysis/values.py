"""
Constants that come over links: numbers, texts, truth values.
"""

from __future__ import annotations

import math
import re
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


def each(args: Sequence[str]) -> Transfer:
    """`each width height`: what these inputs hold, one an output slot."""
    return lambda view: tuple(view.value(name) for name in args)


def expression(args: Sequence[str]) -> Transfer:
    """`ComfyMathExpression`: as a fraction, as a whole number and as a truth value."""

    def transfer(view: View) -> tuple[Any, ...]:
        from comfygraph.analysis.arithmetic import evaluate

        names = {
            name.removeprefix("values."): view.value(name)
            for name in view.inputs
            if name.startswith("values.")
        }
        found = evaluate(view.text("expression") or "", names)
        return (float(found), int(found), bool(found)) if found is not None else ()

    return transfer


def resolution(args: Sequence[str]) -> Transfer:
    """`ResolutionSelector`: width and height of an aspect ratio with so many megapixels."""

    def transfer(view: View) -> tuple[Any, ...]:
        ratio = re.match(r"([1-9][0-9]?):([1-9][0-9]?) ", view.text("aspect_ratio") or "")
        wanted, multiple = view.number("megapixels"), view.integer("multiple")
        if ratio is None or wanted is None or wanted <= 0 or multiple is None or multiple < 1:
            return ()
        wide, high = int(ratio[1]), int(ratio[2])
        scale = math.sqrt(wanted * 1024 * 1024 / (wide * high))
        sides = tuple(round(side * scale / multiple) * multiple for side in (wide, high))
        # Later versions take a `minimum`, below which they do something else.
        least = view.integer("minimum") if "minimum" in view.inputs else 0
        return sides if least is not None and min(sides) >= least else ()

    return transfer


VERBS: Mapping[str, Maker] = {
    "constant": constant, "size": size, "join": join, "number": number, "each": each,
    "expression": expression, "resolution": resolution,
}  # fmt: skip
"""What the table and the configuration may say of `value`."""
