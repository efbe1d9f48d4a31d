"""
`GraphView`: a prompt seen as a graph.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from strategies import adjacencies, loose_prompts

from comfygraph.core.graph import Edge, GraphView, adjacency_of, topological_order
from comfygraph.core.values import Prompt
from comfygraph.errors import UsageError

PROMPT = Prompt.from_json(
    {
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "3": {"class_type": "KSampler", "inputs": {"model": ["4", 0], "positive": ["6", 0]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {}},
    }
)


def test_order_follows_links() -> None:
    """
    Sources come first, else the order of the document is kept.
    """
    assert ("4", "3", "8", "9", "5") == GraphView(PROMPT).order()


def test_cones() -> None:
    """
    Cones hold their roots, upstream what they need, downstream what needs them.
    """
    view = GraphView(PROMPT)

    assert {"3", "4"} == view.upstream("3")
    assert {"3", "8", "9"} == view.downstream(["3"])
    assert {"9", "8", "3", "4"} == view.reachable_from_outputs(["9", "gone"])


def test_consumers_know_input_and_slot() -> None:
    """
    Consumers are given with the input that takes the output, also those of a missing node.
    """
    view = GraphView(PROMPT)

    assert (Edge("8", "vae", "4", 2), Edge("3", "model", "4", 0)) == view.consumers("4")
    assert (Edge("3", "positive", "6", 0),) == view.consumers("6")
    assert () == view.consumers("9")


def test_dangling_links() -> None:
    """
    A link to a missing node is dangling, and no part of order or cones.
    """
    view = GraphView(PROMPT)

    assert (Edge("3", "positive", "6", 0),) == view.dangling()
    assert "6" not in view.order()


def test_cycles_of_a_prompt() -> None:
    """
    A node linked to itself is a cycle; what depends on it still has its place.
    """
    prompt = Prompt.from_json(
        {
            "1": {"class_type": "A", "inputs": {"x": ["2", 0]}},
            "2": {"class_type": "A", "inputs": {"x": ["2", 0], "y": ["3", 0]}},
            "3": {"class_type": "A", "inputs": {}},
        }
    )
    view = GraphView(prompt)

    assert [("2",)] == view.cycles()
    assert ("2",) == view.cyclic
    assert not view.is_acyclic
    assert ("3", "1") == view.order()


def test_unknown_id_names_the_nearest() -> None:
    """
    Asking for the cone of a node that is not there is an error of ours.
    """
    view = GraphView({"sampler": [], "decode": ["sampler"]})

    with pytest.raises(UsageError) as caught:
        view.upstream("smapler")

    assert "no node `smapler` in the graph" == caught.value.message
    assert "did you mean `sampler`?" == caught.value.hint


@given(loose_prompts())
def test_prompt_and_its_adjacency_agree(prompt: Prompt) -> None:
    """
    A view of a prompt answers like a view of its plain graph.
    """
    view, plain = GraphView(prompt), GraphView(adjacency_of(prompt))

    assert plain.order() == view.order()
    assert plain.cycles() == view.cycles()
    assert plain.cyclic == view.cyclic
    assert len(plain.edges()) == len(view.edges())
    assert [e.source for e in plain.dangling()] == [e.source for e in view.dangling()]
    for node_id in prompt:
        assert plain.downstream(node_id) == view.downstream(node_id)


@given(adjacencies())
def test_cyclic_and_order_share_the_nodes(graph: dict[str, list[str]]) -> None:
    """
    Every node is either in the order or on a cycle.
    """
    view = GraphView(graph)

    assert sorted(graph) == sorted([*view.order(), *view.cyclic])
    assert topological_order(graph) == list(view.order())
