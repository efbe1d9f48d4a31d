"""
SVG: the graph as the editor shows it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from comfygraph.draw.colors import SEVERITIES, socket_color
from comfygraph.draw.scene import Scene, SceneGroup, SceneLink, SceneNode
from comfygraph.draw.text import fitted, one_line, wrapped_lines, xml
from comfygraph.workflow.boxes import TITLE, text_width, value_text
from comfygraph.workflow.clusters import PADDING
from comfygraph.workflow.faces import FaceWidget

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[_.])(?=\w)")
"""Where a long name without spaces may be broken."""

MANY = 8
"""An output that feeds more inputs than this has faint links."""

STYLE = """
.canvas { fill: #212121; }
.dots { fill: #2e2e2e; }
text { font-family: Inter, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; font-size: 12px; }
.node .body { fill: #353535; stroke: #1a1a1a; stroke-width: 1; }
.node .bar { fill: #2b2b2b; }
.node .title { fill: #e6e6e6; font-size: 13px; font-weight: 600; }
.node .id { fill: #8f8f8f; font-size: 11px; text-anchor: end; }
.node .slot { fill: #c4c4c4; }
.node .out { text-anchor: end; }
.node .field { fill: #222222; stroke: #5a5a5a; }
.node .name { fill: #a3a3a3; }
.node .value { fill: #e2e2e2; text-anchor: end; }
.node .words { fill: #dcdcdc; }
.node .unset .value, .node .linked .value { fill: #8a8a8a; font-style: italic; }
.node .linked .name { fill: #c4c4c4; }
.node .linked .field { fill: none; stroke-dasharray: 3 3; }
.node .far { display: none; }
.node .far text { font-size: inherit; font-weight: 600; fill: #f0f0f0; text-anchor: middle; }
.unknown .body { fill: #4a2b33; }
.node .label { fill: #9fc5a8; font-size: 11px; }
.group rect { fill-opacity: .16; stroke-opacity: .7; stroke-width: 1.5; }
.group text { font-size: 24px; font-weight: 600; }
.outline { fill: none; stroke-width: 3; }
.badge text { font-size: 11px; font-weight: 700; text-anchor: middle; fill: #161616; }
.link { fill: none; stroke-width: 2.6; stroke-linecap: round; opacity: .9; }
.faint .link { opacity: .5; stroke-width: 1.8; }
.shade { fill: none; stroke: #141414; stroke-width: 5; stroke-linecap: round; opacity: .55; }
""".strip()


def render_svg(scene: Scene) -> str:
    """
    Give the graph as one SVG document that needs nothing else.
    """
    width, height = max(scene.width, 200), max(scene.height, 120)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">\n<style>{STYLE}</style>\n'
        f'<rect class="canvas" width="{width}" height="{height}"/>\n'
        f"{svg_content(scene)}</svg>\n"
    )


def svg_content(scene: Scene) -> str:
    """
    Give links and nodes as SVG elements, without the document around them.
    """
    fans = Counter((link.origin, link.slot) for link in scene.links)
    out = [_group(group) for group in scene.groups]
    out.append('<g class="links">\n')
    out += [f"{_link(link, faint=fans[link.origin, link.slot] > MANY)}\n" for link in scene.links]
    out.append('</g>\n<g class="nodes">\n')
    for node in sorted(scene.nodes.values(), key=lambda item: (item.x, item.y)):
        out += _node(node)
    out.append("</g>\n")
    return "".join(out)


def _group(group: SceneGroup) -> str:
    title = fitted(group.title, group.width - 2 * PADDING, 2.0)
    return (
        f'<g class="group"><rect x="{group.x}" y="{group.y}" width="{group.width}" '
        f'height="{group.height}" rx="8" fill="{group.color}" stroke="{group.color}"/>'
        f'<text x="{group.x + PADDING // 2}" y="{group.y + 28}" fill="{group.color}">'
        f"{xml(title)}</text></g>\n"
    )


def _link(link: SceneLink, *, faint: bool) -> str:
    (x1, y1), (x2, y2) = link.start, link.end
    # The editor bends a link by a quarter of the distance between its ends.
    bend = max(30, min(int(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 / 4), 240))
    path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    kind = "wire faint" if faint else "wire"
    return (
        f'<g class="{kind}" data-from="{xml(link.origin)}" data-to="{xml(link.target)}">'
        f'<path class="shade" d="{path}"/>'
        f'<path class="link" stroke="{socket_color(link.type)}" d="{path}">'
        f"<title>{xml(one_line(link.type, 60))}: {xml(one_line(link.origin, 60))} → "
        f"{xml(one_line(link.target, 60))} {xml(one_line(link.input, 60))}</title></path></g>"
    )


def _node(node: SceneNode) -> Iterator[str]:
    box, face = node.box, node.face
    label = f"{one_line(face.title, 100)}, node {one_line(node.id, 60)}"
    if node.findings:
        label += f", {len(node.findings)} finding{'s' * (len(node.findings) > 1)}"
    kind = " unknown" if face.plan is None else ""
    yield (
        f'<g class="node{kind}" data-id="{xml(node.id)}" role="button" aria-label="{xml(label)}" '
        f'transform="translate({node.x} {node.y})">'
    )
    yield f"<title>{xml(_tooltip(node))}</title>"
    yield f'<rect class="body" width="{box.width}" height="{box.height}" rx="8"/>'
    yield (
        f'<path class="bar" d="M0 {TITLE}V8a8 8 0 0 1 8 -8H{box.width - 8}'
        f'a8 8 0 0 1 8 8V{TITLE}z"/>'
    )
    number = fitted(f"#{node.id}", 90)
    room = box.width - 44 - text_width(number) - (24 if node.findings else 0)
    yield f'<circle cx="15" cy="{TITLE // 2}" r="4.5" fill="#777"/>'
    yield f'<text class="title" x="26" y="20">{xml(fitted(face.title, room, 1.1))}</text>'
    right = box.width - (34 if node.findings else 10)
    yield f'<text class="id" x="{right}" y="19">{xml(number)}</text>'
    yield from _slots(node)
    for widget, (top, height) in zip(face.widgets, box.widgets, strict=True):
        yield from _widget(widget, top, height, box.width)
    yield from _far(node)
    if node.label:
        label = fitted(node.label, box.width - 8)
        yield f'<text class="label" x="4" y="{box.height + 14}">{xml(label)}</text>'
    if node.severity is not None:
        yield from _marks(node, SEVERITIES[node.severity])
    yield "</g>\n"


def _tooltip(node: SceneNode) -> str:
    lines = [f"{one_line(node.face.title, 200)} ({node.face.node.class_type}, {node.id})"]
    lines += [f"{severity}: {text}" for severity, text in node.findings]
    return "\n".join(one_line(line, 600) for line in lines)


def _slots(node: SceneNode) -> Iterator[str]:
    box, face = node.box, node.face
    for slot, y in zip(face.inputs, box.inputs, strict=True):
        if slot.widget and slot.link is None:
            continue
        color = socket_color(slot.type)
        filled = color if slot.link is not None else "#353535"
        yield f'<circle cx="0" cy="{y}" r="5" fill="{filled}" stroke="{color}" stroke-width="2"/>'
        if not slot.widget:
            name = fitted(slot.name, box.width // (2 if face.outputs else 1) - 16)
            yield f'<text class="slot" x="12" y="{y + 4}">{xml(name)}</text>'
    for output, y in zip(face.outputs, box.outputs, strict=True):
        color = socket_color(output.type)
        name = fitted(output.name, box.width // 2 - 16)
        yield f'<circle cx="{box.width}" cy="{y}" r="5" fill="{color}"/>'
        yield f'<text class="slot out" x="{box.width - 12}" y="{y + 4}">{xml(name)}</text>'


def _widget(widget: FaceWidget, top: int, height: int, width: int) -> Iterator[str]:
    state = " linked" if widget.linked else "" if widget.given else " unset"
    value = value_text(widget)
    yield f'<g class="widget{state}">'
    radius = 5 if widget.multiline else 10
    yield (
        f'<rect class="field" x="12" y="{top}" width="{width - 24}" height="{height}" '
        f'rx="{radius}"/>'
    )
    if widget.multiline:
        lines = [widget.name] if widget.linked else wrapped_lines(value, width - 44, 5)
        for index, line in enumerate(lines):
            y = top + 17 + index * 16
            yield f'<text class="words" x="20" y="{y}">{xml(line)}</text>'
    else:
        room = width - 56
        shown = "" if widget.linked else one_line(value, 60)
        name = fitted(widget.name, room - min(text_width(shown), room // 2))
        shown = fitted(shown, room - text_width(name)) if shown else ""
        yield f'<text class="name" x="22" y="{top + 14}">{xml(name)}</text>'
        yield f'<text class="value" x="{width - 22}" y="{top + 14}">{xml(shown)}</text>'
    yield "</g>"


def _far(node: SceneNode) -> Iterator[str]:
    """
    The title in large letters: the page shows it instead of the rest from far away.
    """
    title = one_line(node.face.title, 80)
    if " " not in title:
        title = _HUMP.sub(" ", title)
    width, height = node.box.width, node.box.height
    for size in (48, 42, 36, 30, 26, 22):
        most = max(1, (height - 8) // (size * 6 // 5))
        lines = wrapped_lines(title, (width - 16) * 10 // size, most)
        if not any(line.endswith("…") for line in lines):
            break
    step = size * 6 // 5
    start = height // 2 - (len(lines) - 1) * step // 2 + size // 3
    yield f'<g class="far" font-size="{size}">'
    for index, line in enumerate(lines):
        yield f'<text x="{width // 2}" y="{start + index * step}">{xml(line)}</text>'
    yield "</g>"


def _marks(node: SceneNode, color: str) -> Iterator[str]:
    box = node.box
    if node.severity != "info":
        yield (
            f'<rect class="outline" x="-3" y="-3" width="{box.width + 6}" '
            f'height="{box.height + 6}" rx="10" stroke="{color}"/>'
        )
    yield (
        f'<g class="badge"><circle cx="{box.width - 17}" cy="{TITLE // 2}" r="9" fill="{color}"/>'
        f'<text x="{box.width - 17}" y="{TITLE // 2 + 4}">{len(node.findings)}</text></g>'
    )
