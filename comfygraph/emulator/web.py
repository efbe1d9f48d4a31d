"""
What all services do with a request: count it, spoil it as the knobs say, read its body within
limits, and answer in the service's own form whatever goes wrong.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import tampered
from comfygraph.emulator.faults import FAULTS_HEADER, Faults
from comfygraph.emulator.host import Host, Received
from comfygraph.errors import UsageError

MAX_JSON = 32 * 1024 * 1024
MAX_UPLOAD = 100 * 1024 * 1024
MAX_DEPTH = 200

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Refuse: TypeAlias = Callable[[Request, int, str], Response]

_log = logging.getLogger(__name__)
_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>{status}</title></head>"
    "<body><center><h1>{status}</h1></center><hr><center>gateway</center></body></html>\n"
)


class BodyError(Exception):
    """
    A body that cannot be read; `status` is 413 for one that is too large, else 400.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class HangUp(Response):
    """
    No answer: the connection is closed, in the middle of another answer if one is given.
    """

    def __init__(self, instead: Response | None = None) -> None:
        super().__init__()
        self._instead = instead

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Close the connection.
        """
        if self._instead is not None:
            # A file's answer has its content elsewhere; its head alone is cut enough.
            body = bytes(getattr(self._instead, "body", b""))
            headers = self._instead.raw_headers
            status = self._instead.status_code
            await send({"type": "http.response.start", "status": status, "headers": headers})
            half = body[: len(body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await asyncio.sleep(0.01)
        scope["state"]["transport"].abort()
        while (await receive())["type"] != "http.disconnect":
            pass


def faults_of(request: Request) -> Faults:
    """
    Give the knobs that hold for a request.
    """
    faults: Faults = request.state.faults
    return faults


def route(method: str, path: str, handler: Handler, host: Host, refuse: Refuse) -> Route:
    """
    Make a route whose handler is counted, spoiled and guarded.

    Args:
        method: The method.
        path: The path, with parameters in braces; also the name in the account.
        handler: Answers the request; may raise `BodyError`.
        host: The emulator.
        refuse: Makes an error answer in the form of the service.
    """

    async def endpoint(request: Request) -> Response:
        host.account.request(f"{method} {path}")
        request.state.body = None
        try:
            return await answer_to(request)
        finally:
            host.account.keep(_received(request))

    async def answer_to(request: Request) -> Response:
        try:
            request.state.faults = faults = _knobs(request, host)
        except UsageError as exc:
            return Response(f"{FAULTS_HEADER}: {exc.message}\n", 400, media_type="text/plain")
        spoiled = await _spoil(request, faults, host, refuse)
        headers = dict(request.headers)
        if spoiled is not None:
            return tampered(spoiled, faults, host.counts, headers)
        try:
            answer = await handler(request)
        except BodyError as exc:
            answer = refuse(request, exc.status, str(exc))
        except ClientDisconnect:
            return HangUp()
        except Exception:
            _log.exception("the emulator stumbled over %s %s", method, path)
            answer = refuse(request, 500, "internal server error")
        if faults.matches(request.method, request.url.path):
            if host.counts.strikes(faults, "lost_answers"):
                return HangUp()
            if host.counts.strikes(faults, "late_errors"):
                answer = refuse(request, faults.error_status, "the gateway gave up waiting")
            if host.counts.strikes(faults, "cut_answers"):
                return HangUp(answer)
            answer = tampered(answer, faults, host.counts, headers)
        return answer

    return Route(path, endpoint, methods=[method])


def _received(request: Request) -> Received:
    return Received(
        request.method,
        request.url.path,
        request.url.query,
        dict(request.headers),
        request.state.body or b"",
    )


def _knobs(request: Request, host: Host) -> Faults:
    header = request.headers.get(FAULTS_HEADER)
    return host.faults.changed(header.split(";")) if header else host.faults


async def _spoil(request: Request, faults: Faults, host: Host, refuse: Refuse) -> Response | None:
    if not faults.matches(request.method, request.url.path):
        return None
    if faults.delay > 0:
        await asyncio.sleep(faults.delay)
    if host.counts.strikes(faults, "drops"):
        return HangUp()
    if host.counts.strikes(faults, "redirects"):
        place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return Response(status_code=307, headers={"Location": f"{faults.redirect_to}{place}"})
    answer: Response | None = None
    if host.counts.strikes(faults, "too_many"):
        answer = refuse(request, 429, "too many requests")
    elif host.counts.strikes(faults, "errors"):
        answer = refuse(request, faults.error_status, "the service is not available")
    elif host.counts.strikes(faults, "pages"):
        page = _PAGE.format(status=faults.page_status)
        answer = Response(page, faults.page_status, media_type="text/html")
    if answer is not None and faults.retry_after:
        answer.headers["Retry-After"] = faults.retry_after
    return answer


async def read_body(request: Request, limit: int = MAX_JSON) -> bytes:
    """
    Read the body of a request; a second time gives it again.

    Raises:
        BodyError: It is larger than `limit` bytes.
    """
    known: bytes | None = getattr(request.state, "body", None)
    if known is not None:
        return known
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise BodyError(413, f"the body is larger than {limit} bytes")
        parts.append(part)
    request.state.body = body = b"".join(parts)
    return body


async def read_json(request: Request, *, empty: JsonValue = None) -> JsonValue:
    """
    Read the body of a request as JSON.

    Args:
        request: The request; its `Content-Type` is not looked at.
        empty: What an empty body stands for; without it, an empty body is an error.

    Raises:
        BodyError: The body is too large, not JSON, or nested too deeply.
    """
    body = await read_body(request)
    if not body.strip() and empty is not None:
        return empty
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise BodyError(400, f"the body is not JSON: {exc}") from exc
    if _deep(value):
        raise BodyError(400, f"the body is nested more than {MAX_DEPTH} levels deep")
    return value


async def read_object(
    request: Request, *, empty: dict[str, JsonValue] | None = None
) -> dict[str, JsonValue]:
    """
    Read the body of a request as a JSON object; see `read_json`.

    Raises:
        BodyError: Also if it is another JSON value.
    """
    value = await read_json(request, empty=empty)
    if not isinstance(value, dict):
        raise BodyError(400, "the body is no JSON object")
    return value


def _deep(value: JsonValue) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[JsonValue] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return False
        level = below
    return True


def json_text(value: JsonValue) -> bytes:
    """
    Write JSON as Python's own `json.dumps` does, ASCII only.
    """
    return json.dumps(value).encode("ascii")


def json_answer(
    value: JsonValue,
    status: int = 200,
    *,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """
    Answer with JSON.
    """
    return Response(json_text(value), status, media_type=media_type, headers=headers)


def bearer(request: HTTPConnection) -> str | None:
    """
    Give the token of `Authorization: Bearer …`, or `None`.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
