"""
Graphs as people write them, each right in its way: the rules about dataflow warn of none.
"""

from __future__ import annotations

from typing import Any

import pytest
from flow_graphs import CATALOG, Graph, advanced, base, changed, lora, node, sampler

from comfygraph.lint import LintOptions, Severity, lint
from comfygraph.lint.registry import all_rules

RULES = [rule for rule in all_rules() if rule.id.startswith("CG7")]
SDXL = "urn:air:sdxl:checkpoint:civitai:101055@128078"
REFINER = "urn:air:sdxl:checkpoint:civitai:101055@126613"
SD1 = "urn:air:sd1:checkpoint:civitai:4384@128713"
FLUX = "urn:air:flux1:checkpoint:civitai:618692@691639"
FLUX2 = "urn:air:flux2:checkpoint:civitai:2165902@2439067"
PIXART = "urn:air:pixarte:checkpoint:civitai:420163@468157"
XL_LORA = "urn:air:sdxl:lora:civitai:118427@128461"


def unet(name: str, vae: str, **changes: Any) -> Graph:
    """The graph of `base` with its parts loaded one by one."""
    graph = base(
        n1=node("UNETLoader", unet_name=name, weight_dtype="default"),
        n20=node("CLIPLoader", clip_name="text_encoder.safetensors", type="wan"),
        n21=node("VAELoader", vae_name=vae),
        n2={"clip": ["20", 0]},
        n3={"clip": ["20", 0]},
        n6={"vae": ["21", 0]},
    )
    return changed(graph, **changes)


def control(number: str, positive: list[Any], negative: list[Any], name: str) -> Graph:
    """A ControlNet on both prompts."""
    return {
        f"n{number}": node(
            "ControlNetApplyAdvanced", positive=positive, negative=negative,
            control_net=[f"{number}0", 0], image=["30", 0], strength=0.8, start_percent=0.0,
            end_percent=1.0,
        ),
        f"n{number}0": node("ControlNetLoader", control_net_name=name),
    }  # fmt: skip


PHOTO = {"n30": node("LoadImage", image="photo.png")}
FLUX_GUIDER = {
    "n8": node("FluxGuidance", conditioning=["2", 0], guidance=3.5),
    "n9": node("BasicGuider", model=["1", 0], conditioning=["8", 0]),
    "n10": node("RandomNoise", noise_seed=5),
    "n11": node("KSamplerSelect", sampler_name="euler"),
    "n12": node("BasicScheduler", model=["1", 0], scheduler="simple", steps=20, denoise=1.0),
    "n5": node("SamplerCustomAdvanced", noise=["10", 0], guider=["9", 0], sampler=["11", 0],
               sigmas=["12", 0], latent_image=["4", 0]),
}  # fmt: skip

GRAPHS: dict[str, Graph] = {
    "text to picture": base(SDXL, n4={"width": 832, "height": 1216, "batch_size": 4}),
    "picture to picture": base(
        SD1, **PHOTO, n8=node("VAEEncode", pixels=["30", 0], vae=["1", 2]),
        n5={"latent_image": ["8", 0], "denoise": 0.6},
    ),
    "inpainting": base(
        SD1, **PHOTO,
        n8=node("VAEEncodeForInpaint", pixels=["30", 0], vae=["1", 2], mask=["30", 1],
                grow_mask_by=6),
        n5={"latent_image": ["8", 0]},
    ),
    "outpainting with a model for it": base(
        **PHOTO,
        n8=node("ImagePadForOutpaint", image=["30", 0], left=64, top=0, right=64, bottom=0,
                feathering=40),
        n9=node("InpaintModelConditioning", positive=["2", 0], negative=["3", 0],
                vae=["1", 2], pixels=["8", 0], mask=["8", 1], noise_mask=True),
        n5={"positive": ["9", 0], "negative": ["9", 1], "latent_image": ["9", 2]},
    ),
    "a second pass in latent space": base(
        SD1, n8=node("LatentUpscaleBy", samples=["5", 0], upscale_method="bislerp", scale_by=2.0),
        n9=sampler(latent_image=["8", 0], denoise=0.5), n6={"samples": ["9", 0]},
    ),
    "a second pass in pixels, by a model": base(
        SDXL, n4={"width": 1024, "height": 1024},
        n8=node("UpscaleModelLoader", model_name="4x-UltraSharp.pth"),
        n9=node("ImageUpscaleWithModel", image=["6", 0], upscale_model=["8", 0]),
        n10=node("ImageScaleBy", image=["9", 0], upscale_method="lanczos", scale_by=0.5),
        n11=node("VAEEncodeTiled", pixels=["10", 0], vae=["1", 2], tile_size=512, overlap=64,
                 temporal_size=64, temporal_overlap=8),
        n12=sampler(latent_image=["11", 0], denoise=0.3, seed=2),
        n13=node("VAEDecodeTiled", samples=["12", 0], vae=["1", 2], tile_size=512, overlap=64,
                 temporal_size=64, temporal_overlap=8),
        n7={"images": ["13", 0]},
    ),
    "base and refiner": base(
        SDXL, n4={"width": 1024, "height": 1024},
        n8=node("CheckpointLoaderSimple", ckpt_name=REFINER),
        n9=node("CLIPTextEncodeSDXLRefiner", text="a lighthouse", ascore=6.0, width=1024,
                height=1024, clip=["8", 1]),
        n10=node("CLIPTextEncodeSDXLRefiner", text="blurry", ascore=2.5, width=1024,
                 height=1024, clip=["8", 1]),
        n5=advanced(steps=25, end_at_step=20, return_with_leftover_noise="enable"),
        n11=advanced(steps=25, start_at_step=20, end_at_step=10_000, add_noise="disable",
                     model=["8", 0], positive=["9", 0], negative=["10", 0],
                     latent_image=["5", 0]),
        n6={"samples": ["11", 0], "vae": ["8", 2]},
    ),
    "base with a LoRA, refiner without": base(
        SDXL, n4={"width": 1024, "height": 1024}, n12=lora("1", XL_LORA),
        n2={"clip": ["12", 1]}, n3={"clip": ["12", 1]},
        n8=node("CheckpointLoaderSimple", ckpt_name=REFINER),
        n5=advanced(model=["12", 0], end_at_step=16, return_with_leftover_noise="enable"),
        n11=advanced(start_at_step=16, add_noise="disable", model=["8", 0],
                     latent_image=["5", 0]),
        n6={"samples": ["11", 0]},
    ),
    "few steps with a LoRA for them": base(
        SDXL, n4={"width": 1024, "height": 1024},
        n8=node("LoraLoaderModelOnly", model=["1", 0], strength_model=1.0,
                lora_name="sdxl_lightning_4step_lora.safetensors"),
        n5={"model": ["8", 0], "steps": 4, "cfg": 1.0, "scheduler": "sgm_uniform"},
    ),
    "a second pass in few steps": base(
        SDXL, n4={"width": 1024, "height": 1024}, n8=lora("1", XL_LORA),
        n9=lora("8", "lcm-lora-sdxl.safetensors"),
        n2={"clip": ["9", 1]}, n3={"clip": ["9", 1]}, n5={"model": ["8", 0]},
        n10=node("LatentUpscaleBy", samples=["5", 0], upscale_method="bislerp", scale_by=1.5),
        n11=sampler(model=["9", 0], latent_image=["10", 0], steps=6, cfg=1.5, denoise=0.5),
        n6={"samples": ["11", 0]},
    ),
    "SDXL Turbo": base(
        "sd_xl_turbo_1.0_fp16.safetensors",
        n8=node("SDTurboScheduler", model=["1", 0], steps=1, denoise=1.0),
        n9=node("KSamplerSelect", sampler_name="euler_ancestral"),
        n5=node("SamplerCustom", model=["1", 0], add_noise=True, noise_seed=1, cfg=1.0,
                positive=["2", 0], negative=["3", 0], sampler=["9", 0], sigmas=["8", 0],
                latent_image=["4", 0]),
    ),
    "FLUX with its guider": base(
        FLUX, n4=node("EmptySD3LatentImage", width=1344, height=768, batch_size=1), **FLUX_GUIDER,
    ),
    "FLUX with one prompt twice and cfg 1": base(
        FLUX, n4={"width": 1024, "height": 1024},
        n8=node("FluxGuidance", conditioning=["2", 0], guidance=3.5),
        n5={"positive": ["8", 0], "negative": ["2", 0], "cfg": 1.0}, n3=None,
    ),
    "FLUX.2 in four megapixels": base(
        FLUX2, n4=node("EmptyFlux2LatentImage", width=2048, height=2048, batch_size=1),
        **FLUX_GUIDER,
    ),
    "PixArt Sigma in two thousand pixels": base(PIXART, n4={"width": 2048, "height": 2048}),
    "Chroma Radiance, which needs no VAE": unet(
        "chroma_radiance_x0.safetensors", "pixel_space", **PHOTO,
        n8=node("EmptyImage", width=1001, height=1003, batch_size=1, color=0),
        n9=node("VAEEncode", pixels=["8", 0], vae=["21", 0]),
        n5={"latent_image": ["9", 0], "denoise": 0.5},
    ),
    "a chain of ControlNets": base(
        "v1-5-pruned-emaonly.ckpt", **PHOTO,
        **control("31", ["2", 0], ["3", 0], "control_v11p_sd15_canny.pth"),
        **control("32", ["31", 0], ["31", 1], "control_v11f1p_sd15_depth.pth"),
        n5={"positive": ["32", 0], "negative": ["32", 1]},
    ),
    "a picture's size for a ControlNet": base(
        SD1, **PHOTO, **control("31", ["2", 0], ["3", 0], "tile.pth"),
        n8=node("VAEEncode", pixels=["30", 0], vae=["1", 2]),
        n5={"positive": ["31", 0], "negative": ["31", 1], "latent_image": ["8", 0]},
    ),
    "an adapter of an unknown pack": base(
        SDXL, n4={"width": 1024, "height": 1024}, **PHOTO,
        n8=node("IPAdapterUnifiedLoader", model=["1", 0], preset="PLUS"),
        n9=node("IPAdapter", model=["8", 0], ipadapter=["8", 1], image=["30", 0], weight=1.0),
        n10=node("FreeU_V2", model=["9", 0], b1=1.3, b2=1.4, s1=0.9, s2=0.2),
        n5={"model": ["10", 0]},
    ),
    "Wan 2.2 with its two models": unet(
        "wan2.2_t2v_high_noise_14B_fp16.safetensors", "wan_2.1_vae.safetensors",
        n4=node("EmptyHunyuanLatentVideo", width=832, height=480, length=81, batch_size=1),
        n8=node("UNETLoader", unet_name="wan2.2_t2v_low_noise_14B_fp16.safetensors",
                weight_dtype="default"),
        n9=node("LoraLoaderModelOnly", model=["1", 0], strength_model=1.0,
                lora_name="wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise.safetensors"),
        n10=node("LoraLoaderModelOnly", model=["8", 0], strength_model=1.0,
                 lora_name="wan2.2_t2v_lightx2v_4steps_lora_v1.1_low_noise.safetensors"),
        n11=node("ModelSamplingSD3", model=["9", 0], shift=5.0),
        n12=node("ModelSamplingSD3", model=["10", 0], shift=5.0),
        n5=advanced(model=["11", 0], steps=4, cfg=1.0, end_at_step=2,
                    return_with_leftover_noise="enable"),
        n13=advanced(model=["12", 0], steps=4, cfg=1.0, start_at_step=2, end_at_step=4,
                     add_noise="disable", latent_image=["5", 0]),
        n6={"samples": ["13", 0]},
    ),
    "a film from a picture": unet(
        "wan2.1_i2v_480p_14B_fp16.safetensors", "wan_2.1_vae.safetensors", **PHOTO,
        n8=node("WanImageToVideo", positive=["2", 0], negative=["3", 0], vae=["21", 0], width=832,
                height=480, length=81, batch_size=1, start_image=["30", 0]),
        n5={"positive": ["8", 0], "negative": ["8", 1], "latent_image": ["8", 2]},
    ),
    "an embedding after a space": base(SD1, n3={"text": "blurry, embedding: EasyNegative"}),
    "embedding as a word": base(SD1, n2={"text": "a diagram of word_embedding: arrows"}),
    "a look at half of the steps": base(
        SDXL, n4={"width": 1024, "height": 1024},
        n5=advanced(end_at_step=10, return_with_leftover_noise="enable"),
        n8=advanced(start_at_step=10, add_noise="disable", latent_image=["5", 0]),
        n9=node("VAEDecode", samples=["8", 0], vae=["1", 2]),
        n10=node("PreviewImage", images=["9", 0]),
    ),
    "a half schedule in steps of another kind": base(
        **PHOTO, n8=node("VAEEncode", pixels=["30", 0], vae=["1", 2]),
        n9=node("AlignYourStepsScheduler", model_type="SDXL", steps=10, denoise=0.5),
        n10=node("KSamplerSelect", sampler_name="euler"),
        n5=node("SamplerCustom", model=["1", 0], add_noise=True, noise_seed=1, cfg=7.0,
                positive=["2", 0], negative=["3", 0], sampler=["10", 0], sigmas=["9", 0],
                latent_image=["8", 0]),
    ),
    "the same seed for several models": base(
        SDXL, n4={"width": 1024, "height": 1024},
        n8=node("CheckpointLoaderSimple", ckpt_name="other.safetensors"),
        n9=sampler(model=["8", 0]), n10=node("VAEDecode", samples=["9", 0], vae=["8", 2]),
        n11=node("PreviewImage", images=["10", 0]),
    ),
}  # fmt: skip

INFOS: dict[str, list[str]] = {"a look at half of the steps": ["CG716"]}


@pytest.mark.parametrize("name", GRAPHS)
def test_no_false_alarm(name: str) -> None:
    """
    Nobody is warned of what is right; what may be meant otherwise is an info.
    """
    report = lint(GRAPHS[name], CATALOG, rules=RULES, options=LintOptions())
    warnings = [f"{one.rule_id} {one.message}" for one in report if one.severity != Severity.INFO]

    assert [] == warnings
    assert INFOS.get(name, []) == [one.rule_id for one in report]
