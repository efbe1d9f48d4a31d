"""
Values in messages: short, on one line, never a whole prompt text.
"""

from __future__ import annotations

import json
from typing import Any

LONGEST = 60


def shown(value: Any, longest: int = LONGEST) -> str:
    """
    Give a value as JSON in backticks, cut where it is long.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, str):
        text = json.dumps(value[: longest * 2], ensure_ascii=False)
    elif isinstance(value, list | dict) and len(value) > 20:
        return f"a {'list' if isinstance(value, list) else 'mapping'} of {len(value)} members"
    else:
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (RecursionError, ValueError, TypeError):
            return "a value too deep to show"
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return f"`{text}`"


def one_of(values: list[str], most: int = 6) -> str:
    """
    Enumerate names in backticks, the first few of them.
    """
    names = ", ".join(f"`{value}`" for value in values[:most])
    return names + (f" and {len(values) - most} more" if len(values) > most else "")
