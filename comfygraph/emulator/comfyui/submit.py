"""
`POST /prompt` and `GET /prompt` (`server.py`, `post_prompt`).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.comfyui.service import ComfyUI, ServiceHandler, answer, stumble
from comfygraph.emulator.host import rewritten
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.web import faults_of, read_json

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SECRETS = ("auth_token_comfy_org", "api_key_comfy_org")
_NO_PROMPT = {
    "type": "no_prompt",
    "message": "No prompt provided",
    "details": "No prompt provided",
    "extra_info": {},
}
_BAD_ID = {
    "type": "invalid_prompt_id",
    "message": "prompt_id must be a valid UUID",
    "details": (
        "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
        "omit it to let the server generate one"
    ),
    "extra_info": {},
}


class StumbleError(Exception):
    """The server raises: it answers 500."""


def is_job_id(value: JsonValue) -> bool:
    """
    Tell whether a value is a UUID in the one form that the server takes.
    """
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


async def get_prompt(service: ComfyUI, request: Request) -> Response:
    """
    Answer how many jobs wait or run.
    """
    return answer({"exec_info": {"queue_remaining": service.engine.remaining()}})


async def post_prompt(service: ComfyUI, request: Request) -> Response:
    """
    Check a prompt and put it into the queue.
    """
    body = await read_json(request)
    try:
        return _submit(service, request, body)
    except StumbleError:
        return stumble()


def _submit(service: ComfyUI, request: Request, body: JsonValue) -> Response:
    if not isinstance(body, dict):
        raise StumbleError
    number = _number(service, body)
    if "prompt" not in body:
        return answer({"error": _NO_PROMPT, "node_errors": {}}, 400)
    job_id = body.get("prompt_id")
    if job_id is None:
        job_id = str(uuid.uuid4())
    elif not is_job_id(job_id):
        return answer({"error": _BAD_ID, "node_errors": {}}, 400)

    prompt = body["prompt"]
    verdict = service.host.check(prompt, _targets(body.get("partial_execution_targets"), prompt))
    if verdict.status >= 500:
        raise StumbleError
    document = verdict.to_json()
    if verdict.status != 200:
        return answer(document, verdict.status)

    extra = _extra(service, request, body)
    pnginfo = extra.get("extra_pnginfo")
    nodes = rewritten(prompt, verdict)
    service.engine.put(
        Job(
            id=job_id,
            number=number,
            nodes=nodes,
            outputs=list(verdict.outputs),
            extra=extra,
            faults=faults_of(request),
            metadata={"prompt": nodes, **(pnginfo if isinstance(pnginfo, dict) else {})},
            created=service.engine.clock(),
        )
    )
    service.host.account.submit("comfyui")
    node_errors = document.get("node_errors", {}) if isinstance(document, dict) else {}
    return answer({"prompt_id": job_id, "number": number, "node_errors": node_errors})


def _number(service: ComfyUI, body: Mapping[str, JsonValue]) -> float:
    if "number" in body:
        try:
            return float(body["number"])
        except (TypeError, ValueError, OverflowError) as exc:
            raise StumbleError from exc
    number = -service.number if body.get("front") else service.number
    service.number += 1
    return number


def _targets(value: JsonValue, prompt: JsonValue) -> Iterable[str] | None:
    if value is None:
        return None
    if isinstance(value, list | dict):
        return [item for item in value if isinstance(item, str)]
    if isinstance(value, str) and isinstance(prompt, dict):
        # `x in targets` on a string looks for a part of it.
        return [node_id for node_id in prompt if node_id in value]
    raise StumbleError


def _extra(
    service: ComfyUI, request: Request, body: Mapping[str, JsonValue]
) -> Mapping[str, JsonValue]:
    given = body.get("extra_data", {})
    if not isinstance(given, dict):
        raise StumbleError
    extra = {key: value for key, value in given.items() if key not in _SECRETS}
    if "client_id" in body:
        extra["client_id"] = body["client_id"]
    source = request.headers.get("comfy-usage-source")
    if source is not None:
        extra["comfy_usage_source"] = source
    extra["create_time"] = int(service.engine.clock() * 1000)
    return extra


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("GET", "/prompt"): get_prompt, ("POST", "/prompt"): post_prompt}
)
