"""
Classes that the editor's own scripts treat in a way that `/object_info` does not tell.

Facts: `extensions/core/{load3d,saveMesh,customWidgets,saveImageExtraOutput}.ts` and the
English texts of ComfyUI's frontend 1.49, and recorded prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ExtraWidget(NamedTuple):
    """
    A widget without an input: `after` names the widget it follows, `None` the last one.
    """

    name: str
    default: object
    after: str | None = None


EXTRA_WIDGETS: Mapping[str, tuple[ExtraWidget, ...]] = {
    "Load3D": (
        ExtraWidget("upload 3d model", "upload3dmodel", "model_file"),
        ExtraWidget("upload extra resources", "uploadExtraResources", "model_file"),
        ExtraWidget("clear", "clear", "model_file"),
    ),
    "Preview3D": (ExtraWidget("image", ""),),
    "SaveGLB": (ExtraWidget("image", ""),),
    "CustomCombo": (ExtraWidget("index", 0),),
}
"""Class → widgets that its script adds; their values are in the file and in the prompt."""

COUNTED_WIDGETS: Mapping[str, str] = {"CustomCombo": "option"}
"""Class → prefix of the widgets that take all further stored values: `option1`, `option2`, ..."""

MADE_WHEN_QUEUED: Mapping[str, str] = {
    "Load3D": "image",
    "WebcamCapture": "image",
    "RecordAudio": "audio",
}
"""Class → the input whose value the editor makes at the moment of queueing."""

SAVES_UNDER_PREFIX = frozenset(
    {
        "CLIPSave",
        "LoraSave",
        "ModelSave",
        "Save3DAdvanced",
        "SaveAnimatedPNG",
        "SaveAnimatedWEBP",
        "SaveAudio",
        "SaveAudioAdvanced",
        "SaveAudioMP3",
        "SaveAudioOpus",
        "SaveGLB",
        "SaveGaussianSplat",
        "SaveImage",
        "SaveImageAdvanced",
        "SaveLatent",
        "SavePointCloud",
        "SaveSVGNode",
        "SaveVideo",
        "SaveWEBM",
        "VAESave",
    }
)
"""Classes in whose `filename_prefix` the editor replaces `%Node.widget%`."""

EDITOR_TITLES: Mapping[str, str] = {
    "ByteDance2ReferenceNode": "ByteDance Seedance 2.5 Reference to Video",
    "ByteDanceSeedreamNodeV2": "ByteDance Seedream 4.5 & 5.0",
    "IdeogramPImage": "Ideogram P-Image",
    "LTXVConcatAVLatent": "LTXVConcatAVLatent",
    "LTXVSeparateAVLatent": "LTXVSeparateAVLatent",
    "TopazImageEnhance": "Topaz Image Enhance",
}
"""Classes for which the editor's own texts have another title than the server's."""
