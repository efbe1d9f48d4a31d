"""
Running the rules over one document.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.documents import Document, JsonSyntaxError, open_document, recognise
from comfygraph.errors import BuildError, BuildProblem, InputError, ScriptError
from comfygraph.lint.builtin import (
    internal_error,
    unbuildable_script,
    unreadable_document,
    unused_ignore,
)
from comfygraph.lint.context import Finding, LintOptions, RuleContext
from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
from comfygraph.lint.ignores import NodeIgnores
from comfygraph.lint.rule import Rule

if TYPE_CHECKING:
    from pathlib import Path

if TYPE_CHECKING:
    from typing import TypeGuard

    from comfygraph.core.values import Prompt

MOST = 1000
"""Findings of one rule about one document: more are neither read nor worth the time."""

LONGEST_NAME = 10_000
"""Characters in the id of a node or the name of an input: findings repeat them a thousand times."""
LONGEST_WORDS = 2_000

DATAFLOW = "CG7"
"""The rules about what flows along links, which is followed only where they run."""


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
    elif _is_prompt(source):
        document = Document(
            "<prompt>", None, None, "prompt", source.to_json(), written=_written(source)
        )
    else:
        document = recognise(source)
    if rules is None:
        from comfygraph.lint.registry import stable_rules

        rules = stable_rules()
    if document.text is None or len(document.text) > LONGEST_NAME:
        absurd = _absurd_name(document)
        if absurd:
            return Report(document.path, (absurd,), document.text)
    conversion = None
    if document.kind == "workflow":
        from comfygraph.lint.workflows import converted

        conversion = converted(document, catalog)
        document = conversion.document
    context = RuleContext(document, catalog, options or LintOptions())
    signs = context.signs
    if ("latent" in signs or context.options.classes) and any(
        rule.id.startswith(DATAFLOW) for rule in reversed(rules)
    ):
        from comfygraph.lint.flow_signs import flow_signs

        signs |= flow_signs(context)
    found = [
        item
        for rule in rules
        if not rule.signs or not signs.isdisjoint(rule.signs)
        for item in _run(rule, context)
    ]
    if conversion is not None:
        found = conversion.finish(found, rules)
    ignores = NodeIgnores(context)
    kept = ignores.keep(found)
    silenced = len(found) - len(kept)
    ran = frozenset(rule.id for rule in rules)
    if unused_ignore.id in ran:
        kept += [_diagnose(unused_ignore, item, context) for item in ignores.unused(ran)]
    kept.sort(key=_document_order(context))
    if document.written is not None:  # Repairs are meant for prompts, not for scripts.
        kept = [item._replace(fixes=()) for item in kept]
    return Report(document.path, tuple(kept), document.text, silenced, document.written)


def _is_prompt(source: Any) -> TypeGuard[Prompt]:
    # Whoever holds a prompt has loaded its module; a file's lint need not.
    values = sys.modules.get("comfygraph.core.values")
    return values is not None and isinstance(source, values.Prompt)


def _written(prompt: Prompt) -> dict[str, tuple[str, int]] | None:
    """Say which lines of a script wrote a prompt, where one did."""
    written = {node.id: node.where for node in prompt.nodes() if node.where is not None}
    return {"": next(iter(written.values())), **written} if written else None


def lint_file(
    source: str | Path | bytes,
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
    except InputError as exc:
        return unreadable_report(exc, label)
    return lint(document, catalog, options=options, rules=rules)


def unreadable_report(exc: InputError, label: str, text: str | None = None) -> Report:
    """
    Give the report about a file that cannot be read.

    Args:
        exc: What was wrong.
        label: What messages call the file.
        text: Its text, where it has one that is not JSON: for the excerpt.
    """
    place = (exc.line, exc.column) if isinstance(exc, JsonSyntaxError) else (1, 1)
    message = exc.message.removeprefix(f"{label}: ")
    return Report(label, (_own(unreadable_document, message, label, exc.hint, place),), text)


def unbuildable_report(exc: InputError | BuildError, label: str) -> Report:
    """
    Give the report about a Python script that gives no graph, or one with mistakes.

    Args:
        exc: What was wrong.
        label: What messages call the script.
    """
    problems: Sequence[BuildProblem]
    if isinstance(exc, BuildError) and exc.problems:
        problems = exc.problems
    elif isinstance(exc, ScriptError):
        problems = [BuildProblem(exc.reason, exc.file, exc.line, help=exc.hint)]
    else:
        problems = [BuildProblem(exc.message.removeprefix(f"{label}: "), help=exc.hint)]
    # A pointer stands for each, as for the nodes of a graph.
    written = {"": (label, 1)}
    diagnostics = []
    for number, item in enumerate(problems):
        written[f"problem {number}"] = (item.file or label, item.line or 1)
        found = _own(unbuildable_script, item.message, label, item.help)
        found = found._replace(class_type=item.class_type, input=item.input)
        diagnostics.append(found._replace(pointer=f"/problem {number}"))
    return Report(label, tuple(diagnostics), written=written)


def crash_report(message: str, label: str) -> Report:
    """
    Give the report about a file whose check died.
    """
    return Report(label, (_own(internal_error, message, label, _BUG),))


_BUG = "this is a bug in comfygraph; what the other rules found is told"


def _own(
    rule: Rule,
    message: str,
    file: str,
    help: str | None,
    place: tuple[int, int] | None = None,
) -> Diagnostic:
    return Diagnostic(
        rule.id, rule.name, rule.severity, message, "", help=help, file=file, place=place
    )


def _absurd_name(document: Document) -> Diagnostic | None:
    """Find a name that no graph has; a workflow's names come from its catalog and its editor."""
    graph = document.prompt if isinstance(document.prompt, dict) else {}
    longest = max(map(len, graph), default=0)
    for node in graph.values():
        inputs = node.get("inputs") if isinstance(node, dict) else None
        if isinstance(inputs, dict) and inputs:
            longest = max(longest, *map(len, inputs))
    if longest <= LONGEST_NAME:
        return None
    message = f"a node id or the name of an input has {longest:,} characters"
    return _own(unreadable_document, message, document.path, None)


def _cut(text: str | None) -> str | None:
    return text[:LONGEST_WORDS] if text is not None else None


def _run(rule: Rule, context: RuleContext) -> list[Diagnostic]:
    file = context.document.path
    out: list[Diagnostic] = []
    try:
        for finding in rule.check(context):
            if len(out) == MOST:
                message = f"more than {MOST:,} findings of this rule: the rest is left out"
                out.append(_diagnose(rule, Finding(message, context.document.base), context))
                break
            out.append(_diagnose(rule, finding, context))
    except Exception as exc:  # One broken rule must not hide what the others found.
        message = f"rule {rule.id} {rule.name} crashed: {type(exc).__name__}: {exc}"
        out.append(_own(internal_error, message[:500], file, _BUG))
    return out


def _diagnose(rule: Rule, finding: Finding, context: RuleContext) -> Diagnostic:
    node_id = finding.node_id
    return Diagnostic(
        rule_id=rule.id,
        name=rule.name,
        severity=context.options.severities.get(rule.id)
        or finding.severity
        or _own_severity(rule, node_id, context),
        message=finding.message[:LONGEST_WORDS],
        pointer=finding.pointer,
        node_id=node_id,
        input=finding.input,
        help=finding.help[:LONGEST_WORDS] if finding.help else None,
        title=_cut(context.title(node_id)) if node_id is not None else None,
        class_type=_cut(context.class_type(node_id)) if node_id is not None else None,
        related=finding.related,
        fixes=finding.fixes,
        server_error=None if finding.accepted else rule.server_error,
        file=context.document.path,
        sensitive=finding.sensitive,
    )


_IN_CONE = frozenset(
    {
        "bad_linked_input", "custom_validation_failed", "dependency_cycle",
        "exception_during_inner_validation", "invalid_input_type", "required_input_missing",
        "return_type_mismatch", "value_bigger_than_max", "value_not_in_list",
        "value_smaller_than_min",
    }
)  # fmt: skip
"""Errors that the server gives only for nodes that an output needs."""


def _own_severity(rule: Rule, node_id: str | None, context: RuleContext) -> Severity:
    """Give the rule's severity, but a warning for what the server never looks at."""
    if rule.severity is not Severity.ERROR or rule.server_error not in _IN_CONE:
        return rule.severity
    loose = node_id in context.prompt and node_id not in context.reachable
    return Severity.WARNING if loose and context.outputs else rule.severity


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
