"""
`_meta.comfygraph.ignore` of a node: findings that its author does not want to hear.

    "3": {"class_type": "KSampler", "inputs": {...}, "_meta": {"comfygraph": {"ignore": ["CG301"]}}}

The server takes no notice of `_meta`, and the editor's own titles stand there as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from comfygraph.core.kinds import kind_of
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Diagnostic, Edit, Fix

UNUSED_ID = "CG611"
MOST = 100
"""Entries of one node that are looked at: more than that is no list of wishes."""


class _Entry:
    """One entry: what it says, where it stands, the ids that it names, and if it was of use."""

    __slots__ = ("ids", "node_id", "pointer", "text", "used")

    def __init__(self, node_id: str, text: str, pointer: str, ids: frozenset[str]) -> None:
        self.node_id = node_id
        self.text = text
        self.pointer = pointer
        self.ids = ids
        self.used = False


class NodeIgnores:
    """
    The ignores of a document's nodes, and which of them silenced something.
    """

    def __init__(self, context: RuleContext) -> None:
        self._entries: dict[str, list[_Entry]] = {}
        self._malformed: list[Finding] = []
        for node_id, node in context.prompt.items():
            meta = node.get("_meta") if isinstance(node, dict) else None
            ours = meta.get("comfygraph") if isinstance(meta, dict) else None
            if isinstance(ours, dict) and "ignore" in ours:
                self._read(context, node_id, ours["ignore"])

    def _read(self, context: RuleContext, node_id: str, value: Any) -> None:
        from comfygraph.lint.registry import matching_ids

        pointer = f"{context.node_pointer(node_id)}/_meta/comfygraph/ignore"
        texts = [(value, pointer)] if isinstance(value, str) else None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            texts = [(item, f"{pointer}/{index}") for index, item in enumerate(value[:MOST])]
        if texts is None:
            message = f"`ignore` is {kind_of(value)}, a list of rule ids or names is wanted"
            self._malformed.append(Finding(message, pointer, node_id))
            return
        self._entries[node_id] = [
            _Entry(node_id, text, place, matching_ids(text)[1]) for text, place in texts
        ]

    def keep(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """
        Give the findings that no entry silences.
        """
        if not self._entries:
            return list(diagnostics)
        return [found for found in diagnostics if not self._silences(found)]

    def _silences(self, found: Diagnostic) -> bool:
        if found.node_id is None:
            return False
        hit = False
        for entry in self._entries.get(found.node_id, ()):
            if found.rule_id in entry.ids:
                entry.used = hit = True
        return hit

    def unused(self, ran: frozenset[str]) -> Iterator[Finding]:
        """
        Yield a finding for every entry that silenced nothing.

        Args:
            ran: The ids of the rules that ran: what did not run cannot be silenced.
        """
        yield from self._malformed
        for entries in self._entries.values():
            if any(UNUSED_ID in entry.ids for entry in entries):
                continue
            for entry in entries:
                if not entry.used and (not entry.ids or entry.ids & ran):
                    yield _finding(entry)


def _finding(entry: _Entry) -> Finding:
    shown = entry.text[:100]
    if entry.ids:
        message, help = f"the ignore of `{shown}` silences nothing", "remove it"
    else:
        from comfygraph.lint.registry import nearest_selector

        near = nearest_selector(entry.text)
        message = f"the ignored `{shown}` names no rule"
        help = f"did you mean `{near}`?" if near else "`comfygraph rule` lists them all"
    fix = Fix(f"remove the ignore of `{shown}`", (Edit(entry.pointer, "remove"),), safe=True)
    return Finding(
        message, entry.pointer, entry.node_id, help=help, fixes=(fix,) if entry.ids else ()
    )
