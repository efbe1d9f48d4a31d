"""
Text to picture with any number of LoRAs: a function that loads them is a reusable block.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from comfygraph.dsl import build
from comfygraph.dsl import sockets as s
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    EmptyLatentImage,
    KSampler,
    LoraLoader,
    SaveImage,
    VAEDecode,
)


def with_loras(
    model: s.Output[s.MODEL], clip: s.Output[s.CLIP], strengths: Mapping[str, float]
) -> tuple[s.Output[s.MODEL], s.Output[s.CLIP]]:
    """
    Load LoRAs one after the other, each with one strength for model and text encoder.
    """
    for file, strength in strengths.items():
        model, clip = LoraLoader(model, clip, file, strength_model=strength, strength_clip=strength)
    return model, clip


model, clip, vae = CheckpointLoaderSimple("sd_xl_base_1.0.safetensors")
model, clip = with_loras(
    model,
    clip,
    {
        "xl_linocut.safetensors": 0.9,
        "xl_botanical.safetensors": 0.5,
        "xl_paper_texture.safetensors": 0.3,
    },
)
latent = KSampler(
    model,
    seed=421,
    steps=28,
    cfg=6.5,
    sampler_name="dpmpp_2m",
    scheduler="karras",
    positive=CLIPTextEncode("linocut of a fern unrolling, two inks, deckled paper", clip),
    negative=CLIPTextEncode("photograph, gradient, signature", clip),
    latent_image=EmptyLatentImage(896, 1152),
)
graph = build(SaveImage(VAEDecode(latent, vae), filename_prefix="linocut"))


if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
