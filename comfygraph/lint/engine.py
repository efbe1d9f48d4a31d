"""
Running the rules over one document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.core.values import Prompt
from comfygraph.documents import Document, JsonSyntaxError, open_document, recognise
from comfygraph.errors import InputError
from comfygraph.lint.context import Finding, LintOptions, RuleContext
from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
from comfygraph.lint.rule import Rule

INTERNAL_ID = "CG000"
UNREADABLE_ID = "CG001"


def lint(
    source: Prompt | Document | Mapping[str, Any] | Any,
    catalog: NodeCatalog | None = None,
    *,
    options: LintOptions | None = None,
    rules: Sequence[Rule] | None = None,
) -> Report:
    """
    Check a graph; no value whatsoever makes this raise.

    Args:
        source: A `Prompt`, a `Document`, or any JSON value.
        catalog: The classes to check against; default is the bundled core.
        options: What to look for; default takes every name of a file on trust.
        rules: The rules to run; default are all stable ones.

    Returns:
        The findings, in the order of the document.
    """
    catalog = catalog if catalog is not None else load_catalog()
    if isinstance(source, Document):
        document = source
    elif isinstance(source, Prompt):
        document = Document("<prompt>", None, None, "prompt", source.to_json())
    else:
        document = recognise(source)
    if rules is None:
        from comfygraph.lint.rules import RULES

        rules = [rule for rule in RULES if rule.status == "stable"]
    context = RuleContext(document, catalog, options or LintOptions())
    diagnostics = [found for rule in rules for found in _run(rule, context)]
    order = _document_order(context)
    diagnostics.sort(key=order)
    return Report(document.path, tuple(diagnostics), document.text)


def lint_file(
    source: Path | bytes,
    catalog: NodeCatalog | None = None,
    *,
    name: str | None = None,
    options: LintOptions | None = None,
    rules: Sequence[Rule] | None = None,
) -> Report:
    """
    Check a file. One that cannot be read is a finding (`CG001`), not an exception.
    """
    label = name or str(source)
    try:
        document = open_document(source, name=label)
    except JsonSyntaxError as exc:
        return Report(label, (_unreadable(exc, label),), None)
    except InputError as exc:
        return Report(label, (_unreadable(exc, label),), None)
    return lint(document, catalog, options=options, rules=rules)


def _unreadable(exc: InputError, label: str) -> Diagnostic:
    line, column = getattr(exc, "line", 1), getattr(exc, "column", 1)
    message = exc.message.removeprefix(f"{label}: ")
    return Diagnostic(
        UNREADABLE_ID,
        "unreadable-document",
        Severity.ERROR,
        message,
        "",
        help=exc.hint,
        file=label,
        place=(line, column),
    )


def _run(rule: Rule, context: RuleContext) -> Iterable[Diagnostic]:
    try:
        return [_diagnose(rule, finding, context) for finding in rule.check(context)]
    except Exception as exc:  # One broken rule must not hide what the others found.
        message = f"rule {rule.id} {rule.name} crashed: {type(exc).__name__}: {exc}"
        help = "this is a bug in comfygraph; the other rules ran"
        return [
            Diagnostic(
                INTERNAL_ID,
                "internal-error",
                Severity.ERROR,
                message,
                "",
                help=help,
                file=context.document.path,
            )
        ]


def _diagnose(rule: Rule, finding: Finding, context: RuleContext) -> Diagnostic:
    node_id = finding.node_id
    return Diagnostic(
        rule_id=rule.id,
        name=rule.name,
        severity=finding.severity or rule.severity,
        message=finding.message,
        pointer=finding.pointer,
        node_id=node_id,
        input=finding.input,
        help=finding.help,
        title=context.title(node_id) if node_id is not None else None,
        class_type=context.class_type(node_id) if node_id is not None else None,
        related=finding.related,
        fixes=finding.fixes,
        server_error=rule.server_error,
        file=context.document.path,
    )


def _document_order(context: RuleContext) -> Any:
    """Sort by place in the document, then by rule: the same on every machine."""
    places = {node_id: index for index, node_id in enumerate(context.prompt)}
    inputs: dict[str, dict[str, int]] = {}

    def place(diagnostic: Diagnostic) -> tuple[Any, ...]:
        node_id = diagnostic.node_id
        if node_id is None or node_id not in places:
            return (-1, -1, diagnostic.pointer, diagnostic.rule_id, diagnostic.message)
        if node_id not in inputs:
            raw = context.prompt[node_id]
            names = raw.get("inputs") if isinstance(raw, dict) else None
            inputs[node_id] = (
                {name: index for index, name in enumerate(names)} if isinstance(names, dict) else {}
            )
        at = inputs[node_id].get(diagnostic.input or "", -1)
        return (places[node_id], at, diagnostic.pointer, diagnostic.rule_id, diagnostic.message)

    return place
