"""
DOT: a drawing for Graphviz, slot by slot.
"""

from __future__ import annotations

from comfygraph.draw.colors import SEVERITIES, socket_color
from comfygraph.draw.scene import Scene, SceneNode, nested_groups
from comfygraph.draw.text import one_line, xml
from comfygraph.workflow.boxes import value_text


def render_dot(scene: Scene) -> str:
    """
    Give the graph as a digraph: a table for each node, with a port for each slot.
    """
    names = {node_id: f"n{index}" for index, node_id in enumerate(scene.nodes)}
    lines = [
        "digraph prompt {",
        '  graph [rankdir=LR, bgcolor="#202020", nodesep=0.3, ranksep=0.9]',
        '  node [shape=plain, fontname="Helvetica", fontsize=11, fontcolor="#DDDDDD"]',
        "  edge [penwidth=2, arrowhead=none]",
    ]
    for node_id, node in scene.nodes.items():
        tip = "\\n".join(_text(f"{severity}: {text}") for severity, text in node.findings)
        tip = f', tooltip="{tip}"' if tip else ""
        lines.append(f"  {names[node_id]} [label=<{_table(node)}>{tip}]")
    for depth, number in nested_groups(scene):
        space = "  " * (depth + 1)
        if number is None:
            lines.append(f"{space}}}")
            continue
        group = scene.groups[number]
        lines.append(f"{space}subgraph cluster_{number} {{")
        lines.append(
            f'{space}  graph [label="{_text(group.title)}", labeljust=l, style="rounded,filled", '
            f'fontname="Helvetica", fontsize=14, fontcolor="#DDDDDD", color="{group.color}", '
            f'fillcolor="{group.color}30"]'
        )
        lines += [f"{space}  {names[node_id]}" for node_id in group.nodes]
    ports = {
        (node_id, slot.name): f"i{index}"
        for node_id, node in scene.nodes.items()
        for index, slot in enumerate(node.face.inputs)
    }
    lines += [
        f"  {names[link.origin]}:o{link.slot}:e -> "
        f"{names[link.target]}:{ports[link.target, link.input]}:w "
        f'[color="{socket_color(link.type)}"]'
        for link in scene.links
    ]
    lines.append("}")
    return "\n".join(lines) + "\n"


def _table(node: SceneNode) -> str:
    border = SEVERITIES[node.severity] if node.severity is not None else "#555555"
    title = f"{xml(one_line(node.face.title, 50))}  #{xml(one_line(node.id, 30))}"
    rows = [f'<TR><TD COLSPAN="2" BGCOLOR="#444444"><B>{title}</B></TD></TR>']
    inputs = [(index, slot) for index, slot in enumerate(node.face.inputs) if not slot.widget]
    ports = {slot.name: f"i{index}" for index, slot in enumerate(node.face.inputs)}
    for row in range(max(len(inputs), len(node.face.outputs))):
        left = right = "<TD></TD>"
        if row < len(inputs):
            index, slot = inputs[row]
            left = _cell(f"i{index}", "LEFT", slot.name, slot.type)
        if row < len(node.face.outputs):
            output = node.face.outputs[row]
            right = _cell(f"o{row}", "RIGHT", output.name, output.type)
        rows.append(f"<TR>{left}{right}</TR>")
    for widget in node.face.widgets:
        port = f' PORT="{ports[widget.name]}"' if widget.name in ports else ""
        value = "" if widget.linked else xml(one_line(value_text(widget), 40))
        rows.append(
            f'<TR><TD ALIGN="LEFT"{port}>{xml(one_line(widget.name, 30))}</TD>'
            f'<TD ALIGN="RIGHT">{value}</TD></TR>'
        )
    if node.label:
        words = xml(one_line(node.label, 60))
        rows.append(
            f'<TR><TD COLSPAN="2" ALIGN="LEFT"><FONT COLOR="#9FC5A8">{words}</FONT></TD></TR>'
        )
    return (
        f'<TABLE BORDER="2" COLOR="{border}" BGCOLOR="#353535" CELLBORDER="0" CELLSPACING="0" '
        f'CELLPADDING="3">{"".join(rows)}</TABLE>'
    )


def _cell(port: str, side: str, name: str, kind: str) -> str:
    color = socket_color(kind)
    label = xml(one_line(name, 30))
    return f'<TD ALIGN="{side}" PORT="{port}"><FONT COLOR="{color}">{label}</FONT></TD>'


def _text(text: str) -> str:
    return one_line(text, 400).replace("\\", "\\\\").replace('"', '\\"')
