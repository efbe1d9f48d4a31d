"""
`GET /v1/models/{id}`: any id of 15 to 20 digits is a model; its kind is the one that graphs
have used it for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.emulator.tams.service import ServiceHandler, Tams, problem
from comfygraph.emulator.web import json_answer


async def read(service: Tams, request: Request) -> Response:
    """
    Give a model.
    """
    model_id = request.path_params["model_id"]
    if not re.fullmatch(r"\d{15,20}", model_id):
        return problem(404, 5, "Not Found: model not found")
    kind = service.models.get(model_id, "CHECKPOINT")
    return json_answer(
        {
            "model": {
                "id": model_id,
                "name": "v1.0",
                "baseModel": "SD 1.5",
                "modelType": kind,
                "projectName": f"Emulated {kind.lower()}",
            }
        }
    )


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("GET", "/v1/models/{model_id}"): read}
)
