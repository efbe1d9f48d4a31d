"""
`--set NODE.INPUT=VALUE`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import load_catalog
from comfygraph.cli.assignments import apply_assignments, read_assignment
from comfygraph.core.values import Link, Prompt
from comfygraph.errors import ComfyGraphError, EditError, UsageError

CATALOG = load_catalog()
GRAPH = Prompt.from_json(
    {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
        "4": {
            "class_type": "CLIPTextEncode",
            "inputs": {"clip": ["1", 1], "text": "a cat"},
            "_meta": {"title": "positive"},
        },
        "5": {
            "class_type": "CLIPTextEncode",
            "inputs": {"clip": ["1", 1], "text": "blur"},
            "_meta": {"title": "v1.5 negative"},
        },
        "3": {
            "class_type": "KSampler",
            "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "sampler_name": "euler"},
            "_meta": {"title": "base pass"},
        },
        "7:2": {"class_type": "UnknownPack.Node", "inputs": {"images.image0": ["3", 0], "n": 1}},
    }
)


@pytest.mark.parametrize(
    ("source", "node_id", "name", "value"),
    [
        ("3.seed=5", "3", "seed", 5),
        ("KSampler.steps=20", "3", "steps", 20),
        ("base pass.steps=7", "3", "steps", 7),
        ('"base pass".steps=7', "3", "steps", 7),
        ("'base pass'.steps=7", "3", "steps", 7),
        ("positive.text=a dog = good. really", "4", "text", "a dog = good. really"),
        ("v1.5 negative.text=x", "5", "text", "x"),
        ('"v1.5 negative".text=x', "5", "text", "x"),
        ("4.text=5", "4", "text", "5"),
        ("4.text=true", "4", "text", "true"),
        ('4.text="quoted"', "4", "text", "quoted"),
        ("4.text=", "4", "text", ""),
        ("3.sampler_name=euler", "3", "sampler_name", "euler"),
        ("3.cfg=6.5", "3", "cfg", 6.5),
        ('3.model=["1", 0]', "3", "model", Link("1", 0)),
        ('4.text=["1", 0]', "4", "text", Link("1", 0)),
        ("7:2.n=2", "7:2", "n", 2),
        ("7:2.images.image0=null", "7:2", "images.image0", None),
        ("UnknownPack.Node.images.image0=1", "7:2", "images.image0", 1),
        (" 3 . seed =5", "3", "seed", 5),
        ("seed=5", "3", "seed", 5),
        ("ckpt_name=b.safetensors", "1", "ckpt_name", "b.safetensors"),
    ],
)
def test_set(source: str, node_id: str, name: str, value: Any) -> None:
    """
    Nodes go by id, title or class; values are JSON, else text, as the input wants them.
    """
    changed = apply_assignments(GRAPH, [source], CATALOG)

    assert value == changed[node_id].inputs[name]
    assert [node_id] == [node for node in GRAPH if GRAPH[node] != changed[node]] or (
        GRAPH[node_id].inputs.get(name) == value
    )


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("3.sed=5", "`--set 3.sed=5`: KSampler (3) has no input `sed`", "did you mean `seed`?"),
        ("4.zzz=5", "`--set 4.zzz=5`: CLIPTextEncode (4) has no input `zzz`", "it has clip, text"),
        (
            "KSamplr.steps=1",
            "`--set KSamplr.steps=1`: no node is called `KSamplr`",
            "did you mean `KSampler`?",
        ),
        (
            "Base Pass.steps=1",
            "`--set Base Pass.steps=1`: no node is called `Base Pass`",
            "did you mean `base pass`?",
        ),
        (
            "qqqq.x=1",
            "`--set qqqq.x=1`: no node is called `qqqq`",
            (
                "name it by its id, its title, a class that occurs once, or its role, such as "
                "`positive`"
            ),
        ),
        (
            "3=5",
            "`--set 3=5`: `3` is a node, not an input",
            "say which input, like `3.seed`",
        ),
        (
            "text=x",
            "`--set text=x`: 2 nodes have an input `text`",
            "say which, like `4.text`: 4 (positive), 5 (v1.5 negative)",
        ),
        (
            "sed=1",
            "`--set sed=1`: no node has an input `sed` that holds a value",
            "did you mean `seed`?",
        ),
        (
            "CLIPTextEncode.text=x",
            "`--set CLIPTextEncode.text=x`: 2 nodes are called `CLIPTextEncode`",
            "say which by its id: 4 (positive), 5 (v1.5 negative)",
        ),
    ],
)
def test_unknown_names(source: str, message: str, hint: str) -> None:
    """
    A name that nothing has gives the nearest, and one that many have asks which.
    """
    with pytest.raises(UsageError) as caught:
        apply_assignments(GRAPH, [source], CATALOG)

    assert (message, hint) == (caught.value.message, caught.value.hint)


@pytest.mark.parametrize(
    "source", ["", "x", "=5", ".seed=5", "3.=5", '"open.seed=5', '"a"seed=5', '"a".=5']
)
def test_malformed(source: str) -> None:
    """
    What is no assignment is a usage error that shows how to write one.
    """
    with pytest.raises(UsageError) as caught:
        apply_assignments(GRAPH, [source], CATALOG)

    assert "--set 3.seed=5" in (caught.value.hint or "")


def test_link_to_nowhere() -> None:
    """
    A link has to lead to a node.
    """
    with pytest.raises(EditError):
        apply_assignments(GRAPH, ['3.model=["99", 0]'], CATALOG)


def test_quotes_and_backslashes() -> None:
    """
    In quotes a backslash keeps the next character as it is.
    """

    assert (('my "best" node', "text"),) == (
        read_assignment(r'"my \"best\" node".text=x').name.readings
    )


@given(source=st.text(st.sampled_from("3.seed=\"\\' KSampler[]{}=5"), max_size=30))
def test_any_text(source: str) -> None:
    """
    No text whatsoever does more than change the graph or raise an error of ours.
    """
    with suppress(ComfyGraphError):
        apply_assignments(GRAPH, [source], CATALOG)


ROLES = Prompt.from_json(
    {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "a cat"}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "blur"}},
        "8": {
            "class_type": "ControlNetApplyAdvanced",
            "inputs": {"positive": ["6", 0], "negative": ["7", 0], "strength": 1.0},
        },
        "9": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["8", 0], "guidance": 3.5}},
        "3": {
            "class_type": "KSampler",
            "inputs": {"model": ["1", 0], "positive": ["9", 0], "negative": ["8", 1], "seed": 1},
        },
        "4": {
            "class_type": "KSampler",
            "inputs": {"model": ["1", 0], "positive": ["9", 0], "negative": ["8", 1], "seed": 2},
        },
    }
)


@pytest.mark.parametrize(
    ("source", "node_id", "name"),
    [
        ("positive.text=x", "6", "text"),
        ("negative.text=x", "7", "text"),
        ("positive.guidance=2", "9", "guidance"),
        ("model.ckpt_name=x", "1", "ckpt_name"),
        ("negative.strength=0.5", "8", "strength"),
    ],
)
def test_roles(source: str, node_id: str, name: str) -> None:
    """
    `positive` is what samplers are linked to there, behind what a conditioning passes through.
    """
    changed = apply_assignments(ROLES, [source], CATALOG)

    assert [(node_id, [name])] == [
        (
            node,
            [key for key in changed[node].inputs if changed[node].inputs[key] != before.get(key)],
        )
        for node in ROLES
        if (before := ROLES[node].inputs) != changed[node].inputs
    ]


def test_roles_that_fit_nothing() -> None:
    """
    A role whose nodes have no such input is told as an unknown name.
    """
    with pytest.raises(UsageError) as caught:
        apply_assignments(ROLES, ["positiv.text=x"], CATALOG)

    assert "did you mean `positive`?" == caught.value.hint
