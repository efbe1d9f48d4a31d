"""
`%Node.widget%` in file prefixes and primitives: the value of a widget of another node.

Facts: `searchAndReplace.ts` and `saveImageExtraOutput.ts` of ComfyUI's frontend. What the
editor takes from the clock (`%date:...%`) stays, unless a time is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from comfygraph.workflow.class_quirks import SAVES_UNDER_PREFIX
from comfygraph.workflow.live import LiveGraph, LiveNode
from comfygraph.workflow.model import as_list
from comfygraph.workflow.numbers import number_text
from comfygraph.workflow.plan import ABSENT
from comfygraph.workflow.virtual import PRIMITIVE

if TYPE_CHECKING:
    from datetime import datetime

_PATTERN = re.compile(r"%([^%]+)%")
_NOT_IN_NAMES = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')
_DATE_PART = re.compile(r"d{1,2}|M{1,2}|h{1,2}|m{1,2}|s{1,2}|yyy?y?")
_ALIAS = "Node name for S&R"


class TextReplacer:
    """
    Replaces `%Node.widget%` by the widget's value.

    Args:
        root: The workflow's root graph.
        now: The time for `%date:...%`, or `None` to leave it.
    """

    def __init__(self, root: LiveGraph, now: datetime | None = None) -> None:
        self._root = root
        self._now = now
        self._by_alias: dict[str, LiveNode] = {}
        self._by_title: dict[str, LiveNode] = {}
        self._ready = False

    def replace(self, text: str) -> str:
        """
        Give the text with the patterns that name a node and a widget replaced.
        """
        return _PATTERN.sub(self._value, text)

    def has_date(self, text: str) -> bool:
        """
        Whether the text still asks for the current time.
        """
        return any(found.startswith("date:") for found in _PATTERN.findall(text))

    def _value(self, match: re.Match[str]) -> str:
        inside = match[1]
        parts = inside.split(".")
        if len(parts) != 2:
            if parts[0].startswith("date:") and self._now is not None:
                return _formatted(parts[0][len("date:") :], self._now)
            return match[0]
        if not self._ready:
            self._index()
        node = self._by_alias.get(parts[0]) or self._by_title.get(parts[0])
        if node is None:
            return match[0]
        value = widget_text(node, parts[1])
        return match[0] if value is None else _NOT_IN_NAMES.sub("_", value)

    def _index(self) -> None:
        self._ready = True
        for node in _all_nodes(self._root):
            alias = node.file.properties.get(_ALIAS)
            if alias is None and node.plan is not None and node.type not in SAVES_UNDER_PREFIX:
                alias = node.type
            if isinstance(alias, str):
                self._by_alias.setdefault(alias, node)
            title = node.title
            if title is not None:
                self._by_title.setdefault(title, node)


def widget_text(node: LiveNode, widget: str) -> str | None:
    """
    Give the value of a node's widget as text, or `None` if the node has no such widget.
    """
    if node.type == PRIMITIVE and node.plan is None:
        stored = as_list(node.file.raw.get("widgets_values"))
        return number_text(stored[0]) if widget == "value" and stored else None
    if widget not in node.values:
        return None
    value = node.values[widget]
    return "" if value is None or value is ABSENT else number_text(value)


def _all_nodes(root: LiveGraph) -> Iterator[LiveNode]:
    """
    Yield the nodes of the root, each followed by those of its subgraph, every graph once.
    """
    seen = {id(root)}
    stack: list[Iterator[LiveNode]] = [iter(root.nodes)]
    while stack:
        for node in stack[-1]:
            yield node
            if node.body is not None and id(node.body) not in seen:
                seen.add(id(node.body))
                stack.append(iter(node.body.nodes))
                break
        else:
            stack.pop()


def _formatted(pattern: str, now: datetime) -> str:
    values = {
        "d": now.day,
        "M": now.month,
        "h": now.hour,
        "m": now.minute,
        "s": now.second,
    }

    def part(match: re.Match[str]) -> str:
        text = match[0]
        if text == "yyyy":
            return str(now.year)
        if text == "yy":
            return str(now.year)[2:]
        if text == "yyy":
            return text
        return str(values[text[0]]).zfill(len(text))

    return _DATE_PART.sub(part, pattern)
