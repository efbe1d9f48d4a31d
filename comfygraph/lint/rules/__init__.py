"""
All rules, in the order of their ids.

A rule stands in a file of its own, with its metadata. `_table.py` repeats the metadata, so
that a rule is imported only when it runs or is explained; `scripts/make_rule_table.py`
writes it anew, and a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import cast

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import Check, Rule, Status
from comfygraph.lint.rules._table import TABLE


class _Late:
    """The check of a rule whose file is imported at the first call."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._check: Check | None = None

    def load(self) -> Check:
        if self._check is None:
            found = import_module(f"comfygraph.lint.rules.{self._module}")
            self._check = cast("Rule", getattr(found, self._module)).check
        return self._check

    def __call__(self, ctx: RuleContext) -> Iterable[Finding]:
        return self.load()(ctx)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # the file's docstring, as late
        return self.load().__doc__


RULES: tuple[Rule, ...] = tuple(
    Rule(
        id,
        name,
        Severity(severity),
        _Late(module),
        since,
        error,
        cast("Status", status),
        old,
        signs,
    )
    for id, name, severity, module, since, error, status, old, signs in TABLE
)
