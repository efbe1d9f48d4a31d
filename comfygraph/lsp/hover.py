"""
What an editor shows where the mouse rests: the node's signature, the input's facts, a link's ends.
"""

from __future__ import annotations

from comfygraph.catalog import NodeCatalog, NodeDef
from comfygraph.catalog.signature import input_text, signature_text
from comfygraph.errors import clean
from comfygraph.lsp.reading import Reading, Spot


def hover_text(reading: Reading, spot: Spot, catalog: NodeCatalog) -> str | None:
    """
    Give what there is to say about a spot, as Markdown; `None` for nothing.
    """
    node = catalog.get(spot.class_type) if spot.class_type else None
    if node is None:
        known = f"`{clean(spot.class_type)}` is not in the node catalog"
        return known if spot.class_type and spot.part in ("class", "node") else None
    if spot.input is None:
        return _fenced(signature_text(node))
    parts = []
    if spot.source is not None:
        parts.append(_link_text(reading, spot, catalog))
    line = input_text(node, spot.input, spot.inputs)
    if line is not None:
        parts.append(_fenced(line))
        parts.append(f"of {clean(node.display_name)}")
    return "\n\n".join(parts) or None


def _link_text(reading: Reading, spot: Spot, catalog: NodeCatalog) -> str:
    assert spot.source is not None
    source = catalog.get(reading.class_of(reading.node(spot.source)))
    slot = "" if spot.slot is None else f" slot {spot.slot}"
    return f"from {clean(reading.label(spot.source))}{slot}{_gives(source, spot.slot)}"


def _gives(source: NodeDef | None, slot: int | None) -> str:
    if source is None or slot is None or not 0 <= slot < len(source.outputs):
        return ""
    output = source.outputs[slot]
    name = f" {clean(output.name)}" if output.name != output.type else ""
    return f": {clean(output.type)}{name}"


def _fenced(text: str) -> str:
    # a longer fence than any in the text: names in catalogs come from strangers
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
