"""
Edits that know the classes: LoRAs, other samplers, inputs by name.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import comfygraph as cg
from comfygraph import Link, Prompt
from comfygraph.errors import EditError
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    DualCLIPLoader,
    EmptyLatentImage,
    KSampler,
    SaveImage,
    UNETLoader,
    VAEDecode,
    VAELoader,
)

EXAMPLES = Path(__file__).parents[2] / "examples"


def _plain() -> Prompt:
    model, clip, vae = CheckpointLoaderSimple("a.safetensors")
    latent = KSampler(
        model,
        seed=7,
        positive=CLIPTextEncode("a", clip),
        negative=CLIPTextEncode("b", clip),
        latent_image=EmptyLatentImage(64, 64),
        title="base pass",
    )
    return cg.build(SaveImage(VAEDecode(latent, vae)))


def _split() -> Prompt:
    clip = DualCLIPLoader("a.safetensors", "b.safetensors", "flux")
    text = CLIPTextEncode("a", clip)
    latent = KSampler(
        UNETLoader("u.safetensors"),
        positive=text,
        negative=text,
        latent_image=EmptyLatentImage(64, 64),
    )
    return cg.build(SaveImage(VAEDecode(latent, VAELoader("v.safetensors"))))


def _errors(prompt: Prompt) -> list[str]:
    return [found.message for found in cg.lint(prompt) if found.severity is cg.Severity.ERROR]


def test_loras_stand_between_a_loader_and_its_users():
    """
    Model and CLIP both go through all of them, in order; the VAE does not, and the prompt that
    was given stays as it is.
    """
    before = _plain()
    after = cg.insert_loras(before, {"x.safetensors": 0.6, "y.safetensors": (0.8, 0.5)})
    first, second = after.find_all("LoraLoader")

    assert _plain() == before
    assert [] == _errors(after)
    assert (Link("1", 0), Link("1", 1)) == (first.inputs["model"], first.inputs["clip"])
    assert (Link(first.id, 0), Link(first.id, 1)) == (second.inputs["model"], second.inputs["clip"])
    assert (0.8, 0.5) == (second.inputs["strength_model"], second.inputs["strength_clip"])
    assert Link(second.id, 0) == after.find("KSampler").inputs["model"]
    assert {Link(second.id, 1)} == {n.inputs["clip"] for n in after.find_all("CLIPTextEncode")}
    assert Link("1", 2) == after.find("VAEDecode").inputs["vae"]
    assert ["1", first.id, second.id] == list(after)[:3]


def test_more_loras_go_behind_those_that_are_there():
    """
    `after` takes the last of them.
    """
    once = cg.insert_loras(_plain(), ["x.safetensors"])
    twice = cg.insert_loras(once, ["y.safetensors"], after=once.find("LoraLoader"))
    first, second = twice.find_all("LoraLoader")

    assert ["x.safetensors", "y.safetensors"] == [n.inputs["lora_name"] for n in (first, second)]
    assert Link(first.id, 0) == second.inputs["model"]
    assert Link(second.id, 0) == twice.find("KSampler").inputs["model"]
    assert once == cg.insert_loras(once, [], after="1")
    assert once == cg.insert_loras(_plain(), "x.safetensors")
    assert once == cg.insert_loras(_plain(), json.loads('{"x.safetensors": [1, 1]}'))


def test_loaders_of_parts():
    """
    Without a CLIP, the LoRA is for the model only; with one named, for both.
    """
    prompt = _split()
    alone = cg.insert_loras(prompt, ["x.safetensors"])
    both = cg.insert_loras(prompt, ["x.safetensors"], clip=prompt.find("DualCLIPLoader"))

    assert 1 == len(alone.find_all("LoraLoaderModelOnly"))
    assert [] == _errors(alone)
    assert Link(both.find("LoraLoader").id, 1) == both.find("CLIPTextEncode").inputs["clip"]
    assert [] == _errors(both)


def test_a_sampler_is_swapped():
    """
    The seed goes over under its other name, new inputs get what a new node has, users follow.
    """
    prompt = _plain()
    swapped = cg.swap_class(prompt, prompt.find("KSampler"), "KSamplerAdvanced", {"steps": 9})
    node = swapped.find("KSamplerAdvanced")

    assert (7, 9, "enable") == tuple(
        node.inputs[name] for name in ("noise_seed", "steps", "add_noise")
    )
    assert "seed" not in node.inputs
    assert "base pass" == node.title
    assert [] == _errors(swapped)
    again = cg.swap_class(swapped, node, "KSampler")
    assert 7 == again.find("KSampler").inputs["seed"]


def test_outputs_follow_by_type():
    """
    A checkpoint loader becomes a loader of a U-Net only where nothing else of it is used.
    """
    prompt = _plain()

    with pytest.raises(EditError, match="UNETLoader gives no CLIP") as caught:
        cg.swap_class(prompt, "1", "UNETLoader", {"unet_name": "u.safetensors"})
    assert "it gives MODEL" == caught.value.hint


def test_inputs_are_set_by_name():
    """
    Constants, links, and nodes whose only fitting output is meant.
    """
    prompt = cg.add_node(_plain(), "VAELoader", {"vae_name": "v.safetensors"})
    changed = cg.set_inputs(
        prompt, prompt.find("VAEDecode"), {"vae": prompt.find("VAELoader")}
    )  # fmt: skip
    more = cg.set_inputs(changed, "5", {"steps": 3, "cfg": 2.5})

    assert Link(prompt.find("VAELoader").id, 0) == changed.find("VAEDecode").inputs["vae"]
    assert (3, 2.5) == (more["5"].inputs["steps"], more["5"].inputs["cfg"])
    assert [] == _errors(more)


@pytest.mark.parametrize(
    ("edit", "message", "hint"),
    [
        (lambda p: cg.insert_loras(_two(p), ["x"]), "2 nodes load a model", "with after="),
        (lambda p: cg.insert_loras(Prompt({}), ["x"]), "no node of the prompt loads a model", ""),
        (lambda p: cg.insert_loras(p, ["x"], after="2"), "gives no MODEL", "after="),
        (lambda p: cg.insert_loras(p, ["x"], clip="5"), "gives no CLIP", "clip="),
        (lambda p: cg.insert_loras(p, {"x": "1"}), "has the strength '1', not a number", ""),
        (lambda p: cg.insert_loras(p, {"x": True}), "has the strength True, not a number", ""),
        (lambda p: cg.insert_loras(p, {"x": math.nan}), "has the strength nan, not a number", ""),
        (lambda p: cg.insert_loras(p, {"x": (1, 2, 3)}), "strength (1, 2, 3), not a number", ""),
        (lambda p: cg.insert_loras(p, ["x"], after="99"), "no node `99`", ""),
        (lambda p: cg.swap_class(p, "5", "KSamplerr"), "not a class of", "`KSampler`?"),
        (lambda p: cg.swap_class(p, "5", "SamplerCustom"), "needs `sampler`, `sigmas`", "inputs="),
        (
            lambda p: cg.swap_class(p, "5", "KSamplerAdvanced", {"stops": 3}),
            "KSamplerAdvanced has no input `stops`",
            "`steps`?",
        ),
        (lambda p: cg.set_inputs(p, "5", {"step": 3}), "no input `step`", "`steps`?"),
        (lambda p: cg.set_inputs(p, "5", {"model": p["2"]}), "no fitting output", "0 CONDITIONING"),
        (lambda p: cg.set_inputs(p, "5", {"model": ["77", 0]}), "no node `77`", ""),
    ],
)
def test_errors_say_what_there_is(edit: Any, message: str, hint: str):
    """
    What does not fit is refused with the candidates.
    """
    with pytest.raises(EditError) as caught:
        edit(_plain())

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def _two(prompt: Prompt) -> Prompt:
    return cg.add_node(prompt, "CheckpointLoaderSimple", {"ckpt_name": "b.safetensors"})


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_loras_go_into_every_example(path: Path):
    """
    Behind each node that loads a model; what was free of errors stays so.
    """
    prompt = Prompt.from_json(json.loads(path.read_text("utf-8")))
    kinds = ("CheckpointLoaderSimple", "UNETLoader")
    loaders = [node for node in prompt.nodes() if node.class_type in kinds]
    for loader in loaders:
        prompt = cg.insert_loras(prompt, {"x.safetensors": 0.5}, after=loader)

    files = [node.inputs.get("lora_name") for node in prompt.nodes()]
    assert len(loaders) == files.count("x.safetensors")
    assert [] == _errors(prompt)
