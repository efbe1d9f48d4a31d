"""
Picture to video with Wan 2.1: about two seconds that begin with a given picture.
"""

from __future__ import annotations

import json

from comfygraph.dsl import build
from comfygraph.nodes import (
    CLIPLoader,
    CLIPTextEncode,
    CLIPVisionEncode,
    CLIPVisionLoader,
    CreateVideo,
    KSampler,
    LoadImage,
    ModelSamplingSD3,
    SaveVideo,
    UNETLoader,
    VAEDecode,
    VAELoader,
    WanImageToVideo,
)

FPS = 16
FRAMES = 2 * FPS + 1  # the first frame is the picture, then groups of four

model = ModelSamplingSD3(UNETLoader("wan2.1_i2v_480p_14B_fp8_e4m3fn.safetensors"), 8.0)
clip = CLIPLoader("umt5_xxl_fp8_e4m3fn_scaled.safetensors", "wan")
vae = VAELoader("wan_2.1_vae.safetensors")
start = LoadImage("paper_boat.png")
seen = CLIPVisionEncode(CLIPVisionLoader("clip_vision_h.safetensors"), start, crop="none")
motion = WanImageToVideo(
    positive=CLIPTextEncode("a paper boat drifts down a rain gutter, camera follows", clip),
    negative=CLIPTextEncode("static, subtitles, overexposed, worst quality", clip),
    vae=vae,
    width=832,
    height=480,
    length=FRAMES,
    clip_vision_output=seen,
    start_image=start,
)
latent = KSampler(
    model,
    seed=64,
    steps=20,
    cfg=6.0,
    sampler_name="uni_pc",
    scheduler="simple",
    positive=motion.positive,
    negative=motion.negative,
    latent_image=motion.latent,
)
video = CreateVideo(VAEDecode(latent, vae), fps=FPS)
graph = build(SaveVideo(video, "video/boat", {"format": "mp4", "codec": "h264"}))


if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
