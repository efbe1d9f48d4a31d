"""
Finding nodes by class, title and place in the graph.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from strategies import loose_prompts

from comfygraph.core.edit import set_input
from comfygraph.core.graph import GraphView
from comfygraph.core.values import Prompt
from comfygraph.errors import EditError

HIRES = Prompt.from_json(
    json.loads((Path(__file__).parents[2] / "examples" / "hires.json").read_text("utf-8"))
)


def test_one_node_is_found():
    """
    By class, by title, and by both with what it feeds.
    """
    assert "1" == HIRES.find("CheckpointLoaderSimple").id
    assert "9" == HIRES.find(title="second pass").id
    assert "7" == HIRES.find("KSampler", upstream_of="9").id
    assert "9" == HIRES.find("KSampler", downstream_of=HIRES["7"]).id


def test_links_are_followed_by_name():
    """
    From node to node, upstream.
    """
    second = HIRES.find(title="second pass")

    assert "7" == HIRES.follow(second, "latent_image", "samples").id
    assert second == HIRES.follow(second)


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ({"class_type": "KSampler"}, "2 nodes are of class", '"base pass" (7), KSampler'),
        ({"class_type": "KSamplr"}, "no node is of class `KSamplr`", "did you mean `KSampler`?"),
        ({"title": "basepass"}, 'no node is titled "basepass"', "did you mean `base pass`?"),
        ({"title": "??"}, 'no node is titled "??"', "there are CheckpointLoaderSimple"),
        ({"upstream_of": "99"}, "no node `99` in the prompt", ""),
        (
            {"class_type": "SaveImage", "upstream_of": "9"},
            'no node is of class `SaveImage` and upstream of KSampler "second pass" (9)',
            "",
        ),
    ],
)  # fmt: skip
def test_errors_name_candidates(wanted: dict[str, Any], message: str, hint: str):
    """
    None or several: the error says which there are.
    """
    with pytest.raises(EditError) as caught:
        HIRES.find(**wanted)

    assert caught.value.message.startswith(message)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("positve", "`positve` of KSampler", "did you mean `positive`?"),
        ("seed", "is not linked", "linked are `model`"),
    ],
)
def test_what_cannot_be_followed_is_told(name: str, message: str, hint: str):
    """
    An input that is not there or holds a constant leads nowhere.
    """
    with pytest.raises(EditError) as caught:
        HIRES.follow("9", name)

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_edits_take_nodes_for_ids():
    """
    What `find` gives can be handed on.
    """
    sampler = HIRES.find(title="base pass")

    assert 3 == set_input(HIRES, sampler, "steps", 3)[sampler.id].inputs["steps"]
    assert 26 == HIRES[sampler.id].inputs["steps"]


@given(loose_prompts())
def test_up_and_downstream_are_those_of_the_view(prompt: Prompt):
    """
    The nodes that a graph view knows, in the order of the prompt, without the node itself.
    """
    view = GraphView(prompt)
    for node in prompt.nodes():
        up = [item.id for item in prompt.find_all(upstream_of=node)]
        down = [item.id for item in prompt.find_all(downstream_of=node)]

        assert up == [key for key in prompt if key in view.upstream(node.id) - {node.id}]
        assert down == [key for key in prompt if key in view.downstream(node.id) - {node.id}]
