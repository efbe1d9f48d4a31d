"""
A picture from a picture: a photograph becomes an ink drawing, more so with more `DENOISE`.
"""

from __future__ import annotations

import json

from comfygraph.dsl import build
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    ImageScaleToTotalPixels,
    KSampler,
    LoadImage,
    SaveImage,
    VAEDecode,
    VAEEncode,
)

DENOISE = 0.55

model, clip, vae = CheckpointLoaderSimple("sd_xl_base_1.0.safetensors")
photo = LoadImage("harbour.jpg")
sized = ImageScaleToTotalPixels(photo, upscale_method="lanczos", megapixels=1.0, resolution_steps=8)
latent = KSampler(
    model,
    seed=77,
    steps=30,
    cfg=6.0,
    sampler_name="dpmpp_2m_sde",
    scheduler="karras",
    positive=CLIPTextEncode("ink drawing of a fishing harbour, loose lines, grey wash", clip),
    negative=CLIPTextEncode("photograph, colour noise, text", clip),
    latent_image=VAEEncode(sized, vae),
    denoise=DENOISE,
)
graph = build(SaveImage(VAEDecode(latent, vae), filename_prefix="img2img"))


if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
