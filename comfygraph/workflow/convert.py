"""
`convert`: the editor's `workflow.json` → the prompt that the editor would queue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from comfygraph.catalog import NodeCatalog
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.errors import WorkflowError
from comfygraph.workflow.checks import check_node, note_virtual
from comfygraph.workflow.dynamic_prompts import DynamicPrompts
from comfygraph.workflow.emit import Emitter, in_object_order
from comfygraph.workflow.expand import expand
from comfygraph.workflow.issues import ConversionIssue
from comfygraph.workflow.live import LiveNode
from comfygraph.workflow.loading import load
from comfygraph.workflow.model import BYPASSED, MUTED
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.resolve import Resolver
from comfygraph.workflow.scopes import Scope
from comfygraph.workflow.source_map import SourceMap

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class ConversionResult:
    """
    What came of a workflow.

    Args:
        prompt: The prompt. A node whose class the catalog does not have keeps the type that
            the workflow gives it.
        diagnostics: What was found on the way, in the order of the file.
        source_map: Where each node and input of the prompt stands in the workflow file.
        refusal: What the editor throws instead of queueing this workflow, or `None`. The
            prompt then holds what can be told all the same.
        unknown: Ids of the nodes whose class the catalog does not have.
    """

    prompt: Prompt
    diagnostics: tuple[ConversionIssue, ...]
    source_map: SourceMap
    refusal: str | None
    unknown: frozenset[str]

    @property
    def document(self) -> dict[str, Any]:
        """
        The prompt as JSON, exactly as the editor gives it: nodes of unknown classes have no
        `class_type`, which makes every server refuse it.
        """
        document = self.prompt.to_json()
        for node_id in self.unknown:
            del document[node_id]["class_type"]
        return document

    @property
    def ok(self) -> bool:
        """Whether nothing of severity `error` was found."""
        return all(issue.severity != "error" for issue in self.diagnostics)


def convert(
    workflow_json: Any,
    catalog: NodeCatalog,
    *,
    dynamic_prompts: DynamicPrompts = "keep",
    seed: int | None = None,
    strict: bool = False,
    now: datetime | None = None,
    groups: bool = False,
) -> ConversionResult:
    """
    Convert a workflow of ComfyUI's editor into a prompt, without the editor.

    The result is what the editor 1.49 would queue, value by value. It never depends on
    chance or on the clock, see `dynamic_prompts` and `now`.

    Args:
        workflow_json: The parsed `workflow.json`, format 0.4 or 1.0. It is not changed.
        catalog: The node classes of the server that the prompt is meant for.
        dynamic_prompts: What to do with `{a|b}` in texts: `"keep"` them, take the
            `"first"`, draw with a `"seed"`, or call them an `"error"`.
        seed: For `dynamic_prompts="seed"`.
        strict: Raise where the editor would throw.
        now: The time to put in place of `%date:...%`, or `None` to leave that as it is.
        groups: Keep the groups of the editor in `_meta.comfygraph.group`, which the editor
            itself does not put into prompts.

    Raises:
        WorkflowError: The document is not a workflow, or expands to an absurd size; with
            `strict`, also where the editor would refuse to queue it.
        UsageError: `dynamic_prompts` and `seed` do not go together.
    """
    notes = Notes()
    workflow = load(workflow_json, catalog, notes, now)
    resolver = Resolver(notes)
    emitter = Emitter(resolver, workflow.replacer, notes, dynamic_prompts, seed)
    names = None
    if groups:
        from comfygraph.workflow.frames import GroupNames

        names = GroupNames()
    nodes: dict[str, Node] = {}
    sources: dict[str, tuple[Scope, LiveNode]] = {}
    unknown: set[str] = set()
    for scope, node in expand(workflow.root, workflow.boundaries):
        node_id = scope.prefix + node.emit_id
        group = names.of(scope, node) if names is not None else None
        if node.virtual:
            note_virtual(node, node_id, notes)
            continue
        if node.mode in (MUTED, BYPASSED):
            continue
        made = nodes[node_id] = emitter.emit(scope, node, node_id)
        if group is not None:
            meta = {**(made.meta or {}), "comfygraph": {"group": group}}
            nodes[node_id] = replace(made, meta=meta)
        sources[node_id] = (scope, node)
        check_node(node, node_id, catalog.label, notes)
        if node.plan is None:
            unknown.add(node_id)
    _prune(nodes)
    refusal = workflow.refusal or resolver.refusal
    if strict and refusal is not None:
        raise WorkflowError(
            f"the editor refuses this workflow: {refusal}",
            hint="`comfygraph lint` says where it is wrong",
        )
    return ConversionResult(
        prompt=Prompt(in_object_order(nodes)),
        diagnostics=notes.collected(),
        source_map=SourceMap(sources, emitter.places),
        refusal=refusal,
        unknown=frozenset(unknown),
    )


def _prune(nodes: dict[str, Node]) -> None:
    """
    Take away the links to nodes that are not in the prompt.
    """
    for node in nodes.values():
        inputs = node.inputs
        lost = [
            name
            for name, value in inputs.items()
            if type(value) is Link and value.node_id not in nodes
        ]
        if lost:
            assert isinstance(inputs, dict)
            for name in lost:
                del inputs[name]
