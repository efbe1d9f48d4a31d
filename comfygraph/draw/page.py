"""
HTML: one page, without anything from elsewhere, to look around in a graph.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from comfygraph.draw.scene import WORST_FIRST, Scene, SceneNode
from comfygraph.draw.svg import STYLE, svg_content
from comfygraph.draw.text import one_line, xml
from comfygraph.workflow.boxes import value_text

_LONGEST_VALUE = 20_000


def render_page(scene: Scene, *, name: str = "graph") -> str:
    """
    Give a page that shows the graph: drag to pan, wheel to zoom, search, click for details.

    Args:
        scene: What to draw.
        name: What the page is called, such as the file's name.
    """
    folder = files("comfygraph.draw")
    style = folder.joinpath("page.css").read_text("utf-8")
    script = folder.joinpath("page.js").read_text("utf-8")
    template = folder.joinpath("page.html").read_text("utf-8")
    parts = {
        "NAME": xml(one_line(name, 120)),
        "STYLE": f"{STYLE}\n{style}",
        "COUNT": f"{len(scene.nodes)} node{'s' * (len(scene.nodes) != 1)}",
        "FINDINGS": xml(_counts(scene)),
        "GRAPH": svg_content(scene),
        "DATA": _json(_data(scene)),
        "SCRIPT": script,
    }
    # One pass over the template: a title that looks like a place to fill in stays a title.
    out: list[str] = []
    for index, piece in enumerate(template.split("%%")):
        out.append(parts[piece] if index % 2 else piece)
    return "".join(out)


def _counts(scene: Scene) -> str:
    found = [item for node in scene.nodes.values() for item in node.findings]
    found += scene.general
    words = []
    for severity in WORST_FIRST:
        count = sum(kind == severity for kind, _ in found)
        if count:
            plural = "s" * (count > 1 and severity != "info")
            words.append(f"{count} {severity}{plural}")
    return ", ".join(words)


def _data(scene: Scene) -> dict[str, Any]:
    consumers: dict[tuple[str, int], list[list[str]]] = {}
    for link in scene.links:
        consumers.setdefault((link.origin, link.slot), []).append([link.target, link.input])
    return {
        "width": scene.width,
        "height": scene.height,
        "general": [list(item) for item in scene.general],
        "nodes": {node_id: _node(node, consumers) for node_id, node in scene.nodes.items()},
    }


def _node(node: SceneNode, consumers: dict[tuple[str, int], list[list[str]]]) -> dict[str, Any]:
    face = node.face
    inputs: list[dict[str, Any]] = [
        {"name": slot.name, "type": slot.type, "from": [slot.link.node_id, slot.link.slot]}
        for slot in face.inputs
        if slot.link is not None
    ]
    inputs += [
        {"name": slot.name, "type": slot.type, "open": True}
        for slot in face.inputs
        if slot.link is None and not slot.widget
    ]
    inputs += [
        {
            "name": widget.name,
            "value": value_text(widget)[:_LONGEST_VALUE],
            "given": widget.given,
        }
        for widget in face.widgets
        if not widget.linked and widget.kind != "BUTTON"
    ]
    return {
        "title": face.title[:2_000],
        "class": face.node.class_type[:2_000],
        "known": face.plan is not None,
        "box": [node.x, node.y, node.box.width, node.box.height],
        "inputs": inputs,
        "outputs": [
            {
                "name": output.name,
                "type": output.type,
                "to": consumers.get((node.id, slot), []),
            }
            for slot, output in enumerate(face.outputs)
        ],
        "notes": face.lost,
        "findings": [list(item) for item in node.findings],
    }


def _json(value: Any) -> str:
    """
    Write JSON that may stand in a script element: no tag can begin or end in it.
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
