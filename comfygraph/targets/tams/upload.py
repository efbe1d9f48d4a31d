"""
Images on their way to TAMS: a place is asked for, then the bytes go to a presigned address.

The address is not of the service but of its storage: exactly the headers that the service names
go along, they are signed, and our credentials do not (TAMS API, `POST /v1/resource/image`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError, Rejected, ServiceUnavailable, TargetError
from comfygraph.targets.http import HttpRequest, HttpResponse
from comfygraph.targets.reading import identifier, is_web_url, mapping, one_line, pick, text

PATH = "/v1/resource/image"
EXPIRE_SECONDS = 3600
SHORT_TERM, LONG_TERM = 1, 2
"""Kept for seven days, or for good."""

_PUT_TIMEOUT = 300.0
_MESSAGE = re.compile(rb"<Message>([^<]{1,300})</Message>")


def upload_body(*, keep: bool = False) -> dict[str, JsonValue]:
    """
    Give the body that asks for a place.
    """
    return {"expireSec": EXPIRE_SECONDS, "term": LONG_TERM if keep else SHORT_TERM}


def put_request(answer: Mapping[str, JsonValue], data: bytes) -> tuple[str, HttpRequest]:
    """
    Give the resource id, and the request that brings the bytes there.

    Raises:
        ProtocolError: The answer names no id or no usable address.
    """
    resource = identifier(pick(dict(answer), "resourceId", "resource_id"))
    url = text(pick(dict(answer), "putUrl", "put_url"))
    if not resource or not is_web_url(url):
        raise ProtocolError("TAMS names no place for the upload")
    named = mapping(answer.get("headers"))
    headers = {name: value for name, value in named.items() if isinstance(value, str)}
    return resource, HttpRequest("PUT", url, headers, data, timeout=_PUT_TIMEOUT)


def put_failure(response: HttpResponse) -> TargetError:
    """
    Give the exception for a refused PUT; the storage answers in XML.
    """
    found = _MESSAGE.search(response.body[:8192])
    said = one_line(found[1].decode(errors="replace")) if found else ""
    tail = f": {said}" if said else ""
    kind = ServiceUnavailable if response.status >= 500 else Rejected
    return kind(
        f"the storage of TAMS did not take the file (HTTP {response.status}){tail}",
        status=response.status,
    )
