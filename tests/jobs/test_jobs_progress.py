"""
How far a job is: one figure that never goes back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import loose_prompts

from comfygraph.core.values import Prompt
from comfygraph.jobs.progress import Progress
from comfygraph.jobs.weights import node_weights
from comfygraph.targets.events import (
    Event,
    JobFailed,
    JobProgress,
    JobQueued,
    JobStarted,
    JobSucceeded,
    NodeCached,
    NodeFailed,
    NodeFinished,
    NodeProgress,
    NodeStarted,
)


class Clock:
    """
    A clock that stands until it is moved.
    """

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Read it."""
        return self.now


def prompt(**nodes: tuple[str, dict[str, Any]]) -> Prompt:
    """
    Write a prompt as `n1=("KSampler", {"steps": 20})`.
    """
    return Prompt.from_json(
        {
            name.removeprefix("n"): {"class_type": class_type, "inputs": inputs}
            for name, (class_type, inputs) in nodes.items()
        }
    )


SIMPLE = prompt(
    n1=("CheckpointLoaderSimple", {}),
    n2=("KSampler", {"model": ["1", 0], "steps": 8}),
    n3=("SaveImage", {"images": ["2", 0]}),
)

_IDS = st.sampled_from(["1", "2", "3", "1:2", "nobody"])
_EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(NodeStarted, _IDS),
    st.builds(NodeProgress, _IDS, st.floats(-1, 30), st.floats(-1, 30)),
    st.builds(NodeFinished, _IDS),
    st.builds(NodeCached, _IDS),
    st.builds(NodeFailed, _IDS, st.just("x")),
    st.builds(JobProgress, st.floats(0, 1), st.booleans()),
    st.just(JobStarted("j")),
    st.builds(JobQueued, st.just("j"), st.integers(0, 5)),
)


@settings(max_examples=200)
@given(
    graph=st.one_of(st.just(SIMPLE), loose_prompts()),
    events=st.lists(_EVENTS, max_size=30),
    gaps=st.lists(st.floats(0, 9), min_size=30, max_size=30),
)
def test_never_back_and_100_at_success(
    graph: Prompt, events: list[Event], gaps: list[float]
) -> None:
    """
    For any events in any order, on any graph, the figure only grows, stays under 100 % until the
    job is over, and is 100 % at success; the time left is never negative.
    """
    clock = Clock()
    progress = Progress(graph, clock=clock)
    figures = [progress.fraction]
    for event, gap in zip(events, gaps, strict=False):
        clock.now += gap
        progress.feed(event)
        figures.append(progress.fraction)
        left = progress.remaining()
        assert left is None or left >= 0
    progress.feed(JobSucceeded("j"))

    assert sorted(figures) == figures
    assert all(0 <= figure < 1 for figure in figures)
    assert 1.0 == progress.fraction
    assert {} == progress.active


def test_figure_follows_the_weights() -> None:
    """
    A sampler counts for its steps, other nodes for one.
    """
    progress = Progress(SIMPLE, clock=Clock())
    figures = []
    for event in (
        NodeFinished("1"),
        NodeStarted("2"),
        NodeProgress("2", 4, 8),
        NodeFinished("2"),
        NodeFinished("3"),
    ):
        progress.feed(event)
        figures.append(progress.fraction)

    assert [0.1, 0.1, 0.5, 0.9, 0.999] == pytest.approx(figures)


def test_nodes_that_nobody_mentions() -> None:
    """
    A sampler that makes steps has what it needs, so its loaders are done, though the service
    never said so.
    """
    progress = Progress(SIMPLE, clock=Clock())
    progress.feed(NodeProgress("2", 4, 8))

    assert 0.5 == pytest.approx(progress.fraction)
    assert progress.is_done("1")
    assert 1 == progress.left


def test_input_that_is_worked_out_late() -> None:
    """
    A node that was taken for done and then runs after all is shown at work; the figure stays.
    """
    progress = Progress(SIMPLE, clock=Clock())
    progress.feed(NodeProgress("2", 4, 8))
    progress.feed(NodeStarted("1"))

    assert {"1", "2"} == set(progress.active)
    assert 0.5 == pytest.approx(progress.fraction)


def test_nodes_outside_the_run_do_not_count() -> None:
    """
    Nodes that no output needs are no part of the whole.
    """
    progress = Progress(SIMPLE, clock=Clock(), runs=["1", "2"])
    progress.feed(NodeFinished("1"))

    assert 1 / 9 == pytest.approx(progress.fraction)
    assert 1 == progress.left


def test_figure_of_the_service() -> None:
    """
    What a service says of the whole job counts; a guess from the clock only while there is
    nothing better.
    """
    progress = Progress(SIMPLE, clock=Clock())
    progress.feed(JobProgress(0.2, estimated=True))
    guessed = progress.fraction
    progress.feed(NodeFinished("1"))
    progress.feed(JobProgress(0.7, estimated=True))
    after = progress.fraction
    progress.feed(JobProgress(0.6))

    assert (0.2, 0.2, 0.6) == (guessed, after, progress.fraction)


def test_time_left() -> None:
    """
    The time left follows the pace of the last while, and is not guessed from nothing.
    """
    clock = Clock()
    progress = Progress(SIMPLE, clock=clock)
    progress.feed(JobStarted("j"))
    first = progress.remaining()
    for second in range(1, 5):
        clock.now = float(second)
        progress.feed(NodeProgress("2", second, 8))

    assert first is None
    # 5 of 10 in 4 seconds
    assert 4.0 == pytest.approx(progress.remaining())
    assert 4.0 == progress.elapsed()


def test_failure_keeps_the_figure() -> None:
    """
    A job that fails stays where it was.
    """
    progress = Progress(SIMPLE, clock=Clock())
    progress.feed(NodeProgress("2", 4, 8))
    progress.feed(JobFailed("j", "no"))

    assert 0.5 == pytest.approx(progress.fraction)
    assert {} == progress.active


def test_long_chains() -> None:
    """
    20,000 nodes are followed in linear time, without recursion.
    """
    nodes = {
        str(index): {"class_type": "X", "inputs": {"in": [str(index - 1), 0]} if index else {}}
        for index in range(20_000)
    }
    progress = Progress(Prompt.from_json(nodes), clock=Clock())
    for index in range(0, 20_000, 100):
        progress.feed(NodeFinished(str(index)))
    progress.feed(NodeProgress("19999", 1, 2))

    assert 0.999 == pytest.approx(progress.fraction, abs=1e-3)
    assert 0 == progress.left


@pytest.mark.parametrize(
    ("nodes", "weight"),
    [
        ({"n1": ("KSampler", {"steps": 26})}, 26),
        ({"n1": ("KSampler", {"steps": 10**9})}, 10_000),
        ({"n1": ("KSampler", {"steps": float("nan")})}, 20),
        ({"n1": ("KSampler", {})}, 20),
        ({"n1": ("KSampler", {"steps": 26, "cfg": 1.0})}, 13),
        ({"n1": ("KSamplerSelect", {"sampler_name": "euler"})}, 1),
        ({"n1": ("BasicScheduler", {"steps": 20})}, 1),
        (
            {"n1": ("KSamplerAdvanced", {"steps": 30, "start_at_step": 10, "end_at_step": 10000})},
            20,
        ),
        ({"n1": ("KSamplerAdvanced", {"steps": 30, "start_at_step": 0, "end_at_step": 12})}, 12),
        (
            {
                "n1": ("SamplerCustomAdvanced", {"sigmas": ["2", 0]}),
                "n2": ("SetFirstSigma", {"sigmas": ["3", 0]}),
                "n3": ("BasicScheduler", {"steps": 15}),
            },
            15,
        ),
        ({"n1": ("KSampler", {"steps": ["2", 0]}), "n2": ("PrimitiveInt", {"value": 15})}, 15),
        ({"n1": ("SamplerCustom", {"sigmas": ["1", 0]})}, 1),
        ({"n1": ("SamplerCustom", {"sigmas": ["9", 0]})}, 20),
    ],
)
def test_weights(nodes: dict[str, tuple[str, dict[str, Any]]], weight: float) -> None:
    """
    A sampler is worth its steps, wherever it has them from, and twenty where nobody knows;
    anything else is worth one.
    """

    assert weight == node_weights(prompt(**nodes))["1"]


def test_weights_of_the_example() -> None:
    """
    The two passes of the example carry most of the weight.
    """
    path = Path(__file__).parents[2] / "examples" / "hires.json"
    weights = node_weights(Prompt.from_json(json.loads(path.read_text())))

    heaviest = sorted(weights, key=lambda node: -weights[node])[:2]

    assert ["9", "7"] == heaviest
    assert weights["7"] + weights["9"] > 0.6 * sum(weights.values())
