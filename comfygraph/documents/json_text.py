"""
Reading JSON from strangers: limits, duplicate keys, and clear words for what is wrong.
"""

from __future__ import annotations

import json
import re
from typing import Any

from comfygraph.core.pointer import escape_pointer
from comfygraph.core.records import NamedTuple
from comfygraph.errors import InputError

MAX_BYTES = 64 << 20
"""Documents above this are refused unread: a graph of a million nodes is smaller."""


class JsonSyntaxError(InputError):
    """
    Text that is not JSON; `line` and `column` count from 1.
    """

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class DuplicateKey(NamedTuple):
    """
    A key that stands more than once in one object; the last one counts.
    """

    pointer: str
    key: str


def decode_text(data: bytes) -> str:
    """
    Decode JSON text: UTF-8 (with or without a mark), or UTF-16 and UTF-32 as RFC 4627 tells them.

    Raises:
        JsonSyntaxError: The bytes are no text in any of these.
    """
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as exc:
        raise JsonSyntaxError(f"not text: {exc.reason} at byte {exc.start}") from exc


def parse_json(text: str) -> Any:
    """
    Parse JSON as ComfyUI's server does: `NaN` and infinities pass, a repeated key wins.

    Raises:
        JsonSyntaxError: The text is not JSON, nests too deep or holds an absurd number.
    """
    if not text or text.isspace():
        raise JsonSyntaxError("empty: there is no JSON in it")
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        message = exc.msg[:1].lower() + exc.msg[1:]
        raise JsonSyntaxError(f"not JSON: {message}", line=exc.lineno, column=exc.colno) from exc
    except RecursionError as exc:
        raise JsonSyntaxError("not a graph: the JSON nests too deep") from exc
    except ValueError as exc:  # int() refuses texts of more than 4,300 digits
        raise JsonSyntaxError("a number has too many digits") from exc


def duplicate_keys(text: str, keys: int | None = None) -> list[DuplicateKey]:
    """
    Find keys that stand more than once in one object.

    Args:
        text: Valid JSON.
        keys: How many keys the parsed document has, where the caller knows. Every key in
            the text ends in `":`, so an equal count proves cheaply that none was repeated.
    """
    if keys is not None and _proves_unique(text, keys):
        return []
    doubled: list[tuple[dict[str, Any], list[str]]] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(items)
        if len(out) != len(items):
            seen: set[str] = set()
            repeated = [key for key, _ in items if key in seen or seen.add(key)]  # type: ignore[func-returns-value]  # add() gives None
            doubled.append((out, list(dict.fromkeys(repeated))))
        return out

    document = json.loads(text, object_pairs_hook=pairs)
    if not doubled:
        return []
    wanted = {id(obj): names for obj, names in doubled}
    found: list[DuplicateKey] = []
    pending: list[tuple[str, Any]] = [("", document)]
    while pending:
        pointer, value = pending.pop()
        if isinstance(value, dict):
            found.extend(
                DuplicateKey(f"{pointer}/{escape_pointer(key)}", key)
                for key in wanted.get(id(value), ())
            )
            pending.extend(
                (f"{pointer}/{escape_pointer(key)}", item)
                for key, item in value.items()
                if isinstance(item, dict | list)
            )
        elif isinstance(value, list):
            pending.extend(
                (f"{pointer}/{index}", item)
                for index, item in enumerate(value)
                if isinstance(item, dict | list)
            )
    return sorted(found, key=lambda duplicate: duplicate.pointer)


_KEY_APART = re.compile(r'"[ \t\r\n]+:')
"""A key that stands apart from its colon."""


def _proves_unique(text: str, keys: int) -> bool:
    """Tell whether the text has no more keys than the parsed document."""
    ends = text.count('":')
    if ends != keys:
        if '\\\\":' in text:
            return False  # Is the quote escaped, or the backslash? The slow way will tell.
        if ends - text.count('\\":') != keys:  # `say \":"` is no key
            return False
    return _KEY_APART.search(text) is None
