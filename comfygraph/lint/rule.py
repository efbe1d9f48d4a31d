"""
What a rule is: a pure function with frozen metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from comfygraph.core.records import NamedTuple
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity

Check = Callable[[RuleContext], Iterable[Finding]]
Status = Literal["stable", "preview"]

ELSEWHERE = ("elsewhere",)
"""Signs that no graph shows: what the rule finds is found by other code than its check."""

FAMILIES = {
    "0": "document",
    "1": "structure",
    "2": "links and types",
    "3": "values",
    "4": "target portability",
    "5": "workflow conversion",
    "6": "hygiene",
    "7": "dataflow",
}


class Rule(NamedTuple):
    """
    One rule.

    Args:
        id: `CGnnn`, permanent; the first digit is the family.
        name: Reads well after "allow".
        severity: The default; the configuration may override it.
        check: Gives the findings about one document.
        since: The version that brought the rule.
        server_error: The error type that ComfyUI itself would give, or `None`.
        status: A `preview` rule runs only where it is asked for.
        aliases: Names that it had before.
        signs: It runs only where the context shows one of these (`RuleContext.signs`);
            empty for always.
    """

    id: str
    name: str
    severity: Severity
    check: Check
    since: str
    server_error: str | None = None
    status: Status = "stable"
    aliases: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """What the first digit of the id stands for."""
        return FAMILIES[self.id[2]]

    @property
    def documentation(self) -> str:
        """The docstring of the rule, Markdown."""
        from inspect import cleandoc

        return cleandoc(self.check.__doc__ or "")


def rule(
    *,
    id: str,
    name: str,
    severity: Severity,
    since: str = "0.1.0",
    server_error: str | None = None,
    status: Status = "stable",
    aliases: tuple[str, ...] = (),
    signs: tuple[str, ...] = (),
) -> Callable[[Check], Rule]:
    """
    Make a `Rule` of the function below; for the arguments see `Rule`.
    """

    def wrap(check: Check) -> Rule:
        return Rule(id, name, severity, check, since, server_error, status, aliases, signs)

    return wrap
