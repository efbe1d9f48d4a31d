"""
What the conversion of a workflow can find, as rules that can be selected, ignored and explained.

The conversion itself finds them; the table repeats its codes so that checking a prompt never
loads the code for workflows. A test compares it with `comfygraph.workflow.ISSUE_KINDS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import ELSEWHERE, Check, Rule

_TABLE = (
    ("CG500", "unconvertible-workflow", "error"),
    ("CG501", "unknown-node-class", "error"),
    ("CG502", "widget-values-do-not-fit", "warning"),
    ("CG503", "widget-count-mismatch", "info"),
    ("CG504", "widget-values-not-a-list", "error"),
    ("CG505", "link-to-nothing", "error"),
    ("CG506", "missing-subgraph-definition", "error"),
    ("CG507", "recursive-subgraph", "error"),
    ("CG508", "circular-reroute", "error"),
    ("CG509", "subgraph-pass-through", "error"),
    ("CG510", "duplicate-node-id", "error"),
    ("CG511", "malformed-element", "warning"),
    ("CG512", "bypass-without-match", "info"),
    ("CG513", "primitive-not-applied", "warning"),
    ("CG514", "unresolved-promoted-widget", "warning"),
    ("CG515", "dynamic-prompt", "info"),
    ("CG516", "date-in-file-prefix", "info"),
    ("CG517", "unproven-editor-node", "info"),
    ("CG518", "get-without-set", "error"),
    ("CG519", "value-made-by-the-editor", "warning"),
    ("CG520", "dynamic-prompt-too-deep", "warning"),
    ("CG521", "links-of-another-version", "error"),
    ("CG522", "renamed-class", "info"),
)


class _FoundByConversion:
    """The check of a rule that finds nothing in a prompt; its documentation is loaded late."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __call__(self, ctx: RuleContext) -> Iterable[Finding]:
        return ()

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # a text that is made when asked for
        from comfygraph.workflow import ISSUES_BY_CODE

        kind = ISSUES_BY_CODE.get(self._code)
        if kind is None:
            return _UNCONVERTIBLE
        text = f"## What it does\n{kind.doc}\n"
        return text + (f"\n## What to do\n{kind.help}\n" if kind.help else "")


_UNCONVERTIBLE = """
## What it does
Reports a workflow that cannot be converted into a prompt at all: its nodes or links are not what
the editor writes, or there are absurdly many of them.
"""


CONVERSION_RULES: tuple[Rule, ...] = tuple(
    Rule(
        code,
        name,
        Severity(severity),
        cast("Check", _FoundByConversion(code)),
        "0.1.0",
        signs=ELSEWHERE,
    )
    for code, name, severity in _TABLE
)
