"""
Sizes of files, as people write and read them.
"""

from __future__ import annotations

import re

import click

_UNITS = "BKMGT"
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([BKMGT]?)(?:I?B)?", re.IGNORECASE)


def byte_size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """
    Read a size such as `800K`, `1.5G` or a number of bytes, at least 1; units are powers of 1024.
    """
    if value is None:
        return None
    found = _SIZE.fullmatch(value.strip())
    size = 0
    if found is not None:
        size = int(float(found[1]) * 1024 ** _UNITS.index(found[2].upper() or "B"))
    if size < 1:
        raise click.BadParameter(f"{value!r} is no size; write it like 500M", ctx, param)
    return size


def size_text(size: int) -> str:
    """
    Give a size in three digits or so: `3.8 KB`, `12 MB`.
    """
    amount, unit = float(size), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:
        amount /= 1024
        unit += 1
    if unit == 0:
        return f"{size} B"
    return f"{amount:.1f} {_UNITS[unit]}B" if amount < 10 else f"{amount:.0f} {_UNITS[unit]}B"
