"""
The space of a batch: axes of values, and the ways to walk through them.

The size of a space is known without walking; a point is made when it is asked for.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal, TypeAlias

from comfygraph.core.values import JsonValue
from comfygraph.errors import UsageError
from comfygraph.jobs.batch.values import Values

Point: TypeAlias = tuple[JsonValue, ...]
"""One value for each name of a space."""

_COMBINE = re.compile(r"(cross|zip)|sample:(\d{1,12})(?::(\d{1,18}))?")


@dataclass(frozen=True, slots=True)
class Combine:
    """
    How axes are combined.

    Args:
        kind: `"cross"`, every value with every other; `"zip"`, the first with the first;
            `"sample"`, some points of the cross.
        count: How many points a sample has.
        chance: Where the chance of a sample starts.
    """

    kind: Literal["cross", "zip", "sample"] = "cross"
    count: int = 0
    chance: int = 0


def read_combine(text: str, *, chance: int = 0) -> Combine:
    """
    Read `cross`, `zip`, `sample:N` or `sample:N:SEED`.

    Raises:
        UsageError: It is none of these.
    """
    found = _COMBINE.fullmatch(text.strip())
    if found is None or found[2] == "0":
        raise UsageError(
            f"there is no way `{text[:60]}` to combine sweeps",
            hint="choose cross, zip, sample:N or sample:N:SEED",
        )
    if found[2] is None:
        return Combine("zip" if found[1] == "zip" else "cross")
    return Combine("sample", int(found[2]), int(found[3]) if found[3] else chance)


@dataclass(frozen=True, slots=True)
class Axis:
    """
    Names that get their values together: one of a sweep, or the columns of a parameter file.

    Args:
        names: What gets values.
        rows: The values: one for a single name, else a sequence of one for each.
        source: What messages call it.
    """

    names: tuple[str, ...]
    rows: Values
    source: str = ""

    def at(self, index: int) -> Point:
        """
        Give the values of a row.
        """
        row = self.rows[index]
        return (row,) if len(self.names) == 1 else tuple(row)


class Space:
    """
    All points of a batch.

    Args:
        axes: The axes; the last one changes fastest.
        combine: How they are combined.

    Raises:
        UsageError: Axes that are zipped have different lengths, or a name occurs twice.
    """

    def __init__(self, axes: Sequence[Axis], combine: Combine | None = None) -> None:
        self._axes = tuple(axes)
        self._combine = combine or Combine()
        self.names = tuple(name for axis in self._axes for name in axis.names)
        twice = next((name for name in self.names if self.names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"`{twice}` gets values in more than one way")
        self._picked: Sequence[int] | None = None
        lengths = [len(axis.rows) for axis in self._axes]
        if self._combine.kind == "zip":
            self.size = _zipped(self._axes)
            return
        whole = prod(lengths)
        self.size = whole
        if self._combine.kind == "sample" and self._combine.count < whole:
            self.size = self._combine.count

    def __iter__(self) -> Iterator[Point]:
        if self._combine.kind == "sample":
            self._picked = self._pick()
        for index in range(self.size):
            yield self.at(index)

    def at(self, index: int) -> Point:
        """
        Give a point, from 0.
        """
        if self._combine.kind == "zip":
            parts = [axis.at(index if len(axis.rows) > 1 else 0) for axis in self._axes]
            return tuple(value for part in parts for value in part)
        if self._combine.kind == "sample":
            self._picked = self._picked if self._picked is not None else self._pick()
            index = self._picked[index]
        parts = []
        for axis in reversed(self._axes):
            index, row = divmod(index, len(axis.rows))
            parts.append(axis.at(row))
        return tuple(value for part in reversed(parts) for value in part)

    def _pick(self) -> Sequence[int]:
        """
        Choose the points of a sample, in the order of the cross; each at most once.
        """
        whole = prod(len(axis.rows) for axis in self._axes)
        if self.size >= whole:
            return range(whole)
        chance = random.Random(self._combine.chance)
        if 2 * self.size > whole:
            return sorted(chance.sample(range(whole), self.size))
        picked: set[int] = set()
        while len(picked) < self.size:
            picked.add(chance.randrange(whole))
        return sorted(picked)


def _zipped(axes: Sequence[Axis]) -> int:
    lengths = {axis.source or ", ".join(axis.names): len(axis.rows) for axis in axes}
    several = {length for length in lengths.values() if length > 1}
    if len(several) > 1:
        said = ", ".join(f"`{source}` has {length:,}" for source, length in lengths.items())
        raise UsageError(
            f"sweeps that are zipped need as many values as each other: {said}",
            hint="leave --combine out to have every value with every other",
        )
    return max(several, default=1)
