"""
The editor's colours.

Facts: the palette "Dark (Default)" of ComfyUI's frontend (`colorPalettes/dark.json`).
"""

from __future__ import annotations

from collections.abc import Mapping

SOCKETS: Mapping[str, str] = {
    "CLIP": "#FFD500",
    "CLIP_VISION": "#A8DADC",
    "CLIP_VISION_OUTPUT": "#AD7452",
    "CONDITIONING": "#FFA931",
    "CONTROL_NET": "#6EE7B7",
    "GUIDER": "#66FFFF",
    "IMAGE": "#64B5F6",
    "LATENT": "#FF9CF9",
    "MASK": "#81C784",
    "MODEL": "#B39DDB",
    "NOISE": "#B0B0B0",
    "SAMPLER": "#ECB4B4",
    "SIGMAS": "#CDFFCD",
    "STYLE_MODEL": "#C2FFAE",
    "TAESD": "#DCC274",
    "VAE": "#FF6E6E",
}
"""Socket type → colour."""

OTHER_SOCKET = "#99AA99"
SEVERITIES: Mapping[str, str] = {"error": "#FF5F57", "warning": "#F5C518", "info": "#6CB6FF"}


def socket_color(kind: str) -> str:
    """
    Give the colour of a socket type; of a union, that of its first type.
    """
    return SOCKETS.get(kind.partition(",")[0].strip(), OTHER_SOCKET)
