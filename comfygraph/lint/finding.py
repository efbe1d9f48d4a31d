"""
What rules yield, what they look at, and what the person wants of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from comfygraph.catalog import InputSpec
from comfygraph.core.records import NamedTuple
from comfygraph.lint.diagnostic import Fix, Related, Severity

if TYPE_CHECKING:
    from comfygraph.catalog.lock import Lock


class Finding(NamedTuple):
    """
    What a rule yields; the engine adds the rule's id, name and severity.

    `accepted` says that the server takes this all the same, where it refuses most of what
    the rule finds.

    `sensitive` keeps the place's text out of every excerpt: it holds a secret.
    """

    message: str
    pointer: str
    node_id: str | None = None
    input: str | None = None
    help: str | None = None
    related: tuple[Related, ...] = ()
    fixes: tuple[Fix, ...] = ()
    severity: Severity | None = None
    accepted: bool = False
    sensitive: bool = False


class Constant(NamedTuple):
    """A constant in an input, `spec` being `None` where the class declares no such input."""

    node_id: str
    input: str
    value: Any
    spec: InputSpec | None


class LinkUse(NamedTuple):
    """A well-formed link, `spec` being `None` where the class declares no such input."""

    node_id: str
    input: str
    source: str
    slot: int
    spec: InputSpec | None


class Rewrite(NamedTuple):
    """A value that the server turns into another one, which a person may not have meant."""

    node_id: str
    input: str
    before: Any
    after: Any
    spec: InputSpec


class LintOptions(NamedTuple):
    """
    What the person wants to know.

    Args:
        strict_files: Names of files must be in the catalog's lists.
        target: The service that the graph is meant for, or `None`.
        lock: What the graphs relied on when it was written; changes since are told.
        severities: Rule id → severity, where the person overrides the rule's own.
        classes: Class → domain → what it does to facts, beside `comfygraph.analysis.table`.
        families: Name or id of a model → its family, AIR ecosystem or base model.
    """

    strict_files: bool = False
    target: str | None = None
    lock: Lock | None = None
    severities: Mapping[str, Severity] = {}
    classes: Mapping[str, Mapping[str, str]] = {}
    families: Mapping[str, str] = {}
