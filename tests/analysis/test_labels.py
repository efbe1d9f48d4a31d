"""
Labels of drawings: sizes, steps, LoRAs and shares of the cost.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flow_graphs import CATALOG, base, lora

from comfygraph.analysis.labels import labels_of
from comfygraph.cli import run
from comfygraph.core.values import Prompt

HIRES = str(Path(__file__).parents[2] / "examples" / "hires.json")


def test_labels() -> None:
    """
    Loaders tell the family, samplers what they do and cost, others the size of their pictures;
    who has nothing to tell has no label.
    """
    graph = base("sdxl.pt", n10=lora("1"), n4={"batch_size": 3}, n5={"model": ["10", 0]})
    labels = labels_of(Prompt.from_json(graph), CATALOG)

    assert {"1": "SDXL", "4": "512 × 512 × 3", "6": "512 × 512 × 3", "7": "512 × 512 × 3"} == {
        node_id: label for node_id, label in labels.items() if node_id != "5"
    }
    assert re.fullmatch(r"512 × 512 × 3 · 20 steps · 1 LoRA · \d\d% of the cost", labels["5"])


@pytest.mark.parametrize("kind", ["svg", "html", "dot", "mermaid"])
def test_drawings_show_them(kind: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """
    Every kind of drawing shows the labels, unless they are not wanted.
    """
    run(["draw", "--no-lint", "--format", kind, HIRES])
    drawn = capfdbinary.readouterr().out.decode()
    run(["draw", "--no-lint", "--no-labels", "--format", kind, HIRES])
    bare = capfdbinary.readouterr().out.decode()

    assert "26 steps" in drawn
    assert "26 steps" not in bare
