"""
Template jobs: a graph that somebody published, with a few fields to fill in. The emulator has
one, `TEMPLATE_ID`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.tams.service import ServiceHandler, Tams, problem
from comfygraph.emulator.tams.submit import ArgumentsError, checked, field_of, price, take
from comfygraph.emulator.web import json_answer, read_object

TEMPLATE_ID = "676018193025756628"
_FIELDS = (("6", "text"), ("5", "width"), ("5", "height"))
_NODES: dict[str, dict[str, JsonValue]] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
            "seed": 1,
            "steps": 20,
            "cfg": 7,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1,
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "600423083519508503"}},
    "5": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": 512, "height": 768, "batch_size": 1},
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a harbour", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "tool"}},
}


async def read(service: Tams, request: Request) -> Response:
    """
    Give a template with its fields and their values.
    """
    if request.path_params["template_id"] != TEMPLATE_ID:
        return problem(404, 5, "Not Found: template not found")
    fields = [
        {"nodeId": node_id, "fieldName": name, "fieldValue": _NODES[node_id]["inputs"][name]}
        for node_id, name in _FIELDS
    ]
    return json_answer(
        {"templateId": TEMPLATE_ID, "name": "Emulated tool", "fields": {"fieldAttrs": fields}}
    )


async def submit(service: Tams, request: Request) -> Response:
    """
    Take a filled template as a job.
    """
    try:
        body = await read_object(request)
        return take(service, request, body, _filled(body))
    except ArgumentsError as exc:
        return exc.answer


async def check(service: Tams, request: Request) -> Response:
    """
    Check a filled template and say what it costs.
    """
    try:
        nodes, _ = checked(service, _filled(await read_object(request)))
    except ArgumentsError as exc:
        return exc.answer
    return json_answer({"valid": True, "credits": price(service, nodes)})


def _filled(body: Mapping[str, JsonValue]) -> dict[str, dict[str, JsonValue]]:
    if str(field_of(body, "templateId")) != TEMPLATE_ID:
        raise ArgumentsError(problem(404, 5, "Not Found: template not found"))
    fields = body.get("fields")
    attributes = field_of(fields, "fieldAttrs") if isinstance(fields, dict) else None
    given: dict[tuple[str, str], JsonValue] = {}
    for item in attributes if isinstance(attributes, list) else ():
        if isinstance(item, dict):
            place = (str(field_of(item, "nodeId")), str(field_of(item, "fieldName")))
            given[place] = field_of(item, "fieldValue")
    nodes = copy.deepcopy(_NODES)
    for node_id, name in _FIELDS:
        if (node_id, name) not in given:
            wanted = f"[nodeId:fieldName] {node_id}:{name}"
            raise ArgumentsError(problem(500, 2, f"can't find {wanted} in fields parameter"))
        nodes[node_id]["inputs"][name] = given[node_id, name]
    return nodes


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/v1/workflows/{template_id}"): read,
        ("POST", "/v1/workflows/template/check"): check,
        ("POST", "/v1/jobs/workflow/template"): submit,
    }
)
