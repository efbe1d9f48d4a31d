"""
Input files (`/api/v2/assets`) and output files (`/api/v2/files`, signed addresses).
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from comfygraph.emulator.comfyapi.service import ComfyApi, ServiceHandler, problem
from comfygraph.emulator.forms import read_form
from comfygraph.emulator.web import json_answer


async def upload_asset(service: ComfyApi, request: Request) -> Response:
    """
    Take a file in: a form with the field `file`.
    """
    given = (await read_form(request)).get("file")
    if not isinstance(given, tuple) or not given[0]:
        return problem(400, "invalid_request", "the form has no `file`")
    name, data = given
    asset = str(uuid.uuid4())
    ending = PurePosixPath(name).suffix
    stored = f"{asset}{ending}" if ending[1:].isalnum() and ending.isascii() else asset
    service.engine.store.locate("input", "", stored).write_bytes(data)
    service.assets[asset] = stored
    return json_answer({"id": asset, "name": name, "size_bytes": len(data)}, 201)


async def get_file(service: ComfyApi, request: Request) -> Response:
    """
    Give an output file, to whoever has its signed address.
    """
    name = request.path_params["name"]
    known = service.files.get(name)
    query = request.query_params
    expires = query.get("expires", "")
    if known is None or not expires.isascii() or not expires.isdigit():
        return problem(404, "not_found", "file not found")
    wanted = service.signature(name, int(expires))
    given = query.get("signature", "")
    file, job = known
    if (
        not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace"))
        or int(expires) < service.host.clock()
        or service.host.counts.strikes(job.faults, "expired_urls")
    ):
        return problem(403, "url_expired", "the address has expired")
    if not file.path.is_file():
        return problem(404, "not_found", "file not found")
    return FileResponse(file.path, media_type=f"{file.kind}/{file.format}")


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("POST", "/api/v2/assets"): upload_asset}
)
OPEN_HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("GET", "/api/v2/files/{name}"): get_file}
)
