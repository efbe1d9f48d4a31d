"""
Pictures in and out: upload by a presigned PUT, download by a presigned address that expires.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from comfygraph.emulator.forms import read_form
from comfygraph.emulator.tams.service import ServiceHandler, Tams, Upload, problem, storage_error
from comfygraph.emulator.tams.submit import field_of
from comfygraph.emulator.web import MAX_UPLOAD, faults_of, json_answer, read_body, read_object

_FORM_PATH = "/resource-form"
_FREE_HEADERS = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "user-agent",
        "expect",
        "x-emulator-faults",
    }
)


async def begin(service: Tams, request: Request) -> Response:
    """
    Give a place to put a picture.
    """
    body = await read_object(request, empty={})
    try:
        seconds = int(field_of(body, "expireSec") or 3600)
    except (TypeError, ValueError):
        return problem(400, 3, "invalid expireSec")
    term = "long" if str(body.get("term", 1)) == "2" else "short"
    name = str(uuid.uuid4())
    headers = {"Content-Type": "application/octet-stream", "x-oss-meta-term": term}
    service.uploads[name] = Upload({key.lower(): value for key, value in headers.items()})
    address = service.sign(f"resource-upload/{term}-term/upload/{name}", seconds, "PUT")
    return json_answer({"resourceId": name, "putUrl": address, "headers": headers})


async def put(service: Tams, request: Request) -> Response:
    """
    Take the bytes of a picture, with exactly the headers that were asked for.
    """
    refusal = service.checked_address(request)
    upload = service.uploads.get(request.path_params["name"])
    if refusal is not None or upload is None:
        return refusal or storage_error("NoSuchKey", "The specified key does not exist.", 404)
    sent = {key: value for key, value in request.headers.items() if key not in _FREE_HEADERS}
    if sent != upload.headers:
        return storage_error("SignatureDoesNotMatch", "The headers are not those that were signed.")
    data = await read_body(request, MAX_UPLOAD)
    service.engine.store.locate("input", "", request.path_params["name"]).write_bytes(data)
    upload.done = True
    return Response(status_code=faults_of(request).put_status)


async def begin_form(service: Tams, request: Request) -> Response:
    """
    Give a place to put a picture with an HTML form, and the policy that the form must carry.
    """
    await read_object(request, empty={})
    name = str(uuid.uuid4())
    service.uploads[name] = Upload({})
    path = f"resource-upload/short-term/form/{name}"
    expires = int(service.host.clock()) + 3600
    return json_answer(
        {
            "resourceId": name,
            "accessId": "LTAIemulator",
            "host": f"{service.host.base_url}{_FORM_PATH}",
            "filePath": path,
            "expire": str(expires),
            "policy": base64.b64encode(f"{path} until {expires}".encode()).decode(),
            "signature": service.signature("POST", path, expires),
            "callback": base64.b64encode(b"{}").decode(),
            "securityToken": "emulator",
        }
    )


async def take_form(service: Tams, request: Request) -> Response:
    """
    Take the bytes of a picture out of a form, whose policy must be the one that was given.
    """
    form = {name.lower(): value for name, value in (await read_form(request)).items()}
    path, file = form.get("key"), form.get("file")
    upload = service.uploads.get(str(path).rpartition("/")[2])
    if not isinstance(path, str) or not isinstance(file, tuple) or upload is None:
        return storage_error("InvalidArgument", "The form lacks a key or a file.", 400)
    try:
        policy = base64.b64decode(str(form.get("policy")), validate=True).decode()
        named, _, expires = policy.partition(" until ")
        good = service.signature("POST", path, int(expires)) == form.get("signature")
    except ValueError:
        return storage_error("InvalidPolicyDocument", "The policy cannot be read.", 400)
    if not good or named != path:
        return storage_error("SignatureDoesNotMatch", "The signature is not of this policy.")
    if int(expires) < service.host.clock():
        return storage_error("AccessDenied", "Policy expired.")
    service.engine.store.locate("input", "", path.rpartition("/")[2]).write_bytes(file[1])
    upload.done = True
    return Response(status_code=200 if form.get("success_action_status") == "200" else 204)


async def fetch(service: Tams, request: Request) -> Response:
    """
    Give a file that a job made.
    """
    found = service.results.get(request.path_params["name"].partition(".")[0])
    if found is None:
        return storage_error("NoSuchKey", "The specified key does not exist.", 404)
    path, job = found
    refusal = service.checked_address(request)
    if refusal is None and service.host.counts.strikes(job.faults, "expired_urls"):
        refusal = storage_error("AccessDenied", "Request has expired.")
    return refusal or FileResponse(path)


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("POST", "/v1/resource/image"): begin, ("POST", "/v1/resource/image/sts"): begin_form}
)
OPEN_HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("POST", _FORM_PATH): take_form,
        ("PUT", "/resource-upload/{term}/{day}/{name}"): put,
        ("GET", "/resource-upload/{term}/{day}/{name}"): fetch,
    }
)
