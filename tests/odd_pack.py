"""
An `/object_info` whose names are as odd as node packs make them.
"""

from __future__ import annotations

from typing import Any

ODD_PACK: dict[str, Any] = {
    "🔥 Load": {
        "input": {
            "required": {
                "self": ["MODEL", {}],
                "class": ["INT", {"default": 1, "min": 0, "max": 9}],
                "_cls": ["INT", {"default": 1}],
                "cls": ["STRING", {"default": 'a "quoted" \\ text'}],
                "title": ["STRING", {"default": "", "multiline": True}],
                "cfg scale": ["FLOAT", {"default": 1}],
                "cfg-scale": ["FLOAT", {"default": 2}],
                "ckpt": [["a.safetensors", "b.ckpt"], {}],
                "mode": [["x", "y"], {}],
            },
            "optional": {"__x": ["WEIRD TYPE!", {}], "any": ["*", {}]},
        },
        "output": ["WEIRD TYPE!", "IMAGE", "IMAGE", "s"],
        "output_name": ["a b", "IMAGE", "IMAGE", "count"],
        "output_node": False,
        "display_name": '🔥 Load """ it\\',
        "category": "odd\npack",
        "python_module": "custom_nodes.Odd-Pack",
    },
    "Load": {
        "input": {"required": {"source": ["WEIRD TYPE!", {}]}},
        "output": [],
        "output_node": True,
        "python_module": "custom_nodes.Odd-Pack",
    },
    "from": {"input": {}, "output": ["INT"], "python_module": "nodes"},
}
