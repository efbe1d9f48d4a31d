"""
Numbers as the editor has them: every one is a JavaScript double.

An integer above 2^53 loses its last digits, and 8.0 is written as 8.
"""

from __future__ import annotations

from typing import Any

_EXACT = 2**53
_PLAIN = 1e21
"""From here on JavaScript writes an exponent (ECMA-262, `Number::toString`)."""


def as_double(value: Any) -> Any:
    """
    Give a JSON value as it reads after `JSON.stringify(JSON.parse(...))`.

    Numbers in lists and objects are treated too; everything else is given back as it is.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if -_EXACT <= value <= _EXACT else _number(_to_float(value))
    if kind is float:
        return _number(value)
    if kind is list or kind is dict:
        return _deep(value)
    return value


def number_text(value: Any) -> str:
    """
    Give a JSON scalar as JavaScript's `String()` writes it.
    """
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | float):
        plain = as_double(value)
        if isinstance(plain, float):
            mantissa, _, exponent = repr(plain).partition("e")
            if not exponent:
                return mantissa
            return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"
        return str(plain)
    return str(value)


def _to_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _number(value: float) -> Any:
    if value != value or value in (float("inf"), float("-inf")):
        return None
    if value.is_integer() and abs(value) < _PLAIN:
        return int(value) if abs(value) <= _EXACT else _padded(value)
    return value


def _padded(value: float) -> int:
    """
    Give the shortest digits that read as this double, with zeros after them.
    """
    digits, _, exponent = repr(value).partition("e")
    whole, _, fraction = digits.partition(".")
    zeros = int(exponent or 0) - len(fraction)
    return int(f"{whole}{fraction}" + "0" * zeros) if zeros > 0 else int(value)


def _deep(value: Any) -> Any:
    """
    Treat the numbers in nested lists and objects without recursion.
    """
    box: list[Any] = [value]
    pending: list[Any] = [box]
    while pending:
        holder = pending.pop()
        for key, item in enumerate(holder) if isinstance(holder, list) else [*holder.items()]:
            if isinstance(item, list | dict):
                copy: Any = item.copy()
                pending.append(copy)
            else:
                copy = as_double(item)
            holder[key] = copy
    return box[0]
