"""
Following what flows along links is cheap: it adds at most half of the time that lint takes
without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from counting import growth
from test_bench_lint import _chain, _template_prompts

from comfygraph.catalog import load_catalog
from comfygraph.documents import open_document
from comfygraph.lint import lint
from comfygraph.lint.registry import stable_rules

if TYPE_CHECKING:
    from measure import Compare

    from comfygraph.lint.rule import Rule

ROOT = Path(__file__).parents[2]
CATALOG = load_catalog()
ALL = stable_rules()
REST = tuple(rule for rule in ALL if not rule.id.startswith("CG7"))
AIM = 1.5


def _lint(graphs: list[bytes], rules: tuple[Rule, ...]) -> Callable[[], None]:
    def work() -> None:
        for graph in graphs:
            lint(open_document(graph), CATALOG, rules=rules)

    return work


def test_templates(compare: Compare) -> None:
    """
    On all official templates the rules about dataflow add at most half.
    """
    graphs = _template_prompts()

    compare(_lint(graphs, ALL), _lint(graphs, REST), aim=AIM, rounds=7)


@pytest.mark.parametrize("path", ["examples/hires.json", "tests/data/seed/tams_workflow.json"])
def test_one_graph(compare: Compare, path: str) -> None:
    """
    On one usual graph, too. The seed has two findings to tell, and telling costs as well.
    """
    graphs = [(ROOT / path).read_bytes()] * 100

    compare(_lint(graphs, ALL), _lint(graphs, REST), aim=AIM, rounds=7)


def test_long_graph_of_samplers(compare: Compare) -> None:
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
    graphs = [json.dumps(graph).encode()]

    compare(_lint(graphs, ALL), _lint(graphs, REST), aim=AIM, rounds=3)


def test_without_latents(compare: Compare) -> None:
    """
    A graph of pictures alone pays nothing: the rules about dataflow do not look at it.
    """
    graphs = [_chain(2_000)]
    every, rest = _lint(graphs, ALL), _lint(graphs, REST)

    assert growth(every, rest) < 1.05
    compare(every, rest, aim=1.1, rounds=7)
