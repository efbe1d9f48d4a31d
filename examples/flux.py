"""
Flux: model, text encoders and VAE come from separate files, guidance is part of the text.
"""

from __future__ import annotations

import json

from comfygraph.dsl import build
from comfygraph.nodes import (
    BasicGuider,
    BasicScheduler,
    CLIPTextEncode,
    DualCLIPLoader,
    EmptySD3LatentImage,
    FluxGuidance,
    KSamplerSelect,
    LoraLoaderModelOnly,
    ModelSamplingFlux,
    RandomNoise,
    SamplerCustomAdvanced,
    SaveImage,
    UNETLoader,
    VAEDecode,
    VAELoader,
)

WIDTH, HEIGHT = 1344, 768

clip = DualCLIPLoader("clip_l.safetensors", "t5xxl_fp8_e4m3fn.safetensors", "flux")
model = ModelSamplingFlux(
    LoraLoaderModelOnly(UNETLoader("flux1-dev.safetensors"), "flux_film_grain.safetensors", 0.6),
    width=WIDTH,
    height=HEIGHT,
)
text = CLIPTextEncode(
    "wide shot of a night train crossing a viaduct, lit windows, snow, the sign on the "
    'locomotive reads "47 to Aurora"',
    clip,
)
sampled = SamplerCustomAdvanced(
    noise=RandomNoise(20),
    guider=BasicGuider(model, FluxGuidance(text, 3.2)),
    sampler=KSamplerSelect("euler"),
    sigmas=BasicScheduler(model, scheduler="beta", steps=24),
    latent_image=EmptySD3LatentImage(WIDTH, HEIGHT),
)
picture = VAEDecode(sampled.output, VAELoader("ae.safetensors"))
graph = build(SaveImage(picture, filename_prefix="viaduct"))


if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
