"""
Enlarge a picture four times with an upscale model, then bring it to a size of one's choice.
"""

from __future__ import annotations

import json

from comfygraph.dsl import build
from comfygraph.nodes import (
    ImageUpscaleWithModel,
    LoadImage,
    ResizeImageMaskNode,
    SaveImage,
    UpscaleModelLoader,
)

large = ImageUpscaleWithModel(
    UpscaleModelLoader("4x-UltraSharp.pth"), LoadImage("scan.png"), title="four times"
)
fitting = ResizeImageMaskNode(
    large, {"resize_type": "scale longer dimension", "longer_size": 3840}, "lanczos"
)
graph = build(SaveImage(fitting, filename_prefix="scan_4k"))


if __name__ == "__main__":
    print(json.dumps(graph.to_json(), indent=2, ensure_ascii=False))
