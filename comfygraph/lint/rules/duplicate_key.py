"""
CG002 duplicate-key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comfygraph.core.pointer import parse_pointer
from comfygraph.documents import duplicate_keys
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown


def count_keys(value: Any) -> int:
    """
    Count the keys of all objects in a JSON value.
    """
    total = 0
    pending: list[Any] = [value] if isinstance(value, dict | list) else []
    while pending:
        item = pending.pop()
        members = item
        if type(item) is dict:
            total += len(item)
            members = item.values()
        for member in members:
            kind = type(member)
            if kind is dict or (
                kind is list
                and not (  # links are most of the lists
                    len(member) == 2 and type(member[0]) is str and type(member[1]) is int
                )
            ):
                pending.append(member)
    return total


def _place(ctx: RuleContext, pointer: str) -> tuple[str | None, str | None]:
    """Give node and input that a pointer leads into."""
    base = ctx.document.base
    if not pointer.startswith(base):
        return None, None
    tokens = parse_pointer(pointer.removeprefix(base))
    if not tokens or tokens[0] not in ctx.prompt:
        return None, None
    return tokens[0], tokens[2] if len(tokens) > 2 and tokens[1] == "inputs" else None


@rule(
    id="CG002",
    name="duplicate-key",
    severity=Severity.WARNING,
    signs=("text",),
)
def duplicate_key(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports keys that stand more than once in one JSON object.

    ## Why is this bad?
    Only the last one counts: a node or a value is lost without a word.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "width": 128, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    text = ctx.document.text
    if text is None:
        return
    keys = ctx.key_count
    keys = count_keys(ctx.document.value) if keys is None else keys
    for duplicate in duplicate_keys(text, keys):
        message = f"the key {shown(duplicate.key)} stands more than once: only the last one counts"
        node_id, name = _place(ctx, duplicate.pointer)
        yield Finding(message, duplicate.pointer, node_id, name, help="remove or rename the others")
