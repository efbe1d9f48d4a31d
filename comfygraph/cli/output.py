"""
What a command made, to a file or to the standard output.
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from comfygraph.errors import InputError, UsageError, clean

_HIDDEN = re.compile(
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def write_text(text: str, output: str | None) -> None:
    """
    Write a text as UTF-8; half characters, which UTF-8 cannot hold, become question marks.

    A terminal gets the text without what would steer it: documents are written by strangers.

    Args:
        text: The text.
        output: The file, or `None` for the standard output.

    Raises:
        UsageError: The file cannot be written.
    """
    if output is None and sys.stdout.isatty():
        text = "\n".join(map(clean, text.split("\n")))
    data = text.encode("utf-8", "replace")
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(output).write_bytes(data)
    except (OSError, ValueError) as exc:  # ValueError: a zero in the path
        raise UsageError(f"{output}: {getattr(exc, 'strerror', None) or exc}") from exc


def json_text(value: Any, most: int | None = None) -> str:
    """
    Give a value as JSON, as the editor exports it; what nobody sees, what turns the direction of
    a text, and half characters, which UTF-8 cannot hold, are escaped.

    Args:
        value: The value.
        most: How many characters it may have.

    Raises:
        InputError: It has more of them.
    """
    # `json.dumps` keeps every bracket and every comma as a text of its own before it joins them.
    joined = io.StringIO()
    length = 0
    for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value):
        length += joined.write(piece)
        if most is not None and length > most:
            raise InputError(
                f"the result would have more than {most >> 20} MB",
                hint="nothing opens such files: leave out long lists, or lay out a part",
            )
    text = joined.getvalue()
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def print_json(value: Any) -> None:
    """
    Print a value as JSON, for people and for programs.
    """
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
