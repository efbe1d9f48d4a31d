"""
What stands at an offset of a JSON text: the pointer of the value, and whether its key is meant.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from comfygraph.documents.positions import Span, skip_space


class Cursor(NamedTuple):
    """
    The innermost value around an offset.

    Args:
        path: Keys and indices from the whole document to the value, as texts.
        span: Where the value and its key stand.
        on_key: The offset is in the key, and not in the value.
    """

    path: tuple[str, ...]
    span: Span
    on_key: bool = False


def cursor_at(text: str, offset: int) -> Cursor:
    """
    Find what stands at an offset.

    Values before the offset are skipped by the C scanner of `json`; nothing behind it is read.

    Args:
        text: Valid JSON.
        offset: In characters; on the border of a value or a key belongs to it.
    """
    decode = json.JSONDecoder().raw_decode
    at = skip_space(text, 0)
    path: list[str] = []
    found = Cursor((), Span(at, len(text.rstrip())))
    while text[at : at + 1] in ("{", "["):
        in_list = text[at] == "["
        at, index = at + 1, 0
        while True:
            at = skip_space(text, at)
            if text[at : at + 1] == ",":
                at = skip_space(text, at + 1)
            if at > offset or text[at : at + 1] in ("}", "]", ""):
                return found
            key_start = key_end = None
            token = str(index)
            if not in_list:
                key_start = at
                token, at = decode(text, at)
                key_end = at
                at = skip_space(text, skip_space(text, at) + 1)
            _, end = decode(text, at)
            if offset <= end:
                break
            at, index = end, index + 1
        path.append(token)
        found_key = key_end is not None and offset <= key_end
        if not found_key and offset < at:  # between the key and its value
            return found
        found = Cursor(tuple(path), Span(at, end, key_start, key_end), found_key)
        if found_key:
            return found
    return found
