"""
What a rule sees of a document: the survey of its graph, names for people, and findings to make.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING, Any

from comfygraph.catalog import NodeCatalog
from comfygraph.core.nearest import nearest
from comfygraph.documents import Document
from comfygraph.lint.diagnostic import Edit, Fix, Related, Severity
from comfygraph.lint.finding import Constant as Constant
from comfygraph.lint.finding import Finding as Finding
from comfygraph.lint.finding import LinkUse as LinkUse
from comfygraph.lint.finding import LintOptions as LintOptions
from comfygraph.lint.finding import Rewrite as Rewrite
from comfygraph.lint.survey import Survey

if TYPE_CHECKING:
    from comfygraph.analysis.flow import Flow

MOST_COMPARISONS = 20_000
"""Names that are compared with others for suggestions, in one document: about a second's worth."""

LONG_LIST = 3_000
"""Of a longer list, only what begins alike is compared."""


class RuleContext(Survey):
    """
    A document under lint.

    Args:
        document: The document.
        catalog: The classes to check against.
        options: What the person wants to know.
    """

    def __init__(self, document: Document, catalog: NodeCatalog, options: LintOptions) -> None:
        super().__init__(document, catalog, options)
        self._nearest: dict[tuple[str, int], tuple[str | None, Collection[str]]] = {}
        self._comparisons = MOST_COMPARISONS

    @cached_property
    def flow(self) -> Flow:
        """
        What flows along the links, worked out when a rule asks for it first.
        """
        from comfygraph.analysis.flow import Flow

        return Flow(
            self.prompt,
            self.catalog,
            order=self.order,
            classes=self.options.classes,
            families=self.options.families,
        )

    def if_run(self, node_id: str) -> Severity | None:
        """
        Give the severity of what only shows when a node runs: a warning where none needs it.
        """
        return None if node_id in self.reachable else Severity.WARNING

    def nearest(self, name: str, known: Collection[str]) -> str | None:
        """
        Give the known name that somebody most likely meant, or `None`.

        Comparing takes time: once a document has had its share of it, it gets no more suggestions.
        """
        key = (name, id(known))
        if key in self._nearest:
            return self._nearest[key][0]
        if self._comparisons < 0:
            return None
        alike: Collection[str] = known
        if len(known) > LONG_LIST:
            start = name[:2].casefold()
            alike = [text for text in known if text[:2].casefold() == start][:LONG_LIST]
            self._comparisons -= len(known) // 20  # A look is that much cheaper.
        self._comparisons -= len(alike)
        found = nearest(name, alike) if self._comparisons >= 0 else []
        # The collection is kept too, so that no other one can get its id.
        self._nearest[key] = (found[0] if found else None, known)
        return self._nearest[key][0]

    def did_you_mean(self, name: str, *known: Collection[str]) -> str | None:
        """
        Give a hint that names the nearest of the known names, or `None`.

        Args:
            name: What the document says.
            known: Collections of names, the likeliest first.
        """
        for names in known:
            near = self.nearest(name, names)
            if near is not None:
                return f"did you mean `{near}`?"
        return None

    def class_type(self, node_id: str) -> str | None:
        """
        Give the class of a node, or `None`.
        """
        node = self.prompt.get(node_id)
        value = node.get("class_type") if isinstance(node, dict) else None
        return value if isinstance(value, str) else None

    def title(self, node_id: str) -> str | None:
        """
        Give the title of a node if it says more than its class does.
        """
        node = self.prompt.get(node_id)
        meta = node.get("_meta") if isinstance(node, dict) else None
        title = meta.get("title") if isinstance(meta, dict) else None
        return title if isinstance(title, str) and title else None

    def label(self, node_id: str) -> str:
        """
        Name a node for a person: `"base pass" (3, KSampler)`.
        """
        title, class_type = self.title(node_id), self.class_type(node_id)
        if title is None or title == class_type:
            return f"{class_type or 'node'} ({node_id})"
        return f'"{title}" ({node_id}, {class_type or "?"})'

    def node_pointer(self, node_id: str) -> str:
        """
        Give the pointer of a node in the document.
        """
        return self.document.node_pointer(node_id)

    def input_pointer(self, node_id: str, name: str) -> str:
        """
        Give the pointer of an input in the document.
        """
        return self.document.input_pointer(node_id, name)

    def at_node(
        self,
        node_id: str,
        message: str,
        *,
        help: str | None = None,
        related: tuple[Related, ...] = (),
        fixes: tuple[Fix, ...] = (),
        severity: Severity | None = None,
        accepted: bool = False,
    ) -> Finding:
        """
        Make a finding about a whole node.
        """
        pointer = self.node_pointer(node_id)
        return Finding(message, pointer, node_id, None, help, related, fixes, severity, accepted)

    def at_input(
        self,
        node_id: str,
        name: str,
        message: str,
        *,
        help: str | None = None,
        related: tuple[Related, ...] = (),
        fixes: tuple[Fix, ...] = (),
        severity: Severity | None = None,
        accepted: bool = False,
        sensitive: bool = False,
    ) -> Finding:
        """
        Make a finding about an input; it points at the node where the input is absent.
        """
        node = self.prompt.get(node_id)
        inputs = node.get("inputs") if isinstance(node, dict) else None
        present = isinstance(inputs, dict) and name in inputs
        pointer = self.input_pointer(node_id, name) if present else self.node_pointer(node_id)
        return Finding(
            message, pointer, node_id, name, help, related, fixes, severity, accepted, sensitive
        )

    def related(self, node_id: str, message: str) -> Related:
        """
        Point at another node.
        """
        return Related(self.node_pointer(node_id), message)

    def set_fix(self, node_id: str, name: str, value: Any, title: str, *, safe: bool) -> Fix:
        """
        Offer to set an input to another value.
        """
        return Fix(title, (Edit(self.input_pointer(node_id, name), "set", value),), safe)

    def remove_fix(self, node_id: str, name: str, title: str, *, safe: bool) -> Fix:
        """
        Offer to remove an input.
        """
        return Fix(title, (Edit(self.input_pointer(node_id, name), "remove"),), safe)
