"""
Compare guidance and samplers in one prompt: a row of pictures for each sampler.

Loops are Python's own. What all pictures share is written once and is one node in the graph.
"""

from __future__ import annotations

import json

from comfygraph.dsl import build
from comfygraph.dsl import sockets as s
from comfygraph.nodes import (
    BatchImagesNode,
    CheckpointLoaderSimple,
    CLIPTextEncode,
    EmptyLatentImage,
    KSampler,
    SaveImage,
    VAEDecode,
)

SAMPLERS: tuple[s.SamplerName, ...] = ("euler", "dpmpp_2m", "uni_pc")
GUIDANCE = (3.0, 5.0, 7.0, 9.0)

model, clip, vae = CheckpointLoaderSimple("sd_xl_base_1.0.safetensors")
positive = CLIPTextEncode("still life with quinces and a pewter jug, raking light", clip)
negative = CLIPTextEncode("blurry, text", clip)
canvas = EmptyLatentImage(768, 768)

rows = []
for sampler in SAMPLERS:
    pictures = []
    for cfg in GUIDANCE:
        latent = KSampler(
            model,
            seed=31337,
            steps=24,
            cfg=cfg,
            sampler_name=sampler,
            scheduler="karras",
            positive=positive,
            negative=negative,
            latent_image=canvas,
            title=f"{sampler}, cfg {cfg:g}",
        )
        pictures.append(VAEDecode(latent, vae))
    rows.append(SaveImage(BatchImagesNode(pictures), filename_prefix=f"sweep/{sampler}"))
graph = build(rows)


if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
