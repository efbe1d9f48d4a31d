"""
`convert`: the editor's `workflow.json` → the prompt that the editor would queue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comfygraph.catalog import NodeCatalog
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.errors import WorkflowError
from comfygraph.workflow.boundary import Boundary
from comfygraph.workflow.issues import RECURSIVE_SUBGRAPH
from comfygraph.workflow.live import LiveGraph, LiveNode, lay_out
from comfygraph.workflow.model import BYPASSED, MAX_NODES, MUTED, read_definitions, read_workflow
from comfygraph.workflow.notes import Notes
from comfygraph.workflow.numbers import as_double
from comfygraph.workflow.order import execution_order, in_object_order, is_array_index
from comfygraph.workflow.plan import ABSENT, CURVE
from comfygraph.workflow.primitives import apply_primitives
from comfygraph.workflow.resolve import Resolver, Source
from comfygraph.workflow.renumber import renumber
from comfygraph.workflow.scopes import Scope, Valued


def convert(workflow_json: Any, catalog: NodeCatalog, *, dynamic_prompts: str = "keep", seed: int | None = None):
    notes = Notes()
    root_file = read_workflow(workflow_json, notes)
    definitions = read_definitions(root_file, notes)
    root = LiveGraph(root_file, is_root=True)
    bodies = {key: LiveGraph(graph, is_root=False) for key, graph in definitions.items()}
    for graph in (root, *bodies.values()):
        lay_out(graph, bodies, catalog)
        apply_primitives(graph, notes)
    renumber(root, list(bodies.values()))
    boundaries = _boundaries(bodies)
    resolver = Resolver(notes)
    out: dict[str, Any] = {}
    for scope, node in expand(root, boundaries, notes):
        if node.virtual or node.mode in (MUTED, BYPASSED):
            continue
        out[scope.prefix + node.emit_id] = emit(scope, node, resolver)
    for entry in out.values():
        inputs = entry["inputs"]
        for name in [n for n, v in inputs.items() if type(v) is list and v[0] not in out]:
            del inputs[name]
    numbers = sorted((int(k), k) for k in out if is_array_index(k))
    if numbers:
        keys = [k for _, k in numbers] + [k for k in out if not is_array_index(k)]
        out = {k: out[k] for k in keys}
    return out, notes, resolver


def _boundaries(bodies):
    boundaries = {id(graph): Boundary(graph) for graph in bodies.values()}
    # inner first
    done = set()
    for graph in bodies.values():
        stack = [(graph, False)]
        while stack:
            g, ready = stack.pop()
            if ready:
                boundaries[id(g)].read_promoted(boundaries)
                continue
            if id(g) in done:
                continue
            done.add(id(g))
            stack.append((g, True))
            for node in g.nodes:
                if node.body is not None and id(node.body) not in done:
                    stack.append((node.body, False))
    return boundaries


def expand(root, boundaries, notes):
    top = Scope(root, boundaries)
    count = 0
    stack = [(top, iter(execution_order(root)))]
    path = set()
    while stack:
        scope, nodes = stack[-1]
        for node in nodes:
            count += 1
            if count > MAX_NODES:
                raise WorkflowError("too many nodes")
            yield scope, node
            if node.body is not None and not (scope.parent is None and node.mode in (MUTED, BYPASSED)):
                if id(node.body) in path:
                    notes.add(RECURSIVE_SUBGRAPH, "recursion", node.pointer)
                    continue
                path.add(id(node.body))
                child = scope.child(node)
                stack.append((child, iter(node.body.nodes)))
                break
        else:
            path.discard(id(scope.graph))
            stack.pop()


def emit(scope, node, resolver):
    inputs = {}
    values = node.values
    for widget in node.widgets:
        if widget.emitted:
            name = widget.name
            value = values[name]
            if scope.inner:
                override = scope.inner.get((node.id, name))
                if override is not None:
                    value = override.value
            if value is not ABSENT:
                inputs[name] = wrap(widget.kind, value)
    for slot in node.inputs:
        if slot.link is None:
            continue
        found = resolver.source(scope, node, slot)
        if found is None:
            continue
        if type(found) is Source:
            inputs[slot.name] = [found.node_id, found.slot]
        elif found.value is not ABSENT:
            inputs[slot.name] = wrap("", found.value)
    entry = {"inputs": inputs}
    if node.plan is not None:
        entry["class_type"] = node.type
    entry["_meta"] = {} if node.title is None else {"title": node.title}
    return entry


def wrap(kind, value):
    value = as_double(value)
    if type(value) is list:
        if kind == CURVE:
            return {"__type__": "CURVE", "__value__": value}
        return {"__value__": value}
    return value
