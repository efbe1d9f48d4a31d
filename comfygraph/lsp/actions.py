"""
Repairs that lint knows, as an editor offers them: one for a finding, and all safe ones at once.
"""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types

from comfygraph.lint.diagnostic import Report
from comfygraph.lint.edits import apply_fixes
from comfygraph.lint.fix import fix_report
from comfygraph.lsp.text_map import TextMap

FIX_ALL = "source.fixAll.comfygraph"
MOST = 20
"""Repairs that are offered at one place."""


def actions_at(
    report: Report,
    shown: list[types.Diagnostic],
    where: types.Range,
    text_map: TextMap,
    uri: str,
) -> list[types.CodeAction]:
    """
    Give the repairs of the findings that touch a range, the best of each first.

    Args:
        report: The findings.
        shown: The same findings as the editor was told them, in the same order.
        where: The range of the cursor or the selection.
        text_map: The text's lines.
        uri: The text's name in the protocol.
    """
    text = report.text
    if text is None:
        return []
    out: list[types.CodeAction] = []
    for found, diagnostic in zip(report, shown, strict=True):
        if not _touch(diagnostic.range, where):
            continue
        for rank, fix in enumerate(found.fixes):
            applied = apply_fixes(text, [fix])
            if not applied.fixes or len(out) == MOST:
                continue
            out.append(
                types.CodeAction(
                    title=fix.title if fix.safe else f"{fix.title} (may change the picture)",
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[diagnostic],
                    is_preferred=rank == 0 and fix.safe,
                    edit=_edit(uri, text, applied.text, text_map),
                )
            )
    return out


def fix_all(
    report: Report, check: Callable[[str], Report], text_map: TextMap, uri: str
) -> types.CodeAction | None:
    """
    Give the action that applies all safe repairs, or `None` where there is none.
    """
    if report.text is None or not any(found.fixable for found in report):
        return None
    fixed = fix_report(report, check)
    if not fixed.applied:
        return None
    count = len(fixed.applied)
    return types.CodeAction(
        title=f"Apply all safe repairs of comfygraph ({count})",
        kind=FIX_ALL,
        edit=_edit(uri, report.text, fixed.text, text_map),
    )


def _touch(one: types.Range, other: types.Range) -> bool:
    return _key(one.start) <= _key(other.end) and _key(other.start) <= _key(one.end)


def _key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def _edit(uri: str, before: str, after: str, text_map: TextMap) -> types.WorkspaceEdit:
    """The stretch that differs, put in place of the other."""
    start = _common(before, after)
    most = min(len(before), len(after)) - start
    end = min(_common(before[::-1], after[::-1]), most)
    edit = types.TextEdit(text_map.range(start, len(before) - end), after[start : len(after) - end])
    return types.WorkspaceEdit(changes={uri: [edit]})


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
