"""
Rewriting a graph for a service: its models get the names that they have there, and every other
byte of the document stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from comfygraph.catalog import NodeCatalog
from comfygraph.core.nearest import shorten
from comfygraph.core.pointer import escape_pointer, parse_pointer
from comfygraph.core.values import Prompt
from comfygraph.documents import Document
from comfygraph.errors import InputError, PromptError, WorkflowError
from comfygraph.lint.diagnostic import Diagnostic, Edit, Fix, Report, Severity
from comfygraph.references.forms import FileName
from comfygraph.references.resolution import Resolution
from comfygraph.references.resolve import TargetName
from comfygraph.references.uses import ModelUse, models_of

Find = Callable[[ModelUse, TargetName], Resolution]

_Owner: TypeAlias = tuple[str, str, tuple[str | int, ...]]
"""Node, input, and the way down into its value."""

# What lint says of the same names in a graph for that service.
_RULES: Mapping[TargetName, tuple[str, str]] = {
    "civitai": ("CG411", "model-name-for-air"),
    "tams": ("CG401", "model-name-for-id"),
    "comfyui": ("CG421", "foreign-reference"),
}


class Graph(NamedTuple):
    """
    A document with the models that it needs.

    Args:
        document: The document; a workflow of the editor together with its prompt.
        prompt: The graph.
        uses: Its models.
    """

    document: Document
    prompt: Prompt
    uses: tuple[ModelUse, ...]

    def pointer(self, use: ModelUse) -> str:
        """
        Give the JSON pointer, in the file that the person wrote, of the name of a model.
        """
        tail = (f"/{escape_pointer(str(part))}" for part in use.within)
        return self.document.input_pointer(use.node_id, use.input) + "".join(tail)


def read_graph(document: Document, catalog: NodeCatalog) -> Graph:
    """
    Find the models of a document; workflows of the editor are converted.

    Raises:
        InputError: It holds no graph.
        WorkflowError: The workflow cannot be converted.
    """
    if document.kind == "workflow":
        from comfygraph.lint.workflows import converted

        result = converted(document, catalog)
        if result.sources is None:
            found = result.diagnostics[0]
            raise WorkflowError(f"{document.path}: {found.message}", hint=found.help)
        document = result.document
    elif document.kind == "unknown":
        raise PromptError(f"{document.path}: holds no graph")
    prompt = document.to_prompt()
    return Graph(document, prompt, tuple(models_of(prompt, catalog)))


class Change(NamedTuple):
    """
    A name that changes.

    Args:
        use: Where it stands.
        pointer: Where that is in the file.
        name: The new one.
        evidence: How it was found.
    """

    use: ModelUse
    pointer: str
    name: str
    evidence: str


class Retargeted(NamedTuple):
    """
    A document for another service.

    Args:
        text: The document with the names that were found.
        changes: The names that are new.
        kept: The models whose names were right already.
        report: What could not be named, as lint's findings.
    """

    text: str
    changes: tuple[Change, ...]
    kept: tuple[ModelUse, ...]
    report: Report

    @property
    def complete(self) -> bool:
        """Whether every model has its name."""
        return not self.report.diagnostics


def retarget(graph: Graph, target: TargetName, find: Find) -> Retargeted:
    """
    Give a document in which models are named as a service wants them.

    Args:
        graph: The document and its models.
        target: The service.
        find: Gives the name of a model there, `Resolver.resolve` for one.

    Raises:
        InputError: The document never was text, or cannot be edited.
    """
    document = graph.document
    if document.text is None:
        raise InputError(f"{document.path}: there is no text to edit")
    found: list[Diagnostic] = []
    changes: list[Change] = []
    kept: list[ModelUse] = []
    known: dict[tuple[object, ...], Resolution] = {}
    for use in graph.uses:
        key = (use.value, use.folder, use.input, use.span is None, id(use.listed))
        if key not in known:
            known[key] = find(use, target)
        answer = known[key]
        if answer.name is None:
            found.append(_diagnostic(graph, use, target, answer.evidence, answer.help))
        elif answer.name == use.value:
            kept.append(use)
        else:
            changes.append(Change(use, graph.pointer(use), answer.name, answer.evidence))
    edits, made, refused = _edits(graph, changes)
    found += [_diagnostic(graph, change.use, target, why, None) for change, why in refused]
    order = {(use.node_id, use.input): place for place, use in enumerate(graph.uses)}
    found.sort(key=lambda item: order[item.node_id or "", item.input or ""])
    report = Report(document.path, tuple(found), document.text)
    return Retargeted(_edited(document, edits), tuple(made), tuple(kept), report)


def _diagnostic(
    graph: Graph, use: ModelUse, target: TargetName, why: str, help: str | None
) -> Diagnostic:
    rule_id, name = _RULES[target]
    if target == "comfyui" and isinstance(use.reference, FileName):
        rule_id, name = "CG314", "missing-file"
    return Diagnostic(
        rule_id,
        name,
        Severity.ERROR,
        f"`{use.input}` is `{shorten(use.value)}`: {why}",
        graph.pointer(use),
        node_id=use.node_id,
        input=use.input,
        help=help,
        title=use.title if use.title != use.class_type else None,
        class_type=use.class_type,
        file=graph.document.path,
    )


def _edits(
    graph: Graph, changes: list[Change]
) -> tuple[list[Edit], list[Change], list[tuple[Change, str]]]:
    """Turn new names into edits of the file, one for each place in it."""
    by_place: dict[str, dict[_Owner, list[Change]]] = {}
    for change in changes:
        owner = (change.use.node_id, change.use.input, change.use.within)
        by_place.setdefault(change.pointer, {}).setdefault(owner, []).append(change)
    edits: list[Edit] = []
    made: list[Change] = []
    refused: list[tuple[Change, str]] = []
    for pointer, owners in by_place.items():
        there = _value_at(graph.document.value, pointer)
        values = {owner: _value_of(graph.prompt, owner) for owner in owners}
        everyone = [change for group in owners.values() for change in group]
        if any(there != value for value in values.values()):
            why = "the file holds something else there, such as a widget of a subgraph"
            refused += [(change, why) for change in everyone]
            continue
        wanted = {_replaced(values[owner], group) for owner, group in owners.items()}
        if len(wanted) > 1:
            why = "several nodes share this place in the file, and want different names"
            refused += [(change, why) for change in everyone]
            continue
        edits.append(Edit(pointer, "set", wanted.pop()))
        made += everyone
    return edits, made, refused


def _replaced(value: str, changes: list[Change]) -> str:
    """Put new names into the value of one input, from its end to its beginning."""
    for change in sorted(changes, key=lambda one: one.use.span or (0, 0), reverse=True):
        start, end = change.use.span or (0, len(value))
        value = value[:start] + change.name + value[end:]
    return value


def _value_of(prompt: Prompt, owner: _Owner) -> Any:
    node_id, name, within = owner
    value: Any = prompt[node_id].inputs[name]
    for part in within:
        value = value[part]
    return value


def _value_at(value: Any, pointer: str) -> Any:
    for token in parse_pointer(pointer):
        if isinstance(value, dict):
            value = value.get(token)
        elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            return None
    return value


def _edited(document: Document, edits: list[Edit]) -> str:
    text = document.text or ""
    if not edits:
        return text
    from comfygraph.lint.edits import apply_fixes

    result = apply_fixes(text, [Fix("retarget", tuple(edits), safe=True)])
    if not result.fixes:
        raise InputError(
            f"{document.path}: cannot be edited in place",
            hint="look for keys that are there twice: `comfygraph lint` finds them",
        )
    return result.text
