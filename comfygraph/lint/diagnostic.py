"""
What lint says: `Diagnostic`, its `Severity`, and the `Report` that holds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from comfygraph.core.records import NamedTuple


class Severity(StrEnum):
    """
    How bad a finding is; data of the rule, and overridable in the configuration.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Order by weight: error 2, warning 1, info 0."""
        return {"error": 2, "warning": 1, "info": 0}[self.value]


class Related(NamedTuple):
    """
    Another place that a finding speaks of, such as the other end of a link.
    """

    pointer: str
    message: str


class Edit(NamedTuple):
    """
    One change of the document.

    Args:
        pointer: The value to change.
        action: `set` it, `remove` it with its key, or `unwrap`: put `value` in its parent's place.
        value: The new value for `set`.
    """

    pointer: str
    action: str
    value: Any = None


class Fix(NamedTuple):
    """
    A repair that can be applied by machine; safe ones cannot change what the graph makes.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


class Diagnostic(NamedTuple):
    """
    One finding.

    Args:
        rule_id: `CGnnn`, permanent.
        name: The rule's name, reads well after "allow".
        severity: As the rule says, or as the configuration overrides it.
        message: One line, lower case start, values in backticks.
        pointer: JSON pointer into the file that the person wrote.
        node_id: The node, as the prompt calls it, or `None`.
        input: The input, or `None`.
        help: What to do, or `None`.
        title: The node's title, if it has one of its own.
        class_type: The node's class, or `None`.
        related: Other places.
        fixes: Repairs, the best first.
        server_error: The error type that ComfyUI itself would give, or `None`.
        file: The file, filled in by the engine.
        place: `(line, column)` where there is no pointer yet: the text is not JSON.
        sensitive: What stands at the pointer is a secret, and must not be shown.
    """

    rule_id: str
    name: str
    severity: Severity
    message: str
    pointer: str
    node_id: str | None = None
    input: str | None = None
    help: str | None = None
    title: str | None = None
    class_type: str | None = None
    related: tuple[Related, ...] = ()
    fixes: tuple[Fix, ...] = ()
    server_error: str | None = None
    file: str = ""
    place: tuple[int, int] | None = None
    sensitive: bool = False

    def with_severity(self, severity: Severity) -> Diagnostic:
        """
        Give the same finding with another severity.
        """
        return self._replace(severity=severity)

    @property
    def fixable(self) -> bool:
        """Whether a safe repair is known."""
        return any(fix.safe for fix in self.fixes)


@dataclass(frozen=True, slots=True)
class Report:
    """
    The findings about one document, in the order of the document.

    Args:
        file: What messages call the document.
        diagnostics: Findings, ordered by place and then by id.
        text: The document's text, where it had one: for excerpts and line numbers.
        suppressed: How many findings were silenced by the person's own wishes.
        written: For a graph that a Python script built: node id → file and line of the call
            that wrote the node, `""` for the whole graph; findings stand there.
    """

    file: str
    diagnostics: tuple[Diagnostic, ...]
    text: str | None = None
    suppressed: int = 0
    written: Mapping[str, tuple[str, int]] | None = None

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.diagnostics)

    def __len__(self) -> int:
        return len(self.diagnostics)

    def count(self, severity: Severity) -> int:
        """
        Count the findings of one severity.
        """
        return sum(diagnostic.severity is severity for diagnostic in self.diagnostics)

    @property
    def has_errors(self) -> bool:
        """Whether at least one finding is an error."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)
