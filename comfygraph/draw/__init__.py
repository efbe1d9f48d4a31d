"""
Pictures of a graph: Mermaid, DOT, SVG, and a page to look around in.
"""

from __future__ import annotations

from comfygraph.draw.dot import render_dot
from comfygraph.draw.mermaid import render_mermaid
from comfygraph.draw.page import render_page
from comfygraph.draw.scene import Findings, Scene, check_size, make_scene
from comfygraph.draw.svg import render_svg

__all__ = [
    "Findings",
    "Scene",
    "check_size",
    "make_scene",
    "render_dot",
    "render_mermaid",
    "render_page",
    "render_svg",
]
