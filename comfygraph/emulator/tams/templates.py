"""
Template jobs: a graph that somebody published, with a few fields to fill in. The emulator has
two: `TEMPLATE_ID` paints a picture, `IMAGE_TEMPLATE_ID` scales one that was uploaded.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.tams.service import ServiceHandler, Tams, problem
from comfygraph.emulator.tams.submit import (
    ArgumentsError,
    checked,
    field_of,
    known_fields,
    price,
    refused_check,
    take,
)
from comfygraph.emulator.web import faults_of, json_answer, read_object

TEMPLATE_ID = "676018193025756628"
IMAGE_TEMPLATE_ID = "676018193025756629"
Nodes = dict[str, dict[str, JsonValue]]
_NODES: Nodes = {
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
_IMAGE_NODES: Nodes = {
    "25": {"class_type": "LoadImage", "inputs": {"image": ""}},
    "26": {
        "class_type": "ImageScaleBy",
        "inputs": {"image": ["25", 0], "upscale_method": "bicubic", "scale_by": 2},
    },
    "27": {"class_type": "SaveImage", "inputs": {"images": ["26", 0], "filename_prefix": "tool"}},
}
_TEMPLATES: Mapping[str, tuple[str, Nodes, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        TEMPLATE_ID: ("Emulated tool", _NODES, (("6", "text"), ("5", "width"), ("5", "height"))),
        IMAGE_TEMPLATE_ID: (
            "Emulated image tool",
            _IMAGE_NODES,
            (("25", "image"), ("26", "scale_by")),
        ),
    }
)
"""Id → name, graph, fields."""


async def read(service: Tams, request: Request) -> Response:
    """
    Give a template with its fields and their values.
    """
    template_id = request.path_params["template_id"]
    if template_id not in _TEMPLATES:
        return problem(404, 5, "Not Found: template not found")
    title, nodes, places = _TEMPLATES[template_id]
    fields = [
        {"nodeId": node_id, "fieldName": name, "fieldValue": nodes[node_id]["inputs"][name]}
        for node_id, name in places
    ]
    return json_answer({"templateId": template_id, "name": title, "fields": {"fieldAttrs": fields}})


async def submit(service: Tams, request: Request) -> Response:
    """
    Take a filled template as a job.
    """
    try:
        body = await read_object(request)
        known_fields(request, body, "requestId", "templateId", "fields", "runningNotifyUrl")
        return take(service, request, body, _filled(body, faults_of(request)))
    except ArgumentsError as exc:
        return exc.answer


async def check(service: Tams, request: Request) -> Response:
    """
    Check a filled template and say what it costs.
    """
    faults = faults_of(request)
    try:
        body = await read_object(request)
        known_fields(request, body, "requestId", "templateId", "fields")
        nodes, _ = checked(service, _filled(body, faults), faults)
    except ArgumentsError as exc:
        return refused_check(request, exc)
    return json_answer({"valid": True, "credits": price(service, nodes)})


def _filled(body: Mapping[str, JsonValue], faults: Faults) -> Nodes:
    template_id = str(field_of(body, "templateId"))
    if template_id not in _TEMPLATES:
        raise ArgumentsError(problem(404, 5, "Not Found: template not found"))
    _, preset, places = _TEMPLATES[template_id]
    fields = body.get("fields")
    attributes = field_of(fields, "fieldAttrs") if isinstance(fields, dict) else None
    given: dict[tuple[str, str], JsonValue] = {}
    for item in attributes if isinstance(attributes, list) else ():
        if isinstance(item, dict):
            place = (str(field_of(item, "nodeId")), str(field_of(item, "fieldName")))
            given[place] = field_of(item, "fieldValue")
    nodes = copy.deepcopy(preset)
    for node_id, name in places:
        if (node_id, name) not in given:
            wanted = f"[nodeId:fieldName] {node_id}:{name}"
            text = f"can't find {wanted} in fields parameter"
            raise ArgumentsError(problem(faults.field_status, 2, text))
        nodes[node_id]["inputs"][name] = given[node_id, name]
    return nodes


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/v1/workflows/{template_id}"): read,
        ("POST", "/v1/workflows/template/check"): check,
        ("POST", "/v1/jobs/workflow/template"): submit,
    }
)
