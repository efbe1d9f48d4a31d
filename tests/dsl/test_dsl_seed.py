"""
The graph of the TAMS documentation, rebuilt in Python.
"""

from __future__ import annotations

import json
from pathlib import Path

from graph_shape import shape

from comfygraph.core.values import Prompt
from comfygraph.dsl import build
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    EmptyLatentImage,
    KSampler,
    LatentUpscale,
    LoraLoader,
    SaveImage,
    VAEDecode,
)

SEED = json.loads(
    (Path(__file__).parent.parent / "data" / "seed" / "tams_workflow.json").read_text("utf-8")
)


def _seed_prompt() -> Prompt:
    return Prompt.from_json(
        {
            node_id: {"class_type": node["classType"], "inputs": node["inputs"]}
            for node_id, node in SEED["params"].items()
        }
    )


def _rebuilt() -> Prompt:
    texts = {node_id: SEED["params"][node_id]["inputs"]["text"] for node_id in ("6", "7")}
    model, clip, vae = CheckpointLoaderSimple("664602165660323756")
    styled = LoraLoader(model, clip, "648628718430054626", strength_model=1, strength_clip=1)
    detailed = LoraLoader(styled, styled, "631627137633337321", strength_model=0.6, strength_clip=1)
    positive = CLIPTextEncode(texts["6"], detailed)
    negative = CLIPTextEncode(texts["7"], detailed)
    base = KSampler(
        detailed, seed=12345, steps=26, cfg=7, sampler_name="dpmpp_2m_sde", scheduler="karras",
        positive=positive, negative=negative, latent_image=EmptyLatentImage(1024, 1536),
    )  # fmt: skip
    larger = LatentUpscale(
        base, upscale_method="nearest-exact", width=1024, height=1536, crop="disabled"
    )
    second = KSampler(
        model, seed=12345, steps=30, cfg=8, sampler_name="dpmpp_2m_sde", scheduler="karras",
        positive=positive, negative=negative, latent_image=larger, denoise=0.3,
    )  # fmt: skip
    return build(SaveImage(VAEDecode(second, vae), filename_prefix="TensorArt"))


def test_the_seed_graph_rebuilt_is_the_seed_graph():
    """
    The graph in Python equals the recorded one up to node ids.
    """
    assert shape(_seed_prompt()) == shape(_rebuilt())


def test_the_shape_sees_another_wiring():
    """
    Linking the second pass to the LoRA model, as one may think the seed does, is another graph.
    """
    document = _rebuilt().to_json()
    second = next(node for node in document.values() if node["inputs"].get("steps") == 30)
    second["inputs"]["model"] = ["3", 0]

    assert shape(_seed_prompt()) != shape(Prompt.from_json(document))
