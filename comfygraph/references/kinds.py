"""
Kinds of models, as each service calls them, and the folders of ComfyUI that they belong into.

A kind is the type of an AIR: `checkpoint`, `lora`, `vae`, ... Sources: Civitai's contract of AIR,
`modelType` of TAMS, `type` of Novita, the folders of ComfyUI's `folder_paths.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

FOLDERS: Mapping[str, str] = {
    "checkpoint": "checkpoints",
    "lora": "loras",
    "lycoris": "loras",
    "dora": "loras",
    "embedding": "embeddings",
    "vae": "vae",
    "controlnet": "controlnet",
    "upscaler": "upscale_models",
    "hypernet": "hypernetworks",
    "motion": "animatediff_models",
    "text_encoders": "text_encoders",
    "clip": "text_encoders",
    "diffusionmodel": "diffusion_models",
    "unet": "diffusion_models",
    "clipvision": "clip_vision",
    "birefnet": "background_removal",
}
"""Kind → folder; where several kinds share a folder, the first is its kind."""

_OLD_FOLDERS = {"unet": "diffusion_models", "clip": "text_encoders"}
"""Folders as they were called before, which ComfyUI still reads."""

_KINDS = {folder: kind for kind, folder in reversed(list(FOLDERS.items()))}

_NAMES = {
    # Civitai's site: `model.type` of a version.
    "checkpoint": "checkpoint",
    "lora": "lora",
    "locon": "lycoris",
    "lycoris": "lycoris",
    "dora": "dora",
    "textualinversion": "embedding",
    "embedding": "embedding",
    "vae": "vae",
    "controlnet": "controlnet",
    "upscaler": "upscaler",
    "hypernetwork": "hypernet",
    "hypernet": "hypernet",
    "motionmodule": "motion",
    "motion": "motion",
    "aestheticgradient": "ag",
    "ag": "ag",
    "textencoders": "text_encoders",
    "textencoder": "text_encoders",
    "clip": "clip",
    "clipvision": "clipvision",
    "unet": "unet",
    "diffusionmodel": "diffusionmodel",
    "visionlanguage": "visionlanguage",
    "birefnet": "birefnet",
    "nodepack": "nodepack",
    "nodepacklayer": "nodepacklayer",
    "image": "image",
}


def folder_of_kind(kind: str) -> str | None:
    """
    Give the folder of ComfyUI that models of a kind belong into, or `None` where it has none.
    """
    return FOLDERS.get(kind_named(kind))


def kind_of_folder(folder: str) -> str | None:
    """
    Give the kind of the models in a folder of ComfyUI, or `None` where AIR has no name for it.
    """
    return _KINDS.get(_OLD_FOLDERS.get(folder, folder))


def kind_named(name: str) -> str:
    """
    Give the kind that a service calls `name`, in any case: `LoCon` and `LYCORIS` are `lycoris`,
    `TEXTUAL_INVERSION` is `embedding`. What has no kind of its own is `other`.
    """
    folded = "".join(char for char in name.casefold() if char.isalnum())
    return _NAMES.get(folded, "other")


def kind_fits(kind: str, folder: str) -> bool:
    """
    Tell whether a model of a kind may stand in an input that lists a folder.

    A kind or a folder that the other side has no name for may always. A checkpoint may stand
    among diffusion models, as Civitai has called those checkpoints too.
    """
    own = folder_of_kind(kind)
    wanted = _OLD_FOLDERS.get(folder, folder)
    if own is None or wanted not in _KINDS:
        return True
    return own == wanted or (own, wanted) == ("checkpoints", "diffusion_models")
