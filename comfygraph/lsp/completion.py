"""
What fits where the cursor is: classes, names of inputs, values of closed vocabularies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lsprotocol import types

from comfygraph.catalog import InputSpec, NodeCatalog
from comfygraph.catalog.signature import input_text
from comfygraph.errors import clean
from comfygraph.lsp.reading import Reading, Spot
from comfygraph.lsp.text_map import TextMap

MOST = 2000
"""Proposals in one answer: more than any vocabulary of the core."""


def completions_at(
    reading: Reading, offset: int, catalog: NodeCatalog, text_map: TextMap
) -> list[types.CompletionItem]:
    """
    Give what can stand at an offset, each as a replacement of the whole key or value there.

    A text that is not JSON just now has no proposals: quotes first, then what is in them.
    """
    spot = reading.spot(offset)
    document = reading.document
    if spot is None or document is None or document.kind == "workflow":
        return []
    start, end = spot.span.start, spot.span.end
    if spot.part == "input" and spot.span.key_start is not None and spot.span.key_end is not None:
        start, end = spot.span.key_start, spot.span.key_end
    if spot.part == "node":
        return []
    out: list[types.CompletionItem] = []
    for value, kind, detail in _proposals(spot, catalog):
        if len(out) == MOST:
            break
        text = json.dumps(value, ensure_ascii=False)
        out.append(
            types.CompletionItem(
                label=clean(str(value)),
                kind=kind,
                detail=detail,
                filter_text=text,
                sort_text=f"{len(out):05}",
                text_edit=types.TextEdit(text_map.range(start, end), text),
            )
        )
    return out


def _proposals(
    spot: Spot, catalog: NodeCatalog
) -> Iterator[tuple[Any, types.CompletionItemKind, str | None]]:
    if spot.part == "class":
        for name in catalog.names():
            yield name, types.CompletionItemKind.Class, None
        return
    node = catalog.get(spot.class_type)
    if node is None or spot.input is None:
        return
    specs = node.expand(spot.inputs)
    if spot.part == "input":
        for name in specs:
            if name == spot.input or name not in spot.inputs:
                detail = input_text(node, name, spot.inputs)
                yield name, types.CompletionItemKind.Property, detail
        return
    spec = specs.get(spot.input)
    if spec is not None:
        for value in _values(spec):
            yield value, types.CompletionItemKind.EnumMember, None


def _values(spec: InputSpec) -> Iterator[Any]:
    if spec.options is not None:
        yield from spec.options
    elif spec.type == "BOOLEAN":
        yield from (True, False)
