"""
Recorded conversions: what the editor (frontend 1.49.6, ComfyUI 0.33.0) made of workflows.

The template workflows come from the package `comfyui-workflow-templates-json`; committed
are only digests of the expected prompts, one a node, so that a failure names its node.
The hand-made edge cases are committed whole.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data" / "workflow"

_RENDERED = "the editor renders the 3D view when it queues"
_STALE_SLOTS = (
    "the editor connects a promoted primitive by slot numbers that are out of date, and sends "
    "the name of a model as aspect ratio"
)
LEFT_OUT = {
    ("api_hunyuan3d_retopo_uv", "265"): (("image",), _RENDERED),
    ("api_hunyuan3d_smart_topology", "1"): (("image",), _RENDERED),
    ("templates_graphic_design_recomposer", "143:157"): (("model.aspect_ratio",), _STALE_SLOTS),
}
"""Every difference between our conversions of the templates and the editor's, with its cause."""


def node_digest(template: str, node_id: str, node: dict[str, Any]) -> str:
    """
    Give eight hexadecimal digits for a node of a prompt: values, links, title, and key order.
    """
    skipped, _ = LEFT_OUT.get((template, node_id), ((), ""))
    inputs = {name: value for name, value in node["inputs"].items() if name not in skipped}
    text = json.dumps({**node, "inputs": inputs}, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def expected_templates() -> dict[str, dict[str, str]]:
    """
    Give template → node id → digest, ids in the order of the recorded prompt.
    """
    with gzip.open(DATA / "template_digests.json.gz", "rt", encoding="utf-8") as file:
        stored: dict[str, list[str]] = json.load(file)
    return {
        name: {
            node_id: digests[index * 8 : index * 8 + 8]
            for index, node_id in enumerate(ids.split(" ") if ids else [])
        }
        for name, (ids, digests) in stored.items()
    }


def template(name: str) -> Any:
    """
    Give a template's workflow.
    """
    spec = find_spec("comfyui_workflow_templates_json")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "templates" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def edge_cases() -> dict[str, dict[str, Any]]:
    """
    Give name → `{"workflow": ..., "prompt": ...}`, or `"error"` where the editor throws.
    """
    with gzip.open(DATA / "edge_cases.jsonl.gz", "rt", encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    return {case["name"]: case for case in cases}
