"""
The values of a sweep: `1..100`, `0.1..0.5..0.1`, `6,7,8`, `"a, b",c`, `random:10`, `@words.txt`.

All are sequences that make a value when it is asked for: a range of a thousand million seeds
takes no more room than one of ten.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from comfygraph.catalog import InputSpec
from comfygraph.core.nearest import shorten
from comfygraph.core.values import JsonValue
from comfygraph.errors import InputError, UsageError

MAX_LIST_BYTES = 64 << 20
"""The largest file of values that is read."""
MAX_SEED = 2**53 - 1
"""The largest random seed: above it, JSON numbers lose digits in browsers."""

_MOST = 10**15
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?:\.\.({_NUMBER}))?")
_RANDOM = re.compile(r"random:(\d{1,12})(?::(\d{1,18}))?")
_FORM = (
    "write 1..100, 1..100..5, 0.1..0.5..0.1, 6,7,8, '\"one, two\",three', random:10 or @file.txt"
)


class Values(Protocol):
    """
    Values in an order, each made when it is asked for; `len` costs nothing.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> JsonValue: ...


@dataclass(frozen=True, slots=True)
class Steps:
    """
    Numbers at equal distances, worked out exactly: `0.1..0.3..0.1` has no 0.30000000000000004.

    Args:
        first: The first number.
        step: The distance.
        count: How many there are.
    """

    first: Decimal
    step: Decimal
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int | float:
        value = self.first + self.step * index
        return int(value) if self._whole else float(value)

    @property
    def _whole(self) -> bool:
        return all(_exponent(number) >= 0 for number in (self.first, self.step))


@dataclass(frozen=True, slots=True)
class Seeds:
    """
    Random seeds, the same each time for the same `start`.

    Args:
        count: How many.
        start: Where chance starts.
        least: The smallest seed.
        most: The largest seed, inclusive.
    """

    count: int
    start: int
    least: int = 0
    most: int = MAX_SEED

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int:
        return random.Random(f"{self.start}/{index}").randint(self.least, self.most)


@dataclass(frozen=True, slots=True)
class Chain:
    """
    Several values after each other.
    """

    parts: tuple[Values, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __getitem__(self, index: int) -> JsonValue:
        for part in self.parts:
            if index < len(part):
                return part[index]
            index -= len(part)
        raise IndexError(index)


def read_values(text: str, spec: InputSpec | None, *, chance: int, folder: Path | None) -> Values:
    """
    Read the right side of a sweep.

    Args:
        text: As the person wrote it.
        spec: What the input wants, or `None` where nobody knows.
        chance: Where random seeds start, unless the text says so (`random:10:7`).
        folder: Where `@file` is looked for; `None` for the current folder.

    Raises:
        UsageError: It cannot be read, or there is no value in it.
        InputError: A file of values cannot be read.
    """
    listed = _json_list(text)
    if listed is not None:
        return _some(listed, text)
    if text.startswith("@"):
        return _some(_lines(text[1:], spec, folder), text)
    parts: list[Values] = []
    run: list[JsonValue] = []
    for item, quoted in _items(text):
        several = None if quoted else _several(item, spec, chance)
        if several is None:
            run.append(item if quoted else read_value(item, spec))
            continue
        if run:
            parts.append(run)
            run = []
        parts.append(several)
    if run or not parts:
        parts.append(run)
    return _some(parts[0] if len(parts) == 1 else Chain(tuple(parts)), text)


def read_value(text: str, spec: InputSpec | None) -> JsonValue:
    """
    Read a value: as JSON where it is JSON, else as text.

    Text stays text where the input wants text (`text=5`) or has it among its options. Spreadsheets
    write `TRUE`, and Python `True`.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        word = text.strip().lower()
        wants_bool = spec is not None and spec.type == "BOOLEAN"
        return word == "true" if wants_bool and word in ("true", "false") else text
    if isinstance(value, str) or spec is None:
        return value
    listed = spec.options is not None and text in spec.options and value not in spec.options
    wants_text = spec.type == "STRING" and not isinstance(value, list)
    return text if listed or wants_text else value


def _several(item: str, spec: InputSpec | None, chance: int) -> Values | None:
    if spec is not None and spec.type == "STRING":
        return None  # a text may say `1..2`
    found = _RANGE.fullmatch(item)
    if found:
        return _range(item, found)
    found = _RANDOM.fullmatch(item)
    if found:
        most = spec.max if spec is not None else None
        most = min(MAX_SEED, most) if isinstance(most, int) and most > 0 else MAX_SEED
        least = spec.min if spec is not None else None
        least = least if isinstance(least, int) and 0 < least <= most else 0
        return Seeds(int(found[1]), int(found[2]) if found[2] else chance, least, most)
    return None


def _range(item: str, found: re.Match[str]) -> Steps:
    first, last = Decimal(found[1]), Decimal(found[2])
    if found[3] is None and not all(_exponent(number) >= 0 for number in (first, last)):
        raise UsageError(
            f"the range `{shorten(item)}` says no step", hint=f"write it like {item}..0.1"
        )
    step = Decimal(found[3]) if found[3] is not None else Decimal(1 if last >= first else -1)
    if step == 0 or ((step > 0) != (last >= first) and last != first):
        raise UsageError(
            f"the range `{shorten(item)}` never gets to its end with steps of {step}",
            hint="the third number is the step from one value to the next",
        )
    try:
        count = int((last - first) // step) + 1
    except ArithmeticError:
        count = _MOST + 1
    if count > _MOST:
        raise UsageError(f"the range `{shorten(item)}` has more than {_MOST:,} values")
    return Steps(first, step, count)


def _exponent(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _items(text: str) -> Iterator[tuple[str, bool]]:
    """
    Take a list apart at its commas; yield each item, and whether it stood in quotes.
    """
    index, size = 0, len(text)
    while True:
        while index < size and text[index] == " ":
            index += 1
        quote = text[index : index + 1]
        if quote and quote in "'\"":
            item, index = _quoted(text, index)
            while index < size and text[index] == " ":
                index += 1
            if index < size and text[index] != ",":
                raise UsageError(
                    f"something follows the quote in `{shorten(text)}`", hint=_FORM
                )  # fmt: skip
            yield item, True
        else:
            end = text.find(",", index)
            end = size if end < 0 else end
            yield text[index:end].strip(), False
            index = end
        if index >= size:
            return
        index += 1


def _quoted(text: str, start: int) -> tuple[str, int]:
    quote = text[start]
    out: list[str] = []
    index = start + 1
    while index < len(text):
        char = text[index]
        if char == "\\" and index + 1 < len(text):
            index += 1
            char = text[index]
        elif char == quote:
            return "".join(out), index + 1
        out.append(char)
        index += 1
    raise UsageError(f"the quote in `{shorten(text)}` is not closed", hint=_FORM)


def _json_list(text: str) -> list[JsonValue] | None:
    if not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def _lines(name: str, spec: InputSpec | None, folder: Path | None) -> list[JsonValue]:
    path = Path(name) if folder is None else folder / name
    return [read_value(line, spec) for line in _split_lines(read_text(path))]


def _split_lines(text: str) -> list[str]:
    # not `splitlines`, which also parts at characters that stand within texts
    return [line for line in (line.rstrip("\r") for line in text.split("\n")) if line.strip()]


def read_text(path: Path) -> str:
    """
    Read a file of values or parameters.

    Raises:
        InputError: It cannot be read, is too large, or is no UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
    except OSError as exc:
        raise InputError(f"cannot read {path}: {exc.strerror or exc}") from exc
    except ValueError as exc:
        raise InputError(f"{str(path)!r} is no path") from exc
    if len(data) > MAX_LIST_BYTES:
        raise InputError(f"{path} has more than {MAX_LIST_BYTES >> 20} MB", hint="take it apart")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text", hint="save it as UTF-8") from None


def _some(values: Values, text: str) -> Values:
    if len(values) == 0:
        raise UsageError(f"there is no value in `{shorten(text)}`", hint=_FORM)
    return values
