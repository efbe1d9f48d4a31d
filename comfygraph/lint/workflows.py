"""
Linting the editor's workflows: convert, check the prompt, point into the workflow file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from comfygraph.catalog import NodeCatalog
from comfygraph.documents import Document
from comfygraph.errors import WorkflowError
from comfygraph.lint.diagnostic import Diagnostic, Related, Severity
from comfygraph.lint.rule import Rule
from comfygraph.workflow import ConversionIssue, SourceMap, convert

_TOLD_BY_RULES = frozenset({"CG501"})
"""Lint has a rule of its own for the same cause, which also knows the node's pack."""


@dataclass(frozen=True, slots=True)
class Converted:
    """
    A workflow as lint sees it.

    Args:
        document: The document with its prompt, whose pointers lead into the workflow file.
            A workflow that cannot be converted at all has no prompt.
        diagnostics: What the conversion found.
        sources: Where the nodes of the prompt stand in the file.
    """

    document: Document
    diagnostics: tuple[Diagnostic, ...]
    sources: SourceMap | None

    def finish(self, found: Iterable[Diagnostic], rules: Iterable[Rule]) -> list[Diagnostic]:
        """
        Make findings about the prompt into findings about the workflow: with the subgraphs
        around the node, and without repairs, which are meant for prompts.

        Args:
            found: What the rules found in the prompt.
            rules: The rules that run; what the conversion found is kept for these only.
        """
        severities: Mapping[str, Severity] = {rule.id: rule.severity for rule in rules}
        mine = [
            item.with_severity(severities[item.rule_id])
            for item in self.diagnostics
            if item.rule_id in severities
        ]
        return [*mine, *(self._finish(item) for item in found)]

    def _finish(self, diagnostic: Diagnostic) -> Diagnostic:
        around: tuple[Related, ...] = ()
        node_id = diagnostic.node_id
        if self.sources is not None and node_id is not None and node_id in self.sources:
            around = tuple(
                Related(step.pointer, f'inside the subgraph "{step.title}" ({step.node_id})')
                for step in self.sources[node_id].path
            )
        return diagnostic._replace(related=(*around, *diagnostic.related), fixes=())


def converted(document: Document, catalog: NodeCatalog) -> Converted:
    """
    Convert a document of kind `workflow` for lint.

    Args:
        document: The document.
        catalog: The classes to convert with.
    """
    try:
        result = convert(document.value, catalog)
    except WorkflowError as exc:
        message = exc.message.removeprefix(f"{document.path}: ")
        problem = Diagnostic(
            "CG500",
            "unconvertible-workflow",
            Severity.ERROR,
            message,
            "",
            help=exc.hint,
            file=document.path,
        )
        return Converted(document, (problem,), None)
    sources = result.source_map
    return Converted(
        document._replace(
            prompt=result.prompt.to_json(),
            class_key="type",
            places=sources.pointer,
        ),
        tuple(
            _diagnose(issue, document.path)
            for issue in result.diagnostics
            if issue.code not in _TOLD_BY_RULES
        ),
        sources,
    )


def _diagnose(issue: ConversionIssue, file: str) -> Diagnostic:
    return Diagnostic(
        issue.code,
        issue.name,
        Severity(issue.severity),
        issue.message,
        issue.pointer,
        node_id=issue.node_id,
        title=issue.title,
        help=issue.help or None,
        file=file,
    )
