"""
How long a script becomes: what nobody could read or run is refused before it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any

from comfygraph.core.nearest import shorten
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.errors import InputError

LONGEST_SCRIPT = 5_000_000
"""Characters, about."""

_EACH = 16
"""What a value takes beside its own characters: name, brackets, its place in the line."""


def check_length(prompt: Prompt) -> None:
    """
    Refuse a prompt whose script would be longer than `LONGEST_SCRIPT`, by a rough count.

    Raises:
        InputError: It is longer; the message names the node with most of it.
    """
    left = LONGEST_SCRIPT
    most: tuple[int, Node | None] = (0, None)
    for node in prompt.nodes():
        length = _length(node, LONGEST_SCRIPT)
        left -= length
        if length > most[0]:
            most = (length, node)
        if left < 0:
            raise InputError(
                f"a script of this graph would have more than {LONGEST_SCRIPT:,} characters"
                f"{_share(*most)}",
                hint="leave out long texts and lists; `comfygraph.set_inputs()` sets them later",
            )


def _share(length: int, node: Node | None) -> str:
    if node is None or length * 2 < LONGEST_SCRIPT:
        return ""
    return f", most of them in {shorten(node.title)} ({shorten(node.id)})"


def _length(node: Node, most: int) -> int:
    """Give about the length of a node's code; no more is looked at once it is above `most`."""
    length = len(node.class_type) + len(node.title)
    pending: list[Any] = [node.inputs]
    while pending and length <= most:
        value = pending.pop()
        length += _EACH
        if isinstance(value, Link):
            continue
        if isinstance(value, Sized):
            length += len(value)
        if isinstance(value, Mapping):
            length += sum(len(key) for key in value if isinstance(key, str))
            pending.extend(value.values())
        elif isinstance(value, list) and length + len(value) * _EACH > most:
            return length + len(value) * _EACH
        elif isinstance(value, list):
            pending.extend(value)
    return length
