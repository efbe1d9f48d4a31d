"""
The state of the emulated Novita, and what it does before every request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.host import Host
from comfygraph.emulator.web import Handler, bearer, faults_of, json_answer

ServiceHandler: TypeAlias = Callable[["Novita", Request], Awaitable[Response]]

_REASONS = {
    400: "INVALID_REQUEST_BODY",
    401: "INVALID_API_KEY",
    403: "INVALID_API_KEY",
    404: "API_NOT_FOUND",
    413: "INVALID_REQUEST_BODY",
    429: "RATE_LIMIT_EXCEEDED",
    500: "GET_RESULT_FAILED",
}


@dataclass(slots=True)
class Task:
    """
    A task: it goes on with every question for it.

    Args:
        id: Its id.
        asked: How often it was asked for.
        pictures: How many pictures it makes.
        seed: The seed.
    """

    id: str
    asked: int = 0
    pictures: int = 1
    seed: int = 7


class Novita:
    """
    Args:
        host: The emulator.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.tasks: dict[str, Task] = {}

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """
        Answer with an error.
        """
        return problem(status, _REASONS.get(status, "TASK_FAILED"), message)

    def bound(self, handler: ServiceHandler) -> Handler:
        """
        Give a handler that needs no key.
        """

        async def call(request: Request) -> Response:
            return await handler(self, request)

        return call

    def guarded(self, handler: ServiceHandler) -> Handler:
        """
        Put the check of the key before a handler.
        """

        async def guard(request: Request) -> Response:
            given = request.headers.get("authorization", "").strip()
            is_v2 = request.url.path.startswith("/v2/")
            if faults_of(request).no_v2 and is_v2:
                return problem(404, "API_NOT_FOUND", "api not found")
            # The older routes take the key bare as well, as one of the SDKs sends it.
            key = bearer(request) or (given if is_v2 else None)
            if key is None or (key != self.host.token and not self.host.any_token):
                return _stranger(faults_of(request).key_refusal, bool(given), is_v2)
            return await handler(self, request)

        return guard


def _stranger(style: str, has_key: bool, is_v2: bool) -> Response:
    """Refuse a key: documents give 400, 401 and 403 for it, and v2 has a code of its own."""
    if style == "code" and is_v2:
        return json_answer({"code": 4, "msg": "invalid auth", "data": {}})
    if style == "status":
        return json_answer({"code": 401, "message": "unauthorized"}, 401)
    if not has_key:
        return problem(400, "MISSING_API_KEY", "the api key is missing")
    return problem(403, "INVALID_API_KEY", "the api key is invalid")


def problem(status: int, reason: str, message: str) -> Response:
    """
    Answer with an error in the form of v3.
    """
    body: dict[str, JsonValue] = {
        "code": status, "reason": reason, "message": message, "metadata": {},
    }  # fmt: skip
    return json_answer(body, status)
