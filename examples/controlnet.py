"""
Keep the lines of a picture and change everything else, with a ControlNet for edges.

The edges are saved too, to see what the ControlNet was given.
"""

from __future__ import annotations

import json

from comfygraph.dsl import build
from comfygraph.nodes import (
    Canny,
    CheckpointLoaderSimple,
    CLIPTextEncode,
    ControlNetApplyAdvanced,
    ControlNetLoader,
    EmptyLatentImage,
    ImageScale,
    KSampler,
    LoadImage,
    PreviewImage,
    SaveImage,
    VAEDecode,
)

WIDTH, HEIGHT = 1152, 896

model, clip, vae = CheckpointLoaderSimple("sd_xl_base_1.0.safetensors")
sketch = ImageScale(
    LoadImage("pavilion_sketch.png"),
    upscale_method="lanczos",
    width=WIDTH,
    height=HEIGHT,
    crop="center",
)
edges = Canny(sketch, low_threshold=0.2, high_threshold=0.6, title="edges")
positive, negative = ControlNetApplyAdvanced(
    CLIPTextEncode("timber pavilion in a pine forest, morning mist, photograph", clip),
    CLIPTextEncode("drawing, sketch, lowres", clip),
    ControlNetLoader("controlnet-canny-sdxl-1.0.safetensors"),
    edges,
    strength=0.75,
    end_percent=0.8,
)
latent = KSampler(
    model,
    seed=9,
    steps=30,
    cfg=6.0,
    sampler_name="dpmpp_2m_sde",
    scheduler="karras",
    positive=positive,
    negative=negative,
    latent_image=EmptyLatentImage(WIDTH, HEIGHT),
)
graph = build(SaveImage(VAEDecode(latent, vae), filename_prefix="pavilion"), PreviewImage(edges))


if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
