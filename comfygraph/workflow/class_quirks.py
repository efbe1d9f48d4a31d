"""
Classes for which the editor's own scripts add widgets that the class does not declare.

Facts: `extensions/core/{load3d,saveMesh,customWidgets,uploadAudio}.ts` of ComfyUI's
frontend, and recorded prompts.
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
}
"""Class → widgets that its script adds; their values are in the file and in the prompt."""

MADE_WHEN_QUEUED: Mapping[str, tuple[str, ...]] = {
    "Load3D": ("image",),
    "WebcamCapture": ("image",),
    "RecordAudio": ("audio",),
}
"""Class → inputs whose value the editor makes at the moment of queueing."""

SAVES_UNDER_PREFIX = frozenset(
    {
        "SaveImage",
        "SaveImageAdvanced",
        "SaveSVGNode",
        "SaveVideo",
        "SaveAnimatedWEBP",
        "SaveWEBM",
        "SaveAudio",
        "SaveAudioMP3",
        "SaveAudioOpus",
        "SaveGLB",
        "SaveAnimatedPNG",
        "CLIPSave",
        "VAESave",
        "ModelSave",
        "LoraSave",
        "SaveLatent",
    }
)
"""Classes in whose `filename_prefix` the editor replaces `%Node.widget%`."""

LEGACY_NAMES: Mapping[str, str] = {
    "T2IAdapterLoader": "ControlNetLoader",
    "ConditioningAverage ": "ConditioningAverage",
    "SDV_img2vid_Conditioning": "SVD_img2vid_Conditioning",
    "Load3DAnimation": "Load3D",
    "Preview3DAnimation": "Preview3D",
}
"""Renamed classes: the editor loads the old name as the new one."""
