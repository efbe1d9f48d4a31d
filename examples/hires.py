"""
A picture in two passes: a small one, enlarged as a latent, and sampled again with less noise.

Both passes use the model with the two LoRAs. `examples/hires.json` is what this prints.
"""

from __future__ import annotations

import json

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

SEED = 20240817
WIDTH, HEIGHT, ENLARGED = 832, 1216, 1.5

model, clip, vae = CheckpointLoaderSimple("sd_xl_base_1.0.safetensors")
for title, file, strength in (
    ("LoRA: style", "xl_gouache_style.safetensors", 0.8),
    ("LoRA: detail", "xl_add_detail.safetensors", 0.6),
):
    model, clip = LoraLoader(
        model, clip, file, strength_model=strength, strength_clip=strength, title=title
    )

positive = CLIPTextEncode(
    "gouache painting of a lighthouse on a basalt cliff, sea fog lifting, low morning sun, "
    "gulls, fine brushwork",
    clip,
    title="positive",
)
negative = CLIPTextEncode(
    "photograph, text, watermark, frame, blurry, oversaturated", clip, title="negative"
)
base = KSampler(
    model,
    seed=SEED,
    steps=26,
    cfg=7.0,
    sampler_name="dpmpp_2m_sde",
    scheduler="karras",
    positive=positive,
    negative=negative,
    latent_image=EmptyLatentImage(WIDTH, HEIGHT, title="canvas"),
    title="base pass",
)
larger = LatentUpscale(
    base,
    upscale_method="nearest-exact",
    width=int(WIDTH * ENLARGED),
    height=int(HEIGHT * ENLARGED),
    crop="disabled",
    title="upscale",
)
second = KSampler(
    model,
    seed=SEED,
    steps=30,
    cfg=7.0,
    sampler_name="dpmpp_2m_sde",
    scheduler="karras",
    positive=positive,
    negative=negative,
    latent_image=larger,
    denoise=0.45,
    title="second pass",
)
graph = build(SaveImage(VAEDecode(second, vae), filename_prefix="hires"))

if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
