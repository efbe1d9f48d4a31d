"""
Nodes in words: each says what it does, and no more than is known.
"""

from __future__ import annotations

import math

import pytest
from flow_graphs import CATALOG, Graph, base, lora, node

from comfygraph.analysis.estimates import estimate, sampling_factors
from comfygraph.analysis.explain import Step, explain
from comfygraph.analysis.flow import Flow
from comfygraph.core.values import Prompt

PHOTO = node("LoadImage", image="photo.png")


def steps_of(graph: Graph) -> dict[str, Step]:
    """Node id → what is said of it."""
    return {step.node_id: step for step in explain(Prompt.from_json(graph), CATALOG).steps}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (lora("1", "a.pt", 0.6), "adds the LoRA a.pt: 0.6 on the model, 0.6 on the CLIP"),
        (node("RandomNoise", noise_seed=7), "gives the noise of seed 7"),
        (node("DisableNoise"), "gives no noise"),
        (node("BasicScheduler", model=["1", 0], scheduler="beta", steps=9, denoise=0.5),
         "plans 9 of 18 steps with scheduler beta, denoise 0.5"),
        (node("ManualSigmas", sigmas="1.0, 0"), "plans 1 step with sigmas 1.0, 0"),
        (node("CFGGuider", model=["1", 0], positive=["2", 0], negative=["3", 0], cfg=4.5),
         "joins the model and its prompts with cfg 4.5"),
        (node("FluxGuidance", conditioning=["2", 0], guidance=3.5),
         "adds to the prompt with guidance 3.5"),
        (node("ConditioningZeroOut", conditioning=["2", 0]), "sets the prompt to zeros"),
        (node("VAEEncode", pixels=["photo", 0], vae=["1", 2]), "encodes a picture"),
        (node("VAEDecode", samples=["nobody", 0], vae=["1", 2]), "decodes a latent"),
        (node("KSamplerSelect", sampler_name="euler"), "works with sampler_name euler"),
        (node("GetImageSize", image=["photo", 0]), "works on image"),
        (node("GetImageSize", image=["6", 0]), "gives 512, 1"),
        (node("ComfyMathExpression", **{"expression": "a * 2", "values.a": 8}), "gives 16"),
        (node("PrimitiveBoolean", value=True), "gives true"),
        (node("EmptySD3LatentImage", width=["nobody", 0], height=64, batch_size=1),
         "makes an empty latent"),
        (node("ImageScale", image=["photo", 0], width=64, height=32, crop="center"),
         "gives pictures of 64 × 32"),
        (node("Mystery"), "is of a class that the catalog does not know"),
    ],
)  # fmt: skip
def test_one_node(one: dict[str, object], words: str) -> None:
    """
    Tools of samplers, prompts and pictures are told with their settings.
    """
    found = steps_of({**base(), "photo": PHOTO, "n": one})["n"]

    assert words == found.says


@pytest.mark.parametrize(
    "graph",
    [
        base("sdxl.pt", n5={"cfg": 1.0}),
        base("flux1-dev.safetensors", n4={"batch_size": 3}),
        base("v1-5-pruned.ckpt", n4={"width": ["nobody", 0]}, n5={"steps": ["nobody", 0]}),
        base("wan2.1_t2v_14B.safetensors",
             n4=node("EmptyHunyuanLatentVideo", width=832, height=480, length=81, batch_size=2)),
        base("ltx-2-19b-dev.safetensors",
             n4=node("EmptyLTXVLatentVideo", width=768, height=512, length=97, batch_size=1)),
    ],
)  # fmt: skip
def test_costs_multiply_out(graph: Graph) -> None:
    """
    The cost of a sampler is the product of the factors that are told of it.
    """
    run = Flow(graph, CATALOG)["5"].sampling
    told = dict(steps_of(graph)["5"].details)["cost"]

    assert run is not None
    product = math.prod(factor for factor, _ in sampling_factors(run))
    assert pytest.approx(product) == estimate(graph, CATALOG, flow=Flow(graph, CATALOG))["5"]
    assert told == f"{product:,.1f}: " + " × ".join(text for _, text in sampling_factors(run))


def test_latent_frames() -> None:
    """
    Frames are counted as the family packs them: four to one, or eight.
    """
    film = {"width": 768, "height": 512, "length": 97, "batch_size": 1}
    graphs = [
        base("wan2.1_t2v_14B.safetensors", n4=node("EmptyHunyuanLatentVideo", **film)),
        base("ltx-2-19b-dev.safetensors", n4=node("EmptyLTXVLatentVideo", **film)),
    ]
    told = [dict(steps_of(graph)["5"].details)["cost"] for graph in graphs]

    assert [True, True] == [
        words in text
        for words, text in zip(("25 latent frames", "13 latent frames"), told, strict=True)
    ]
