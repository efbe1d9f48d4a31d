"""
SDXL as it was trained to be used: the base model leaves some noise, the refiner takes it out.
"""

from __future__ import annotations

import json

from comfygraph.dsl import build
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncodeSDXL,
    CLIPTextEncodeSDXLRefiner,
    EmptyLatentImage,
    KSamplerAdvanced,
    SaveImage,
    VAEDecode,
)

STEPS, HANDOVER = 30, 24
SIZE = 1024
SEED = 5150
GOOD = "portrait of an old watchmaker at his bench, window light, shallow depth of field"
BAD = "cartoon, plastic skin, watermark"

base = CheckpointLoaderSimple("sd_xl_base_1.0.safetensors", title="base")
refiner = CheckpointLoaderSimple("sd_xl_refiner_1.0.safetensors", title="refiner")

good, bad = (
    CLIPTextEncodeSDXL(
        base,
        width=SIZE,
        height=SIZE,
        target_width=SIZE,
        target_height=SIZE,
        text_g=text,
        text_l=text,
    )
    for text in (GOOD, BAD)
)
fine, coarse = (
    CLIPTextEncodeSDXLRefiner(text=text, clip=refiner, ascore=score, width=SIZE, height=SIZE)
    for text, score in ((GOOD, 6.0), (BAD, 2.5))
)
noisy = KSamplerAdvanced(
    base,
    add_noise="enable",
    noise_seed=SEED,
    steps=STEPS,
    cfg=7.0,
    sampler_name="dpmpp_2m",
    scheduler="karras",
    positive=good,
    negative=bad,
    latent_image=EmptyLatentImage(SIZE, SIZE),
    end_at_step=HANDOVER,
    return_with_leftover_noise="enable",
    title="base, steps 0 to 24",
)
clean = KSamplerAdvanced(
    refiner,
    add_noise="disable",
    noise_seed=SEED,
    steps=STEPS,
    cfg=7.0,
    sampler_name="dpmpp_2m",
    scheduler="karras",
    positive=fine,
    negative=coarse,
    latent_image=noisy,
    start_at_step=HANDOVER,
    title="refiner, steps 24 to 30",
)
graph = build(SaveImage(VAEDecode(clean, refiner), filename_prefix="watchmaker"))


if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
