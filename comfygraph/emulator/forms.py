"""
Bodies of HTML forms, with files in them.
"""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from comfygraph.emulator.web import MAX_UPLOAD, read_body


async def read_form(request: Request) -> dict[str, str | tuple[str, bytes]]:
    """
    Read a multipart body: field → text, or `(file name, content)`; empty where it is none.

    Raises:
        BodyError: It is too large.
    """
    body = await read_body(request, MAX_UPLOAD)

    async def again() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    found: dict[str, str | tuple[str, bytes]] = {}
    try:
        async with Request(request.scope, again).form(max_part_size=MAX_UPLOAD) as form:
            for name, value in form.items():
                if isinstance(value, UploadFile):
                    found[name] = (value.filename or "", await value.read())
                else:
                    found[name] = value
    except (MultiPartException, HTTPException, KeyError, ValueError):
        return {}
    return found
