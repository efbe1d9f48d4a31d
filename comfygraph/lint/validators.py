"""
Node classes that check their own values (`VALIDATE_INPUTS`, V3 `validate_inputs`).

The catalog does not tell which classes do, so the core's are listed here, from ComfyUI
0.33.0. Such a class takes over the range and list checks of the inputs that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygraph.core.records import NamedTuple


class Validator(NamedTuple):
    """
    What a class's own check looks at.

    Args:
        inputs: The inputs that it takes; these skip the server's range and list checks.
        takes_all: It takes `**kwargs`: no input has range or list checks.
        skips_types: It asks for `input_types`: no link's type is checked.
        files: It wants the value to be an existing file (`exists_annotated_filepath`).
        options: It wants the value to be in the closed list of its input.
    """

    inputs: tuple[str, ...] = ()
    takes_all: bool = False
    skips_types: bool = False
    files: bool = False
    options: bool = False


NO_VALIDATOR = Validator()

VALIDATORS: Mapping[str, Validator] = {
    "CustomCombo": Validator(takes_all=True),
    "FluxProUltraImageNode": Validator(("aspect_ratio",)),
    "Load3D": Validator(takes_all=True),
    "Load3DAdvanced": Validator(takes_all=True),
    "LoadAudio": Validator(("audio",), files=True),
    "LoadImage": Validator(("image",), files=True),
    "LoadImageMask": Validator(("image",), files=True),
    "LoadImageOutput": Validator(("image",), files=True),
    "LoadLatent": Validator(("latent",), files=True),
    "LoadVideo": Validator(("file",), files=True),
    "ModelAttentionBackend": Validator(("attention",)),
    "SelectCLIPDevice": Validator(("device",)),
    "SelectModelDevice": Validator(("device",)),
    "SelectVAEDevice": Validator(("device",)),
    "TripoConversionNode": Validator(("input_types",), skips_types=True),
    "WebcamCapture": Validator(("image",)),
}

_ANNOTATIONS = (" [input]", " [output]", " [temp]")


def plain_file_name(value: str) -> str:
    """
    Strip the folder mark that may end a file name: `cat.png [output]`.
    """
    for mark in _ANNOTATIONS:
        if value.endswith(mark):
            return value[: -len(mark)]
    return value


def file_check_crash(value: Any) -> str | None:
    """
    Give the text of the exception that a file check dies of, or `None`: it expects a string.

    A linked input reaches the check as `None`.
    """
    if isinstance(value, str):
        return None
    return f"'{type(value).__name__}' object has no attribute 'endswith'"
