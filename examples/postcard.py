"""
A template: the graph is written once, its parameters are settled when it is built.

    python examples/postcard.py seed=3 width=832 height=1216
"""

from __future__ import annotations

import json
import sys

from comfygraph.dsl import Template, param
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    EmptyLatentImage,
    KSampler,
    SaveImage,
    VAEDecode,
)

model, clip, vae = CheckpointLoaderSimple(param("checkpoint", "sd_xl_base_1.0.safetensors"))
latent = KSampler(
    model,
    seed=param("seed", 1),
    steps=param("steps", 26),
    cfg=6.5,
    sampler_name="dpmpp_2m",
    scheduler="karras",
    positive=CLIPTextEncode(param("text", "screen print postcard of Lisbon, four inks"), clip),
    negative=CLIPTextEncode("photograph, frame, text", clip),
    latent_image=EmptyLatentImage(param("width", 1216), param("height", 832)),
)
template = Template(SaveImage(VAEDecode(latent, vae), filename_prefix="postcard"))
graph = template()

if __name__ == "__main__":
    chosen = dict(argument.split("=", 1) for argument in sys.argv[1:])
    print(json.dumps(template.from_texts(chosen).to_json(), indent=2, ensure_ascii=False))
