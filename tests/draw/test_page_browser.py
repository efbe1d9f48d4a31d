"""
The page, in a real browser.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, visit

from comfygraph.catalog import load_catalog
from comfygraph.core.values import Prompt
from comfygraph.draw import make_scene, render_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")

HOSTILE = '</script><script>console.error("owned")</script><img src=x onerror=alert(1)>\'"&%%DATA%%'

GRAPH: dict[str, Any] = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": HOSTILE}},
    "6": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": f"a cat\n{HOSTILE}", "clip": ["4", 1]},
        "_meta": {"title": HOSTILE},
    },
    "12:3": {"class_type": HOSTILE, "inputs": {HOSTILE: ["6", 0], "n": 1}},
    '"><b>': {"class_type": "SaveImage", "inputs": {"images": ["12:3", 0]}},
}


def page(tmp_path: Path, graph: dict[str, Any]) -> Path:
    """
    Write the page of a graph, with a finding on node 6 and one on no node.
    """
    findings = {
        "6": [("error", f"the text is bad {HOSTILE}"), ("warning", "and dull")],
        None: [("warning", "nothing is saved")],
    }
    scene = make_scene(Prompt.from_json(graph), load_catalog(), findings)
    path = tmp_path / "page.html"
    path.write_text(render_page(scene, name=HOSTILE), "utf-8")
    return path


def test_page_in_a_browser(tmp_path: Path) -> None:
    """
    The page opens without a word on the console, and shows every node and the findings of the
    one that is asked for; hostile names stay names.
    """
    dom, console = visit(page(tmp_path, GRAPH), tmp_path / "profile", "6")

    assert [] == console
    assert 'data-ready="true"' in dom
    ids = re.findall(r'<g class="node(?: [^"]*)?" data-id="([^"]*)"', dom)
    assert set(GRAPH) == {html.unescape(found) for found in ids}
    panel = dom[dom.index("<aside") : dom.index("</aside>")]
    assert "hidden" not in panel.partition(">")[0]
    assert '<div class="finding error">error: the text is bad' in panel
    assert '<div class="finding warning">warning: and dull</div>' in panel
    assert '1 error, 2 warnings</button>' in dom  # fmt: skip
    assert "<img" not in dom


def test_page_of_two_hundred_nodes(tmp_path: Path) -> None:
    """
    A graph of two hundred nodes opens with everything in sight.
    """
    graph = {
        str(number): {
            "class_type": "ImageScaleBy",
            "inputs": {"image": [str(number // 2), 0], "scale_by": 1.5},
        }
        for number in range(2, 202)
    }
    graph["1"] = {"class_type": "LoadImage", "inputs": {"image": "a.png"}}
    path = page(tmp_path, graph)
    dom, console = visit(path, tmp_path / "profile")

    assert [] == console
    assert 201 == len(re.findall(r'<g class="node[" ]', dom))
    data = json.loads(
        html.unescape(re.findall(r'id="data">(.*?)</script>', path.read_text("utf-8"))[0])
    )
    moved = re.search(
        r'id="view" transform="translate\(([-\d.]+) ([-\d.]+)\) scale\(([\d.]+)\)', dom
    )
    assert moved is not None
    x, y, scale = map(float, moved.groups())
    assert x >= 0
    assert y >= 0
    assert x + data["width"] * scale <= 1600
    assert y + data["height"] * scale <= 1000


ACTIONS = """
<script>
const said = {};
const press = (key, at) => at.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const by = (id) => document.getElementById(id);
const graph = by("canvas"), view = by("view"), panel = by("panel"), search = by("search");
const place = () => view.getAttribute("transform");
const node = (id) => view.querySelector(`[data-id="${id}"]`);
by("findings").click();
said.findings = [...panel.querySelectorAll(".finding")].length;
press("Escape", graph);
said.closed = panel.hidden;
press("/", graph);
said.searching = document.activeElement === search;
search.value = "A CAT";
search.dispatchEvent(new Event("input"));
said.hits = [...view.querySelectorAll(".hit")].map((item) => item.dataset.id);
press("Enter", search);
said.found = panel.querySelector("h2").textContent;
press("Escape", search);
said.left = [search.value, view.querySelectorAll(".hit").length];
const before = place();
graph.dispatchEvent(new WheelEvent("wheel", { deltaY: -200, clientX: 300, clientY: 300 }));
said.zoomed = place() !== before;
press("0", graph);
const fitted = place();
press("ArrowLeft", graph);
said.moved = place() !== fitted;
press("+", graph);
press("0", graph);
said.fitted = place() === fitted;
const from = { pointerId: 1, button: 0, clientX: 400, clientY: 700, bubbles: true };
graph.setPointerCapture = () => {};
graph.dispatchEvent(new PointerEvent("pointerdown", from));
graph.dispatchEvent(new PointerEvent("pointermove", { ...from, clientX: 450 }));
graph.dispatchEvent(new PointerEvent("pointerup", { ...from, clientX: 450 }));
said.dragged = place() !== fitted;
const loader = node("4");
loader.dispatchEvent(new PointerEvent("pointerdown", from));
loader.dispatchEvent(new PointerEvent("pointerup", from));
said.clicked = panel.querySelector(".about").textContent;
said.near = view.querySelectorAll(".wire.near").length;
panel.querySelector("dd .go").click();
said.followed = document.activeElement.dataset.id;
press("Enter", node("12:3"));
said.keyboard = panel.querySelector(".about").textContent.endsWith(" · 12:3, a class that " +
  "the catalog does not know");
said.tabs = [...view.querySelectorAll(".node")].every((item) => item.tabIndex === 0);
document.body.append(Object.assign(document.createElement("pre"), {
  id: "said", textContent: JSON.stringify(said) }));
</script>
"""


def test_page_answers(tmp_path: Path) -> None:
    """
    Search, keys, wheel, drag, click and the list of findings do what the page says.
    """
    path = page(tmp_path, GRAPH)
    path.write_text(path.read_text("utf-8").replace("</body>", f"{ACTIONS}</body>"), "utf-8")
    dom, console = visit(path, tmp_path / "profile")

    assert [] == console
    said = re.search(r'<pre id="said">(.*?)</pre>', dom, re.DOTALL)
    assert said is not None
    assert {
        "findings": 3,
        "closed": True,
        "searching": True,
        "hits": ["6"],
        "found": HOSTILE,
        "left": ["", 0],
        "zoomed": True,
        "moved": True,
        "fitted": True,
        "dragged": True,
        "clicked": "CheckpointLoaderSimple · 4",
        "near": 1,
        "followed": "6",
        "keyboard": True,
        "tabs": True,
    } == json.loads(html.unescape(said[1]))
