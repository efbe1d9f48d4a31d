"""
Families: what names and ecosystems tell, and what fits what.
"""

from __future__ import annotations

import pytest

from comfygraph.analysis.families import (
    FAMILIES,
    family_of_ecosystem,
    family_of_name,
    fits,
    space_of_name,
)

NAMES = {
    "sd_xl_base_1.0.safetensors": "sdxl",
    "ponyDiffusionV6XL_v6.safetensors": "sdxl",
    "noobaiXLNAIXL_vPred10.safetensors": "sdxl",
    "sdxl/detail.safetensors": "sdxl",
    "v1-5-pruned-emaonly.ckpt": "sd1",
    "random_sd15_fp16.safetensors": "sd1",
    "control_v11p_sd15_canny.pth": "sd1",
    "sd21-unclip-h.ckpt": "sd2",
    "sd3_medium_incl_clips.safetensors": "sd3",
    "sd3.5_large_fp8_scaled.safetensors": "sd3-large",
    "flux1-krea-dev_fp8_scaled.safetensors": "flux1",
    "flux-2-klein-base-4b.safetensors": "flux2-klein-4b",
    "Flux_2-Turbo-LoRA_comfyui.safetensors": "flux2",
    "Qwen-Image-Lightning-4steps-V1.0.safetensors": "qwen",
    "pixel_art_style_z_image_turbo.safetensors": "zimage",
    "wan2.1_t2v_1.3B_fp16.safetensors": "wan-1.3b",
    "wan2.2_i2v_lightx2v_4steps_lora_v1_high_noise.safetensors": "wan-14b",
    "wan2.2_ti2v_5B_fp16.safetensors": "wan-5b",
    "ltx-2.3-22b-distilled-lora-384.safetensors": "ltx2.3",
    "hunyuanvideo1.5_720p_t2v_fp16.safetensors": "hunyuanvideo15",
}
SILENT = (
    "", "dreamshaper_8.safetensors", "t5xxl_fp16.safetensors", "qwen_3_4b.safetensors",
    "byt5_small_glyphxl_fp16.safetensors", "664602165660323756", "sdxl_to_flux1_adapter.pt",
    "sdpose_wholebody_fp16.safetensors", "flux_10_steps.safetensors", "sd_1234.safetensors",
)  # fmt: skip


@pytest.mark.parametrize(("name", "key"), NAMES.items())
def test_names_that_tell(name: str, key: str) -> None:
    """
    The names that authors give their files tell the family, folders and letter case aside.
    """
    family = family_of_name(name.upper())

    assert FAMILIES[key] == family_of_name(f"some\\folder/{name}") == family


@pytest.mark.parametrize("name", SILENT)
def test_names_that_tell_nothing(name: str) -> None:
    """
    Names of text encoders, of two families at once, or of nothing known give no family.
    """
    found = family_of_name(name)

    assert None is found


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("sdxl", "sdxl"), ("Illustrious", "sdxl"), ("Pony", "sdxl"), ("Pony V7", "auraflow"),
        ("SD 1.5 LCM", "sd1"), ("sd3", "sd3"), ("SD 3.5 Medium", "sd3-medium"),
        ("fluxkrea", "flux1"), ("Flux.2 Klein 9B-base", "flux2-klein-9b"),
        ("wanvideo-22-t2v-a14b", "wan-14b"), ("Wan Video 2.2 TI2V-5B", "wan-5b"),
        ("openai", None), ("other", None), ("", None),
    ],
)  # fmt: skip
def test_ecosystems(text: str, key: str | None) -> None:
    """
    AIR ecosystems and base models stand for families; those of services alone for none.
    """
    found = family_of_ecosystem(text)

    assert (FAMILIES[key] if key else None) == found


def test_keys_stand_for_themselves() -> None:
    """
    A reference map may name any family by its key.
    """
    found = {key: family_of_ecosystem(key) for key in FAMILIES}

    assert dict(FAMILIES) == found


@pytest.mark.parametrize(
    ("part", "model", "answer"),
    [
        ("sdxl", "sdxl", True), ("sd1", "sdxl", False), ("wan", "wan-14b", None),
        ("wan-1.3b", "wan-14b", False), ("flux1", "chroma", None), ("sd3", "sd3-large", None),
    ],
)  # fmt: skip
def test_fits(part: str, model: str, answer: bool | None) -> None:
    """
    Parts of the same kin fit, groups and near relations may, others do not; either way round.
    """
    there, back = fits(FAMILIES[part], FAMILIES[model]), fits(FAMILIES[model], FAMILIES[part])

    assert (answer, answer) == (there, back)


def test_vae_names() -> None:
    """
    The usual names of VAE files tell their latent space, others do not.
    """
    names = ("ae.safetensors", "x/wan_2.1_vae.safetensors", "qwen_image_vae.safetensors", "my.pt")
    found = [space_of_name(name) for name in names]

    assert ["flux1", "wan21", "wan21", None] == [space and space.key for space in found]
