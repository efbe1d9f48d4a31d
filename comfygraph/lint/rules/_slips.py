"""
Values that are in a closed list but for their spelling: case, separators, sub-folders.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from comfygraph.catalog import InputSpec


class Slip(NamedTuple):
    """A value of the list that the given one stands for, and what is off."""

    value: str
    kind: Literal["case", "separator", "folder"]


def slip_of(value: Any, spec: InputSpec) -> Slip | None:
    """
    Find the one value of the list that `value` is a slip of; `None` if none or several are.
    """
    options = [option for option in spec.options or () if isinstance(option, str)]
    if not isinstance(value, str) or not value:
        return None
    plain = value.replace("\\", "/")
    same = [option for option in options if option.replace("\\", "/") == plain]
    if len(same) == 1 and same[0] != value:
        return Slip(same[0], "separator")
    folded = plain.casefold()
    same = [option for option in options if option.replace("\\", "/").casefold() == folded]
    if len(same) == 1 and same[0] != value:
        return Slip(same[0], "case")
    if spec.files:
        base = folded.rpartition("/")[2]
        same = [
            option
            for option in options
            if option.replace("\\", "/").casefold().rpartition("/")[2] == base
        ]
        if len(same) == 1 and same[0] != value:
            return Slip(same[0], "folder")
    return None
