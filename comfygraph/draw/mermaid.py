"""
Mermaid: a drawing that Markdown on GitHub and elsewhere shows.
"""

from __future__ import annotations

import re

from comfygraph.draw.colors import SEVERITIES, socket_color
from comfygraph.draw.scene import Scene, SceneNode, nested_groups
from comfygraph.draw.text import one_line

_SPECIAL = re.compile(r"[^\w .,:()/+\-]")


def render_mermaid(scene: Scene) -> str:
    """
    Give the graph as a Mermaid flowchart, links in the editor's colours.
    """
    names = {node_id: f"n{index}" for index, node_id in enumerate(scene.nodes)}
    lines = ["flowchart LR"]
    framed = {node_id for group in scene.groups for node_id in group.nodes}
    lines += [
        f"    {_node(names[node_id], node)}"
        for node_id, node in scene.nodes.items()
        if node_id not in framed
    ]
    for depth, number in nested_groups(scene):
        space = "    " * (depth + 1)
        if number is None:
            lines.append(f"{space}end")
            continue
        group = scene.groups[number]
        lines.append(f'{space}subgraph g{number}["{_quoted(group.title) or " "}"]')
        lines += [f"{space}    {_node(names[item], scene.nodes[item])}" for item in group.nodes]
    for link in scene.links:
        arrow = f'-->|"{_quoted(link.type)}"|' if link.type != "*" else "-->"
        lines.append(f"    {names[link.origin]} {arrow} {names[link.target]}")
    by_color: dict[str, list[str]] = {}
    for index, link in enumerate(scene.links):
        by_color.setdefault(socket_color(link.type), []).append(str(index))
    for color, numbers in by_color.items():
        lines.append(f"    linkStyle {','.join(numbers)} stroke:{color}")
    lines += [
        f"    style g{number} stroke:{group.color}" for number, group in enumerate(scene.groups)
    ]
    used = {node.severity for node in scene.nodes.values()}
    for severity, color in SEVERITIES.items():
        if severity in used:
            lines.append(f"    classDef {severity} stroke:{color},stroke-width:3px")
    return "\n".join(lines) + "\n"


def _node(name: str, node: SceneNode) -> str:
    label = f"{_quoted(node.face.title)} ({_quoted(node.id)})"
    if node.face.title != node.face.node.class_type:
        label += f"<br/>{_quoted(node.face.node.class_type)}"
    if node.label:
        label += f"<br/>{_quoted(node.label)}"
    for severity, text in node.findings[:3]:
        label += f"<br/>{severity}: {_quoted(text)}"
    if len(node.findings) > 3:
        label += f"<br/>and {len(node.findings) - 3} more"
    mark = f":::{node.severity}" if node.severity is not None else ""
    return f'{name}["{label}"]{mark}'


def _quoted(text: str) -> str:
    """
    Write a text within a label: what could mean something becomes a character code.
    """
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", one_line(text, 120))
