"""
The order in which the server goes through sets of names.

`validate_inputs` loops over a Python `set` of input names and `validate_prompt` over one of
output ids. Their order follows from the hashes of the strings, which differ from process to
process unless `PYTHONHASHSEED` is set. The order matters where an exception ends a loop early:
what comes after it is not looked at. We foretell what a server with `PYTHONHASHSEED=0` answers,
so that a prediction is the same on every machine; the order is the only thing that can differ.

Models CPython 3.11 and later: `Python/pyhash.c` (SipHash-1-3) and `Objects/setobject.c`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

_MASK = (1 << 64) - 1
_LINEAR_PROBES = 9
_PERTURB_SHIFT = 5
_MIN_SIZE = 8


@lru_cache(maxsize=4096)
def string_hash(text: str) -> int:
    """
    Give `hash(text)` under `PYTHONHASHSEED=0`, as the unsigned 64 bits that a set uses.
    """
    if not text:
        return 0
    widest = max(map(ord, text))
    codec = "latin-1" if widest < 256 else "utf-16-le" if widest < 65536 else "utf-32-le"
    value = _siphash13(text.encode(codec, "surrogatepass"))
    return value if value != _MASK else _MASK - 1  # -1 means an error, so -2 stands for it


def _siphash13(data: bytes) -> int:
    v0, v1, v2, v3 = (
        0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573,
    )  # fmt: skip
    whole = len(data) - len(data) % 8
    blocks = [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
    blocks.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for block in blocks:
        v0, v1, v2, v3 = _round(v0, v1, v2, v3 ^ block)
        v0 ^= block
    v2 ^= 0xFF
    for _ in range(3):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = (v0 + v1) & _MASK
    v2 = (v2 + v3) & _MASK
    v1 = _rotate(v1, 13) ^ v0
    v3 = _rotate(v3, 16) ^ v2
    v0 = _rotate(v0, 32)
    v2 = (v2 + v1) & _MASK
    v0 = (v0 + v3) & _MASK
    v1 = _rotate(v1, 17) ^ v2
    v3 = _rotate(v3, 21) ^ v0
    return v0, v1, _rotate(v2, 32), v3


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


class _Table:
    """The hash table of a set, as far as it decides the order of iteration."""

    def __init__(self) -> None:
        self.mask = _MIN_SIZE - 1
        self.slots: list[str | None] = [None] * _MIN_SIZE
        self.used = 0

    def members(self) -> list[str]:
        return [key for key in self.slots if key is not None]

    def reserve(self, count: int) -> None:
        if (self.used + count) * 5 >= self.mask * 3:
            self._resize((self.used + count) * 2)

    def merge(self, other: _Table) -> None:
        if not other.used:
            return
        self.reserve(other.used)
        if not self.used and self.mask == other.mask:
            self.slots = list(other.slots)
            self.used = other.used
            return
        for key in other.members():
            self.add(key)

    def add(self, key: str) -> None:
        if self._insert(key):
            self.used += 1
            if self.used * 5 >= self.mask * 3:
                self._resize(self.used * 4 if self.used <= 50_000 else self.used * 2)

    def _insert(self, key: str) -> bool:
        perturb = string_hash(key)
        index = perturb & self.mask
        while True:
            probes = _LINEAR_PROBES if index + _LINEAR_PROBES <= self.mask else 0
            for at in range(index, index + probes + 1):
                if self.slots[at] is None:
                    self.slots[at] = key
                    return True
                if self.slots[at] == key:
                    return False
            perturb >>= _PERTURB_SHIFT
            index = (index * 5 + 1 + perturb) & self.mask

    def _resize(self, least: int) -> None:
        size = _MIN_SIZE
        while size <= least:
            size *= 2
        members = self.members()
        self.mask = size - 1
        self.slots = [None] * size
        for key in members:
            self._insert(key)


def set_order(names: Iterable[str]) -> list[str]:
    """
    Give the order of a set to which the names were added one after the other.
    """
    table = _Table()
    for name in names:
        table.add(name)
    return table.members()


def union_order(required: Iterable[str], optional: Iterable[str]) -> list[str]:
    """
    Give the order of `set(required).union(set(optional))`, both made from dicts.
    """
    first, second = _from_dict(required), _from_dict(optional)
    union = _Table()
    for other in (first, second):
        union.merge(other)
    return union.members()


def _from_dict(names: Iterable[str]) -> _Table:
    keys = list(dict.fromkeys(names))
    table = _Table()
    table.reserve(len(keys))
    for key in keys:
        table.add(key)
    return table
