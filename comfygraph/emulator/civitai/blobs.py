"""
Blobs: redirects to content, fresh addresses, uploads, and the live trace.
"""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from comfygraph.emulator.civitai.model import iso
from comfygraph.emulator.civitai.problems import InvalidError, problem
from comfygraph.emulator.civitai.service import Civitai, ServiceHandler
from comfygraph.emulator.civitai.views import blob_view
from comfygraph.emulator.civitai.workflows import answer
from comfygraph.emulator.facts import UNKNOWN_FRAME
from comfygraph.emulator.pictures import preview, size_of
from comfygraph.emulator.store import StoredFile
from comfygraph.emulator.web import MAX_UPLOAD, faults_of, read_body

_TAKEN = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/webp": "webp",
    "audio/mpeg": "mp3",
    "audio/webm": "webm",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
_LEVELS = ("pg", "pg13", "r", "x", "xxx", "na")


async def read(service: Civitai, request: Request) -> Response:
    """
    Redirect to the content of a blob; with the token, or with a signed address.
    """
    blob_id = request.path_params["blob_id"]
    if "sig" in request.query_params:
        if not service.is_signed(request, blob_id):
            return problem(403, "The signature is not valid or has expired.")
    elif not service.is_known(request):
        return problem(401)
    level = request.query_params.get("nsfwLevel")
    if level is not None and level.lower() not in _LEVELS:
        raise InvalidError({"nsfwLevel": [f"The value '{level}' is not valid."]})
    blob = service.blobs.get(blob_id)
    owner = service.blob_faults.get(blob_id)
    if blob is None or blob.file is None:
        return problem(404)
    if owner is not None and service.host.counts.strikes(owner.faults, "expired_urls"):
        return problem(403, "The signature is not valid or has expired.")
    if owner is not None and owner.faults.withheld and not owner.allow_mature:
        return problem(403, "The blob is withheld.")
    if level is not None and service.level_of(blob_id) > _LEVELS.index(level.lower()):
        return problem(403, "The blob is above the requested level.")
    token = secrets.token_urlsafe(24)
    ttl = owner.faults.url_ttl if owner is not None else service.host.faults.url_ttl
    service.tokens[token] = (blob, service.host.clock() + ttl)
    return Response(status_code=308, headers={"Location": f"/v2/consumer/blobs/content/{token}"})


async def head(service: Civitai, request: Request) -> Response:
    """
    Tell whether a blob is there.
    """
    blob = service.blobs.get(request.path_params["blob_id"])
    return Response(status_code=204) if blob is not None and blob.file is not None else problem(404)


async def content(service: Civitai, request: Request) -> Response:
    """
    Give the bytes of a blob.
    """
    found = service.tokens.get(request.path_params["token"])
    if found is None:
        return problem(404)
    blob, until = found
    if until < service.host.clock():
        return problem(403, "The address has expired.")
    if blob.file is None:
        return problem(404)
    media_type = mimetypes.guess_type(blob.id)[0] or "application/octet-stream"
    return FileResponse(blob.file.path, media_type=media_type)


async def refresh(service: Civitai, request: Request) -> Response:
    """
    Give a blob with a fresh address.
    """
    blob_id = request.path_params["blob_id"]
    blob = service.blobs.get(blob_id)
    if blob is None:
        return problem(404)
    return answer(blob_view(service, blob, service.blob_faults.get(blob_id)))


async def upload_address(service: Civitai, request: Request) -> Response:
    """
    Give an address to which a file can be posted without the token.
    """
    until = iso(service.host.clock() + 3600) or ""
    sig = service.signature("upload", until)
    address = f"{service.host.base_url}/v2/consumer/blobs?sig={sig}&exp={until}"
    return answer({"uploadUrl": address, "expiresAt": until})


async def upload(service: Civitai, request: Request) -> Response:
    """
    Take a file in.
    """
    if not service.is_known(request) and not service.is_signed(request, "upload"):
        return problem(401)
    spoiled = faults_of(request).upload_status
    if spoiled:
        return problem(spoiled, "The file is not taken.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _TAKEN:
        return problem(415, f"The media type '{media_type}' is not supported.")
    data = await read_body(request, MAX_UPLOAD)
    if not data:
        raise InvalidError({"body": ["A body is required."]})
    size = size_of(data) if media_type.startswith("image/") else None
    if media_type.startswith("image/") and size is None:
        return problem(422, "The file is no picture.")
    blob = service.new_blob(_TAKEN[media_type])
    path = service.engine.store.locate("input", "", blob.id)
    path.write_bytes(data)
    blob.file = StoredFile(
        blob.id,
        "",
        "input",
        path,
        kind=media_type.partition("/")[0],
        format=_TAKEN[media_type],
        width=size[0] if size else None,
        height=size[1] if size else None,
    )
    return answer(blob_view(service, blob, None), 201)


async def blocked(service: Civitai, request: Request) -> Response:
    """
    Give a picture in place of one that is withheld.
    """
    found = service.tokens.get(request.path_params["token"])
    if found is None:
        return problem(403)
    picture = preview(UNKNOWN_FRAME, "withheld", 0, 1)
    return Response(picture, media_type="image/jpeg")


async def archive(service: Civitai, request: Request) -> Response:
    """
    Archives of results are never kept: they are gone.
    """
    return problem(410)


class _Broken(StreamingResponse):
    """A stream whose connection is closed where the stream ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        async for part in self.body_iterator:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        scope["state"]["transport"].close()
        while (await receive())["type"] != "http.disconnect":
            pass


async def stream(service: Civitai, request: Request) -> Response:
    """
    Give the trace of a run from its first byte on, as it grows; 404 before there is one.
    """
    key, _, ending = request.path_params["blob_key"].rpartition(".")
    found = service.traces.get(key)
    if found is None or not service.is_signed(request, key):
        return problem(404)
    trace, workflow = found
    if not trace.data:
        return problem(404)
    media_type = "application/octet-stream" if ending == "bin" else "text/plain"
    if request.method == "HEAD":
        return Response(media_type=media_type)
    limit = workflow.faults.broken_trace
    if limit and service.breaks(trace):
        parts: AsyncIterator[bytes] = trace.stream(limit)
        return _Broken(parts, media_type=media_type)
    return StreamingResponse(trace.stream(), media_type=media_type)


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/v2/consumer/blobs/upload"): upload_address,
        ("HEAD", "/v2/consumer/blobs/{blob_id}"): head,
        ("POST", "/v2/consumer/blobs/{blob_id}/refresh"): refresh,
    }
)
OPEN_HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("POST", "/v2/consumer/blobs"): upload,
        ("GET", "/v2/consumer/blobs/content/{token}"): content,
        ("GET", "/v2/consumer/blobs/blocked/{token}"): blocked,
        ("GET", "/v2/consumer/blobs/archive/{token}"): archive,
        ("GET", "/v2/consumer/blobs/{blob_id}"): read,
        ("GET", "/v2/consumer/streaming-blobs/{blob_key}"): stream,
    }
)
