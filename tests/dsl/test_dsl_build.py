"""
From expressions to a prompt.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.core.values import Link, Prompt
from comfygraph.dsl import Node, Output, build, inputs_of, named, output, raw_node, title_of
from comfygraph.errors import BuildError
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    EmptyLatentImage,
    ImageScale,
    KSampler,
    LatentUpscale,
    LoadImage,
    LTXVAudioVAELoader,
    PreviewImage,
    SaveImage,
    VAEDecode,
    VAEEncode,
)

CHECKPOINT = CheckpointLoaderSimple("a.safetensors")


def _chain(length: int) -> Node[Any]:
    node: Any = EmptyLatentImage(64, 64)
    for index in range(length - 1):
        node = LatentUpscale(
            node, upscale_method="area", width=64 + index % 7, height=64, crop="disabled"
        )
    return node


def test_ids_count_from_the_sources():
    """
    What feeds a node stands before it, in the order in which its inputs stand in the prompt.
    """
    latent = EmptyLatentImage(64, 64)
    prompt = build(SaveImage(VAEDecode(latent, CHECKPOINT)))

    assert [
        ("1", "EmptyLatentImage"),
        ("2", "CheckpointLoaderSimple"),
        ("3", "VAEDecode"),
        ("4", "SaveImage"),
    ] == [(node.id, node.class_type) for node in prompt.nodes()]


def test_inputs_stand_as_the_editor_writes_them():
    """
    Widget values come first, filled in where they were left out, then the links.
    """
    text = CLIPTextEncode("", CHECKPOINT)
    sampler = KSampler(
        CHECKPOINT, positive=text, negative=text, latent_image=EmptyLatentImage(64, 64), cfg=7
    )
    prompt = build(sampler)

    assert [
        ("seed", 0),
        ("steps", 20),
        ("cfg", 7.0),
        ("sampler_name", "euler"),
        ("scheduler", "simple"),
        ("denoise", 1.0),
        ("model", Link("1", 0)),
        ("positive", Link("2", 0)),
        ("negative", Link("2", 0)),
        ("latent_image", Link("3", 0)),
    ] == list(prompt["4"].inputs.items())


@pytest.mark.parametrize("value", [7, 7.0])
def test_numbers_have_one_form(value: float):
    """
    However a number is written, the prompt has the same bytes.
    """
    text = CLIPTextEncode("", CHECKPOINT)
    latent = EmptyLatentImage(64.0, 64)  # type: ignore[arg-type]  # a round float, on purpose
    prompt = build(
        KSampler(CHECKPOINT, positive=text, negative=text, latent_image=latent, cfg=value)
    )

    assert '"cfg": 7.0' in json.dumps(prompt.to_json())
    assert '"width": 64,' in json.dumps(prompt.to_json())


def test_outputs_by_attribute_index_name_and_unpacking():
    """
    All ways to an output lead to the same one.
    """
    model, clip, vae = CHECKPOINT
    audio = LTXVAudioVAELoader("a.safetensors")

    assert CHECKPOINT.MODEL == model == CHECKPOINT[0] == output(CHECKPOINT, "MODEL")
    assert CHECKPOINT.CLIP == clip == CHECKPOINT[1] == CHECKPOINT[-2]
    assert CHECKPOINT.VAE == vae == CHECKPOINT[2] == output(CHECKPOINT, 2)
    assert audio.Audio_VAE == output(audio, "Audio VAE") == output(audio, "Audio_VAE")
    assert (model, clip) == CHECKPOINT[:2]


def test_wrong_outputs_are_python_errors():
    """
    An output that does not exist cannot be asked for.
    """
    with pytest.raises(AttributeError, match="no output `LATENT`: it has MODEL, CLIP, VAE"):
        CHECKPOINT.LATENT  # type: ignore[attr-defined]  # noqa: B018  # the mistake to be caught
    with pytest.raises(IndexError, match="no output 3: it has MODEL, CLIP, VAE"):
        output(CHECKPOINT, 3)
    with pytest.raises(IndexError, match="no output -4: it has MODEL, CLIP, VAE"):
        output(CHECKPOINT, -4)
    with pytest.raises(KeyError, match="no output `LATENT`: it has MODEL, CLIP, VAE"):
        output(CHECKPOINT, "LATENT")
    with pytest.raises(TypeError, match="a number or a name, not None"):
        CHECKPOINT[None]  # type: ignore[call-overload]  # the mistake to be caught
    with pytest.raises(TypeError, match="give the title, then the node"):
        named("hires", "node")  # type: ignore[type-var]  # the mistake to be caught
    with pytest.raises(ValueError, match="unpack"):
        _, _ = CHECKPOINT  # type: ignore[misc]  # the mistake to be caught
    with pytest.raises(ImportError, match="NoSuchNode"):
        from comfygraph.nodes import NoSuchNode  # type: ignore[attr-defined]  # noqa: F401


def test_a_node_stands_for_its_only_fitting_output():
    """
    A checkpoint given as model, as clip and as vae gives the slot that fits.
    """
    prompt = build(VAEDecode(EmptyLatentImage(64, 64), CHECKPOINT), CLIPTextEncode("a", CHECKPOINT))

    assert Link("2", 2) == prompt["3"].inputs["vae"]
    assert Link("2", 1) == prompt["4"].inputs["clip"]


def test_the_same_expression_twice_is_one_node():
    """
    Twins become one node, however far apart they were written, and so do their users.
    """
    one = VAEDecode(EmptyLatentImage(64, 64), CheckpointLoaderSimple("a.safetensors"))
    two = VAEDecode(EmptyLatentImage(64, 64, 1), CheckpointLoaderSimple("a.safetensors"))

    assert 5 == len(build(SaveImage(one), PreviewImage(two)))


def test_titles_tell_twins_apart():
    """
    Two titles make two nodes; a twin without a title is the titled one.
    """
    latent = EmptyLatentImage(64, 64)
    plain = VAEDecode(latent, CHECKPOINT)
    left = VAEDecode(latent, CHECKPOINT, title="left")
    right = named("right", plain)
    prompt = build([SaveImage(image) for image in (plain, left, right, left)])

    assert ["left", "right"] == [
        node.title for node in prompt.nodes() if node.class_type == "VAEDecode"
    ]
    assert 6 == len(prompt)


def test_titles_default_to_the_name_in_the_editor():
    """
    `_meta.title` is what the editor would write.
    """
    assert {"title": "Load Checkpoint"} == build(CHECKPOINT)["1"].meta
    assert {"title": "main"} == build(named("main", CHECKPOINT.CLIP))["1"].meta


def test_nodes_never_change():
    """
    Neither their attributes nor the lists that they were made with.
    """
    pictures: list[Any] = [LoadImage("a.png").IMAGE]
    node = raw_node("Stack", pictures=pictures)
    pictures.append("later")

    assert [LoadImage("a.png").IMAGE.slot] == [item.slot for item in inputs_of(node)["pictures"]]
    assert copy.deepcopy(node) is node
    with pytest.raises(AttributeError, match="never change"):
        node.title = "x"
    with pytest.raises(AttributeError, match="never change"):
        CHECKPOINT.MODEL.slot = 1


def test_raw_nodes_stand_as_they_were_written():
    """
    Inputs keep their order and values; a list is wrapped, as bare lists are links.
    """
    raw = raw_node("Pack Node+", b=1, a=CHECKPOINT.MODEL, texts=["x", 0], **{"odd name": None})
    prompt = build(raw_node("User", source=raw[2], image=LoadImage("a.png").IMAGE))

    assert {
        "inputs": {
            "b": 1,
            "a": ["1", 0],
            "texts": {"__value__": ["x", 0]},
            "odd name": None,
        },
        "class_type": "Pack Node+",
    } == prompt["2"].to_json()
    assert Link("2", 2) == prompt["4"].inputs["source"]


def test_repr_is_short_and_titled():
    """
    In an interactive shell an expression shows its class and title, not its ancestors.
    """
    assert "<CheckpointLoaderSimple>" == repr(CHECKPOINT)
    assert "<CheckpointLoaderSimple 'main'>" == repr(named("main", CHECKPOINT))
    assert "<output CLIP of <CheckpointLoaderSimple>>" == repr(CHECKPOINT.CLIP)
    assert "main" == title_of(named("main", CHECKPOINT))


def test_classes_show_their_facts():
    """
    `help` has the signature with its defaults, and the ranges.
    """
    import inspect

    assert "(samples, vae, *, title=None)" == str(inspect.signature(VAEDecode))
    assert "steps: 1 … 10000, default 20" in str(KSampler.__doc__)


@pytest.mark.parametrize("wrong", [[], ["a.png"], "a.png", 3, None, {"a": 1}])
def test_build_takes_nodes_only(wrong: Any):
    """
    Anything else is refused with one message, and so is nothing at all.
    """
    with pytest.raises(BuildError):
        build(wrong)


def test_deep_chains_build():
    """
    A hundred thousand nodes in a row: no recursion, linear time.
    """
    prompt = build(_chain(100_000))

    assert 100_000 == len(prompt)
    assert Link("99999", 0) == prompt["100000"].inputs["samples"]


def test_sharing_is_not_quadratic():
    """
    A ladder of blends, whose paths are without number, is as many nodes as were written.
    """
    image: Any = LoadImage("a.png").IMAGE
    for _ in range(2_000):
        image = raw_node("Blend", a=image, b=image)[0]

    assert 2_001 == len(build(SaveImage(image))) - 1


def test_the_same_bytes_in_every_process():
    """
    Hash seeds and object addresses leave no trace in the prompt.
    """
    script = (
        "import json; from comfygraph.dsl import build; from comfygraph.nodes import *\n"
        "from comfygraph.nodes import CheckpointLoaderSimple as C, CLIPTextEncode as T, SaveImage\n"
        "from comfygraph.nodes import KSampler as K, EmptyLatentImage as E, VAEDecode as D\n"
        "c = C('a'); t = [T(x, c) for x in 'ab']\n"
        "k = [K(c, seed=i, positive=t[0], negative=t[1], latent_image=E(64, 64)) for i in (1, 2)]\n"
        "print(json.dumps(build([SaveImage(D(x, c)) for x in k]).to_json()))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1")
    }  # fmt: skip

    assert 1 == len(runs)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_any_graph_builds_without_dangling_links(steps: Sequence[tuple[int, int, int]]):
    """
    Whatever is wired to whatever: links lead to earlier nodes, and building again is the same.
    """
    model, _, vae = CHECKPOINT
    latents: list[Output[Any]] = [EmptyLatentImage(64, 64).LATENT]
    images: list[Output[Any]] = [LoadImage("a.png").IMAGE]
    for kind, left, right in steps:
        latent, image = latents[left % len(latents)], images[right % len(images)]
        match kind:
            case 0:
                latents.append(VAEEncode(image, vae).LATENT)
            case 1:
                images.append(VAEDecode(latent, vae).IMAGE)
            case 2:
                scaled = ImageScale(image, upscale_method="area", width=left * 8, height=right)
                images.append(scaled.IMAGE)
            case _:
                text = CLIPTextEncode(str(left), CHECKPOINT)
                sampled = KSampler(model, positive=text, negative=text, latent_image=latent)
                latents.append(sampled.LATENT)
    ends = [SaveImage(image) for image in images] + [VAEDecode(x, vae) for x in latents]
    prompt = build(ends)

    seen: set[str] = set()
    for node in prompt.nodes():
        assert {link.node_id for _, link in node.links()} <= seen
        seen.add(node.id)
    assert prompt.to_json() == build(ends).to_json()
    assert prompt == Prompt.from_json(json.loads(json.dumps(prompt.to_json())))
