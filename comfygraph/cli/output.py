"""
What a command made, to a file or to the standard output.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from comfygraph.errors import UsageError


def write_text(text: str, output: str | None) -> None:
    """
    Write a text as UTF-8; half characters, which UTF-8 cannot hold, become question marks.

    Args:
        text: The text.
        output: The file, or `None` for the standard output.

    Raises:
        UsageError: The file cannot be written.
    """
    data = text.encode("utf-8", "replace")
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(output).write_bytes(data)
    except (OSError, ValueError) as exc:  # ValueError: a zero in the path
        raise UsageError(f"{output}: {getattr(exc, 'strerror', None) or exc}") from exc


def print_json(value: Any) -> None:
    """
    Print a value as JSON, for people and for programs.
    """
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
