"""
`GET /v1/models/{id}`: any id of 15 to 20 digits is a model. Those of `KNOWN` are what they are;
any other is of the kind that graphs have used it for, for SD 1.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import spoiled
from comfygraph.emulator.tams.service import ServiceHandler, Tams, problem
from comfygraph.emulator.web import faults_of, json_answer

KNOWN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "600423083519508503": ("CHECKPOINT", "SD 1.5"),
        "664602165660323756": ("CHECKPOINT", "SD 1.5"),
        "648628718430054626": ("LORA", "SD 1.5"),
        "631627137633337321": ("LORA", "SD 1.5"),
        "700000000000000001": ("LORA", "SDXL 1.0"),
        "700000000000000002": ("CHECKPOINT", "SDXL 1.0"),
        "700000000000000003": ("CONTROLNET", "SD 1.5"),
    }
)
"""Id → kind and base model."""
OPTIONAL = frozenset({"name", "baseModel", "modelType", "projectName", "triggerWords"})


async def read(service: Tams, request: Request) -> Response:
    """
    Give a model.
    """
    model_id = request.path_params["model_id"]
    if not re.fullmatch(r"\d{15,20}", model_id):
        return problem(404, 5, "Not Found: model not found")
    kind, base = KNOWN.get(model_id, (service.models.get(model_id, "CHECKPOINT"), "SD 1.5"))
    model: dict[str, JsonValue] = {
        "id": model_id,
        "name": "v1.0",
        "baseModel": base,
        "modelType": kind,
        "projectName": f"Emulated {kind.lower()}",
        "showcaseImageUrls": [],
        "triggerWords": "emulated" if kind == "LORA" else "",
    }
    kept = {key: value for key, value in model.items() if value}
    return json_answer({"model": spoiled(kept, faults_of(request), OPTIONAL)})


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("GET", "/v1/models/{model_id}"): read}
)
