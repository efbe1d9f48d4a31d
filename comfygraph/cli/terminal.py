"""
What the terminal can show.
"""

from __future__ import annotations

import os
from typing import TextIO


def use_color(wish: str, stream: TextIO) -> bool:
    """
    Decide on colour: the flag, then `NO_COLOR`, then `FORCE_COLOR`, then the terminal.

    Args:
        wish: `always`, `never` or `auto`.
        stream: Where the text goes.
    """
    if wish != "auto":
        return wish == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty()
