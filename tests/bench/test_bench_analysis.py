"""
Following what flows along links is cheap: the aim is that it adds at most half of the time that
lint takes without it. `pytest -s` prints what was measured; the bounds for single graphs, which
take less than a thousandth of a second, leave room for a busy machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from measure import best
from test_bench_lint import _chain, _template_prompts

from comfygraph.catalog import load_catalog
from comfygraph.documents import open_document
from comfygraph.lint import lint
from comfygraph.lint.registry import stable_rules

ROOT = Path(__file__).parents[2]
CATALOG = load_catalog()
ALL = stable_rules()
MOST = 0.75
"""The aim is 0.5; a busy machine adds."""

REST = tuple(rule for rule in ALL if not rule.id.startswith("CG7"))


def _added(graphs: list[bytes], rounds: int = 7) -> float:
    """Give the time that the rules about dataflow add, as a share of that of all others."""

    def check(rules: Any) -> None:
        for graph in graphs:
            lint(open_document(graph), CATALOG, rules=rules)

    with_flow = without = float("inf")
    for _ in range(rounds):
        with_flow = min(with_flow, best(lambda: check(ALL), 1))
        without = min(without, best(lambda: check(REST), 1))
    return with_flow / without - 1


@pytest.mark.slow
def test_templates() -> None:
    """
    On all official templates the rules about dataflow add at most half.
    """
    found = _added(_template_prompts())
    print("added", round(found, 2))

    assert found < MOST


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "most"),
    # The seed has two findings to tell, and nothing else: telling costs as well.
    [("examples/hires.json", 0.9), ("tests/data/seed/tams_workflow.json", 1.6)],
)
def test_one_graph(path: str, most: float) -> None:
    """
    On one usual graph, too.
    """
    found = _added([(ROOT / path).read_bytes()] * 100)
    print("added", round(found, 2))

    assert found < most


@pytest.mark.slow
def test_long_graph_of_samplers() -> None:
    """
    A chain of thousands of samplers and scalings is followed within half as well.
    """
    graph = json.loads((ROOT / "examples" / "hires.json").read_bytes())
    latent = "9"
    for number in range(1_000, 6_000, 2):
        scale = {"samples": [latent, 0], "upscale_method": "area", "scale_by": 1.01}
        graph[str(number)] = {"class_type": "LatentUpscaleBy", "inputs": scale}
        inputs = {**graph["9"]["inputs"], "latent_image": [str(number), 0], "seed": number}
        latent = str(number + 1)
        graph[latent] = {"class_type": "KSampler", "inputs": inputs}
    graph["10"]["inputs"]["samples"] = [latent, 0]
    found = _added([json.dumps(graph).encode()], 3)
    print("added", round(found, 2))

    assert found < MOST


@pytest.mark.slow
def test_without_latents() -> None:
    """
    A graph of pictures alone pays nothing.
    """
    found = _added([_chain(2_000)])
    print("added", round(found, 2))

    assert found < 0.1
