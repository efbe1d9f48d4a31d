"""
Replace what a mask covers and leave the rest as it was, pixel for pixel.

The mask is the transparent part of the picture. It is grown and softened, so that the seam
does not show, and the new pixels are laid over the old picture.
"""

from __future__ import annotations

import json

from comfygraph.dsl import build
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    FeatherMask,
    GrowMask,
    ImageCompositeMasked,
    InpaintModelConditioning,
    KSampler,
    LoadImage,
    SaveImage,
    VAEDecode,
)

model, clip, vae = CheckpointLoaderSimple("sd_xl_inpainting_0.1.safetensors")
picture, mask = LoadImage("room_with_hole.png")
grown = GrowMask(mask, 12)
conditioning = InpaintModelConditioning(
    positive=CLIPTextEncode("a tall window with linen curtains, soft daylight", clip),
    negative=CLIPTextEncode("blurry, distorted frame", clip),
    vae=vae,
    pixels=picture,
    mask=grown,
)
latent = KSampler(
    model,
    seed=1312,
    steps=32,
    cfg=5.5,
    sampler_name="dpmpp_2m",
    scheduler="karras",
    positive=conditioning.positive,
    negative=conditioning.negative,
    latent_image=conditioning.latent,
)
soft = FeatherMask(grown, left=8, top=8, right=8, bottom=8)
result = ImageCompositeMasked(picture, VAEDecode(latent, vae), mask=soft)
graph = build(SaveImage(result, filename_prefix="inpaint"))


if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
