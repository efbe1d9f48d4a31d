"""
Classes that have another name by now, and the classes that took the place of others.

Used where the catalog has the new class and not the old one. Fact: `/node_replacements`
of ComfyUI 0.33.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from comfygraph.workflow.model import as_list

_SAME: Mapping[str, Any] = MappingProxyType({})


class Renamed(NamedTuple):
    """
    What became of a class.

    Args:
        name: The class that took its place.
        inputs: Old input name → new one; inputs that are not listed keep their name.
        widgets: The old widgets in the order in which files store them, where the new class
            has them in another order; else empty.
        fixed: New input → value that stands for what the old class always did.
    """

    name: str
    inputs: Mapping[str, str] = _SAME
    widgets: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = _SAME

    def values(self, stored: Any) -> dict[str, tuple[Any, int | None]]:
        """
        Give new input → `(value, position among the stored values)`.
        """
        found: dict[str, tuple[Any, int | None]] = {
            name: (value, None) for name, value in self.fixed.items()
        }
        for index, (old, value) in enumerate(zip(self.widgets, as_list(stored), strict=False)):
            found[self.inputs.get(old, old)] = (value, index)
        return found


RENAMED: Mapping[str, Renamed] = {
    "ConditioningAverage ": Renamed("ConditioningAverage"),
    "ImageBatch": Renamed(
        "BatchImagesNode", {"image1": "images.image0", "image2": "images.image1"}
    ),
    "ImageScaleBy": Renamed(
        "ResizeImageMaskNode",
        {
            "image": "input",
            "scale_by": "resize_type.multiplier",
            "upscale_method": "scale_method",
        },
        ("upscale_method", "scale_by"),
        {"resize_type": "scale by multiplier"},
    ),
    "Load3DAnimation": Renamed("Load3D"),
    "Preview3DAnimation": Renamed("Preview3D"),
    "ResizeImagesByLongerEdge": Renamed(
        "ImageScaleToMaxDimension",
        {"images": "image", "longer_edge": "largest_size"},
        ("longer_edge",),
        {"upscale_method": "lanczos"},
    ),
    "SDV_img2vid_Conditioning": Renamed("SVD_img2vid_Conditioning"),
    "T2IAdapterLoader": Renamed("ControlNetLoader", {"t2i_adapter_name": "control_net_name"}),
}
"""Old class → what became of it."""
