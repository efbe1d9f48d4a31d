"""
Values that hold others: Python has many kinds of them, JSON two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LETTERS = (str, bytes, bytearray, memoryview)
"""Sequences that are meant as a whole."""


def plain(value: Any) -> Any:
    """
    Give sequences and mappings as lists and dicts of our own, at any depth, other values as
    they are.

    A caller may change a list later; the expression may not change with it.
    """
    # Level by level, as nobody promises how deep a value is, or that it does not hold itself.
    root: list[Any] = [value]
    pending: list[Any] = [root]
    known: dict[int, tuple[Any, Any]] = {}
    while pending:
        holder = pending.pop()
        for key in list(holder) if type(holder) is dict else range(len(holder)):
            inner = holder[key]
            if id(inner) not in known:
                opened = _opened(inner)
                if opened is None:
                    continue
                # With the value itself, so that no other gets its id.
                known[id(inner)] = (inner, opened)
                pending.append(opened)
            holder[key] = known[id(inner)][1]
    return root[0]


def _opened(value: Any) -> list[Any] | dict[Any, Any] | None:
    kind = type(value)
    if kind is list or kind is tuple:
        return list(value)
    if kind is dict or isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, _LETTERS):
        return list(value)
    return None
