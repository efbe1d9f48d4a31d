"""
Groups: blocks, functions, nesting, what becomes of them in prompts, workflows and scripts.
"""

from __future__ import annotations

import json
from threading import Thread
from typing import Any

import pytest
from decompiled import built

from comfygraph.catalog import bundled_catalog
from comfygraph.compare import compare
from comfygraph.core.values import Prompt
from comfygraph.dsl import build, decompile, group, named
from comfygraph.errors import UsageError
from comfygraph.lint import lint
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    EmptyLatentImage,
    KSampler,
    LatentUpscaleBy,
    SaveImage,
    VAEDecode,
)
from comfygraph.workflow import convert, to_workflow


@group("hires")
def _hires(latent: Any, model: Any, text: Any) -> Any:
    """
    Two nodes, one of them in a group within.
    """
    with group("upscale"):
        larger = LatentUpscaleBy(latent, upscale_method="bislerp", scale_by=1.5)
    return KSampler(model, seed=2, positive=text, negative=text, latent_image=larger)


def _graph() -> Prompt:
    model, clip, vae = CheckpointLoaderSimple("a.safetensors")
    with group("text"):
        text = CLIPTextEncode("a harbour", clip)
    latent = KSampler(
        model, seed=1, positive=text, negative=text, latent_image=EmptyLatentImage(64, 64)
    )
    return build(SaveImage(VAEDecode(_hires(latent, model, text), vae)))


def _groups(prompt: Prompt) -> dict[str, str]:
    return {node.class_type: node.group for node in prompt.nodes() if node.group is not None}


def _plain(prompt: Prompt) -> Prompt:
    document = prompt.to_json()
    for node in document.values():
        node["_meta"].pop("comfygraph", None)
    return Prompt.from_json(document)


def test_groups_stand_beside_the_title() -> None:
    """
    Nodes of a block and of a function's call keep the group, those outside have none.
    """
    prompt = _graph()

    assert {
        "CLIPTextEncode": "text",
        "LatentUpscaleBy": "hires/upscale",
        "KSampler": "hires",
    } == _groups(prompt)
    assert {
        "title": "Upscale Latent By",
        "comfygraph": {"group": "hires/upscale"},
    } == prompt.find("LatentUpscaleBy").to_json()["_meta"]
    assert json.dumps(prompt.to_json()) == json.dumps(_graph().to_json())


def test_groups_change_nothing_else() -> None:
    """
    Without groups the graph is the same: to `compare`, and in all but `_meta`.
    """
    prompt = _graph()
    plain = _plain(prompt)

    assert not compare(plain, prompt)
    assert {} == _groups(plain)
    assert [node.inputs for node in plain.nodes()] == [node.inputs for node in prompt.nodes()]


def test_ignores_live_beside_groups() -> None:
    """
    Lint reads its own key of `_meta.comfygraph` and leaves the group alone.
    """
    document = _graph().to_json()
    node = next(item for item in document.values() if item["class_type"] == "LatentUpscaleBy")
    node["inputs"]["scale_by"] = 100.0
    loud = lint(Prompt.from_json(document), bundled_catalog())
    node["_meta"]["comfygraph"]["ignore"] = ["value-above-max"]
    quiet = lint(Prompt.from_json(document), bundled_catalog())

    assert "CG301" in {item.rule_id for item in loud}
    assert "CG301" not in {item.rule_id for item in quiet}
    assert "hires/upscale" in _groups(Prompt.from_json(document)).values()


def test_twins_are_one_node_of_the_first_group() -> None:
    """
    The same expression in two groups, or in one and outside, is one node.
    """

    def text(name: str | None) -> Any:
        clip = CheckpointLoaderSimple("a.safetensors").CLIP
        if name is None:
            return CLIPTextEncode("a", clip)
        with group(name):
            return CLIPTextEncode("a", clip)

    assert {"CLIPTextEncode": "b"} == _groups(build([text(None), text("b"), text("c")]))
    assert {"CLIPTextEncode": "c"} == _groups(build([text("c"), text("b"), text(None)]))
    assert {"CLIPTextEncode": "b"} == _groups(build([named("x", text("b")), text(None)]))
    assert 2 == len(build([text("b"), text("c")]))


def test_a_block_may_be_entered_within_itself_and_left_by_an_error() -> None:
    """
    What was the group before a block is the group after it.
    """
    block = group("a")
    with block, block:
        inner = EmptyLatentImage(64, 64)
    with pytest.raises(KeyError), block:
        raise KeyError
    outer = EmptyLatentImage(32, 32)

    assert [None, "a/a"] == [node.group for node in build([outer, inner]).nodes()]


def test_threads_have_groups_of_their_own() -> None:
    """
    A block of one thread takes no nodes of another.
    """
    made: list[Any] = []
    with group("a"):
        thread = Thread(target=lambda: made.append(EmptyLatentImage(64, 64)))
        thread.start()
        thread.join()

    assert {} == _groups(build(made))


@pytest.mark.parametrize("name", ["", " ", "a/", "/a", "a//b", None, 3])
def test_names_that_say_nothing_are_refused(name: Any) -> None:
    """
    At once, with an error of ours.
    """
    with pytest.raises(UsageError) as caught:
        group(name)

    assert f"{name!r} is no name for a group" == caught.value.message


def test_decompile_keeps_groups() -> None:
    """
    The script has a block for each run of nodes of a group, and builds the same groups.
    """
    prompt = _graph()
    code = decompile(prompt)

    assert 'with group("hires/upscale"):\n    latent_2 = LatentUpscaleBy(latent, ' in code
    assert _groups(prompt) == _groups(built(code))
    assert prompt == built(code)


@pytest.mark.parametrize("name", ['"', "a\nb", "ü🔥", "x" * 200, "a b / c", "{}", "\\", "\ud800"])
def test_decompile_keeps_any_name(name: str) -> None:
    """
    Quotes, line breaks, long names, halves of characters.
    """
    with group(name):
        prompt = build(EmptyLatentImage(64, 64))

    assert _groups(prompt) == _groups(built(decompile(prompt)))


@pytest.mark.parametrize("found", ["", "a//b", 3, None, {"x": 1}, ["a"]])
def test_a_prompt_may_hold_anything_for_a_group(found: Any) -> None:
    """
    What is no name is kept where it stands, and no script is broken by it.
    """
    document = build(EmptyLatentImage(64, 64)).to_json()
    document["1"]["_meta"]["comfygraph"] = {"group": found}
    prompt = Prompt.from_json(document)

    assert document == prompt.to_json()
    assert {} == _groups(built(decompile(prompt)))
    assert (
        document["1"]["inputs"]
        == convert(to_workflow(prompt, bundled_catalog()), bundled_catalog()).document["1"][
            "inputs"
        ]
    )


def test_layout_frames_groups() -> None:
    """
    The workflow has the groups with what belongs to them within their frames and nothing else,
    and converts to the same prompt, whose `_meta` the editor writes anew.
    """
    prompt = _graph()
    workflow = to_workflow(prompt, bundled_catalog())
    within = {
        item["title"]: {node["type"] for node in workflow["nodes"] if _holds(item, node)}
        for item in workflow["groups"]
    }

    assert {
        "text": {"CLIPTextEncode"},
        "hires": {"LatentUpscaleBy", "KSampler"},
        "upscale": {"LatentUpscaleBy"},
    } == within
    assert 3 == sum(
        _holds(item, node) for item in workflow["groups"][1:] for node in workflow["nodes"]
    )
    assert _plain(prompt) == Prompt.from_json(convert(workflow, bundled_catalog()).document)


def _holds(item: dict[str, Any], node: dict[str, Any]) -> bool:
    x, y, width, height = item["bounding"]
    (left, top), (wide, high) = node["pos"], node["size"]
    return x <= left and y <= top - 30 and left + wide <= x + width and top + high <= y + height
