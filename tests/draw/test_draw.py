"""
Drawings, as text.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import loose_prompts, valid_prompts

from comfygraph.catalog import bundled_catalog, load_catalog
from comfygraph.core.values import Prompt
from comfygraph.draw import make_scene, render_dot, render_mermaid, render_page, render_svg
from comfygraph.draw.text import fitted, wrapped_lines, xml
from comfygraph.dsl import build, group
from comfygraph.nodes import EmptyLatentImage, LatentUpscale

CATALOG = load_catalog()
SVG = "{http://www.w3.org/2000/svg}"
GRAPH: dict[str, Any] = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sdxl.safetensors"}},
    "6": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "a cat", "clip": ["4", 1]},
        "_meta": {"title": 'say "hi" [x]'},
    },
    "3": {
        "class_type": "KSampler",
        "inputs": {"model": ["4", 0], "positive": ["6", 0], "steps": 20, "cfg": ["9", 0]},
    },
}


def test_mermaid() -> None:
    """
    The Mermaid text holds titles, links by type, colours, and the findings.
    """
    scene = make_scene(Prompt.from_json(GRAPH), CATALOG, {"3": [("error", "no `cfg`")]})

    assert [
        "flowchart LR",
        '    n0["Load Checkpoint (4)<br/>CheckpointLoaderSimple"]',
        '    n1["say #34;hi#34; #91;x#93; (6)<br/>CLIPTextEncode"]',
        '    n2["KSampler (3)<br/>error: no #96;cfg#96;"]:::error',
        '    n0 -->|"CLIP"| n1',
        '    n0 -->|"MODEL"| n2',
        '    n1 -->|"CONDITIONING"| n2',
        "    linkStyle 0 stroke:#FFD500",
        "    linkStyle 1 stroke:#B39DDB",
        "    linkStyle 2 stroke:#FFA931",
        "    classDef error stroke:#FF5F57,stroke-width:3px",
    ] == render_mermaid(scene).splitlines()


def test_dot_has_slots() -> None:
    """
    In DOT a link goes from the port of its output to the port of its input.
    """
    dot = render_dot(make_scene(Prompt.from_json(GRAPH), CATALOG))

    edges = [line.strip() for line in dot.splitlines() if "->" in line]
    assert [
        'n0:o1:e -> n1:i0:w [color="#FFD500"]',
        'n0:o0:e -> n2:i0:w [color="#B39DDB"]',
        'n1:o0:e -> n2:i1:w [color="#FFA931"]',
    ] == edges
    assert 'PORT="i0"' in dot


def test_svg_shows_the_editors_node() -> None:
    """
    The SVG holds titles, slots, values and links in their colours, and marks findings.
    """
    findings = {"3": [("warning", "slow"), ("error", "no `cfg`")], None: [("info", "hm")]}
    root = ElementTree.fromstring(
        render_svg(make_scene(Prompt.from_json(GRAPH), CATALOG, findings))
    )

    sampler = next(g for g in root.iter(f"{SVG}g") if g.get("data-id") == "3")
    texts = [text.text for text in sampler.iter(f"{SVG}text")]
    for wanted in ("KSampler", "#3", "model", "LATENT", "steps", "20", "2"):
        assert wanted in texts
    tooltip = sampler.find(f"{SVG}title")
    assert tooltip is not None
    assert "KSampler (KSampler, 3)\nwarning: slow\nerror: no `cfg`" == tooltip.text
    assert ["#FF5F57"] == [
        rect.get("stroke") for rect in root.iter(f"{SVG}rect") if rect.get("class") == "outline"
    ]
    strokes = [p.get("stroke") for p in root.iter(f"{SVG}path") if p.get("class") == "link"]
    assert ["#FFD500", "#B39DDB", "#FFA931"] == strokes


@settings(max_examples=60)
@given(st.one_of(loose_prompts(), valid_prompts()), st.text(max_size=12))
def test_any_prompt_can_be_drawn(prompt: Prompt, words: str) -> None:
    """
    Whatever the graph and the texts in it, every format is made, and stays well-formed: each
    node is there once.
    """
    findings: Any = {node_id: [("error", words)] for node_id in prompt}
    findings["nobody"] = [("warning", words)]
    scene = make_scene(prompt, CATALOG, findings)
    root = ElementTree.fromstring(render_svg(scene).encode("utf-8", "replace"))
    drawn = [g.get("data-id") for g in root.iter(f"{SVG}g") if g.get("data-id") is not None]

    assert sorted(ElementTree.fromstring(f"<a>{xml(i)}</a>").text or "" for i in prompt) == sorted(
        i or "" for i in drawn
    )
    mermaid = render_mermaid(scene).splitlines()
    assert len(prompt) == sum(line.startswith("    n") and '["' in line for line in mermaid)
    assert len(prompt) == render_dot(scene).count("[label=<<TABLE")
    page = render_page(scene, name=words)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert data is not None
    assert list(prompt) == list(json.loads(data[1])["nodes"])
    assert 2 == page.count("</script>")


def test_page_needs_nothing_from_elsewhere() -> None:
    """
    The page names no address but that of the SVG name space, and forbids itself to load any.
    """
    page = render_page(make_scene(Prompt.from_json(GRAPH), CATALOG))

    assert [] == re.findall(r"https?://|//[a-z]+\.", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize("text", ["", "word", "many words on a line", "x" * 500, "漢字" * 40])
def test_texts_fit(text: str) -> None:
    """
    Shortened texts are no wider than asked, and say that something is missing.
    """
    shown = fitted(text, 70)

    assert len(shown) <= 12
    assert shown == text or shown.endswith("…")


def test_lines_are_wrapped() -> None:
    """
    Words stay whole, line breaks stay, and the last line says that there is more.
    """
    assert ["one two", "three", "four"] == wrapped_lines("one two three\nfour", 60, 5)
    assert ["one two", "three…"] == wrapped_lines("one two three\nfour", 60, 2)


def test_groups_are_drawn_around_their_nodes() -> None:
    """
    A frame in the picture, a subgraph in Mermaid, a cluster in DOT; names are escaped.
    """
    with group('"<b>/in]'):
        first = EmptyLatentImage(64, 64)
    second = LatentUpscale(first, upscale_method="area", width=64, height=64, crop="disabled")
    scene = make_scene(build(second), bundled_catalog())
    svg, mermaid, dot = render_svg(scene), render_mermaid(scene), render_dot(scene)

    assert [('"<b>', -1, ()), ("in]", 0, ("1",))] == [
        (item.title, item.parent, item.nodes) for item in scene.groups
    ]
    assert 2 == svg.count('<g class="group">')
    assert "&quot;&lt;b&gt;</text>" in svg
    assert (
        '    subgraph g0["#34;#60;b#62;"]\n        subgraph g1["in#93;"]\n            n0["'
        in mermaid
    )
    assert '  subgraph cluster_0 {\n    graph [label="\\"<b>", ' in dot
    assert dot.count("{") == dot.count("}")
    assert '<g class="group">' in render_page(scene)
