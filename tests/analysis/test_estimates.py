"""
Estimates: what costs more costs more, and a sweep costs what changes in it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flow_graphs import CATALOG, advanced, base, node
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.analysis.estimates import estimate, sweep_cost
from comfygraph.core.values import Prompt

ROOT = Path(__file__).parents[2]


@given(
    st.integers(1, 200), st.integers(64, 2048), st.integers(64, 2048), st.integers(1, 8),
)  # fmt: skip
def test_steps_times_pixels_times_batch(steps: int, width: int, height: int, batch: int) -> None:
    """
    A sampler costs its steps times the megapixels of all its pictures, with SDXL.
    """
    graph = base(
        "sdxl.pt",
        n4={"width": width, "height": height, "batch_size": batch},
        n5={"steps": steps},
    )
    pixels = (width // 8 * 8) * (height // 8 * 8) * batch

    assert max(steps * pixels / 1024**2, 0.01) == pytest.approx(estimate(graph, CATALOG)["5"])


def test_families_weigh() -> None:
    """
    A step of a larger model costs more, and half of it without a negative prompt to work out.
    """
    names = ("v1-5-pruned.ckpt", "sdxl.pt", "flux1-dev.safetensors", "flux2_dev.safetensors")
    costs = [estimate(base(name), CATALOG)["5"] for name in names]
    halved = estimate(base("sdxl.pt", n5={"cfg": 1.0}), CATALOG)["5"]

    assert sorted(costs) == costs
    assert costs[1] / 2 == halved


def test_every_node_costs_something() -> None:
    """
    Each node of any graph costs more than nothing, in the order of the graph; a prompt and its
    JSON cost the same.
    """
    graph = json.loads((ROOT / "examples" / "hires.json").read_text("utf-8"))
    costs = estimate(graph, CATALOG)

    assert list(graph) == list(costs)
    assert all(cost > 0 for cost in costs.values())
    assert costs == estimate(Prompt.from_json(graph), CATALOG)


def test_parts_of_the_steps() -> None:
    """
    Of an advanced sampler the steps count that it makes, of a film its latent frames.
    """
    part = estimate(base("sdxl.pt", n5=advanced(start_at_step=5, end_at_step=15)), CATALOG)
    whole = estimate(base("sdxl.pt"), CATALOG)
    film = estimate(
        base("sdxl.pt", n4=node("EmptyHunyuanLatentVideo", width=512, height=512, length=81,
                                batch_size=1)),
        CATALOG,
    )  # fmt: skip

    assert whole["5"] / 2 == part["5"]
    assert whole["5"] * 21 == film["5"]


def test_learned_paces() -> None:
    """
    With paces of classes the result is in seconds; classes without go at the middle pace.
    """
    graph = base("sdxl.pt")
    plain = estimate(graph, CATALOG)
    learned = estimate(graph, CATALOG, learned={"KSampler": 0.5, "SaveImage": 0.1, "Other": 0.2})

    assert plain["5"] * 0.5 == learned["5"]
    assert plain["7"] * 0.1 == learned["7"]
    assert plain["1"] * 0.2 == learned["1"]


def test_sweeps() -> None:
    """
    Forty seeds cost nearly forty times the first; what was made before is not paid for again.
    """
    graphs = [base("sdxl.pt", n5={"seed": seed}) for seed in range(40)]
    first = sum(estimate(graphs[0], CATALOG).values())
    kept, anew = sweep_cost(graphs, CATALOG), sweep_cost(graphs, CATALOG, cached=False)
    same = sweep_cost(graphs[:1] * 3, CATALOG)

    assert first == kept.first
    assert 40 == pytest.approx(anew.times)
    assert 20 < kept.times < 40
    assert 40 == len(kept.each)
    assert 1 == same.times
    assert (0.0, 0) == (sweep_cost([]).total, sweep_cost([]).times)
