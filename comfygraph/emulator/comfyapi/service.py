"""
The state of the emulated Comfy API, and what it does before every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.engine import Engine
from comfygraph.emulator.host import Host
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.signals import JobEnded, Signal
from comfygraph.emulator.store import StoredFile
from comfygraph.emulator.web import Handler, bearer, json_answer

ServiceHandler: TypeAlias = Callable[["ComfyApi", Request], Awaitable[Response]]
_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    402: "insufficient_credits",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    429: "queue_full",
    503: "deployment_not_ready",
}


@dataclass(slots=True)
class ApiJob:
    """
    A job with what the service knows of it.

    Args:
        job: The engine's.
        key: Its idempotency key, or `""`.
    """

    job: Job
    key: str = ""


class ComfyApi:
    """
    Args:
        host: The emulator.
        engine: Its own engine; started and stopped by the caller.
    """

    def __init__(self, host: Host, engine: Engine) -> None:
        self.host = host
        self.engine = engine
        self.jobs: dict[str, ApiJob] = {}
        self.keys: set[str] = set()
        self.assets: dict[str, str] = {}
        self.files: dict[str, tuple[StoredFile, Job]] = {}
        self._names: dict[str, str] = {}
        self._secret = secrets.token_bytes(16)
        engine.watchers.append(self._watch)

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """
        Answer with an error in the form of the service.
        """
        return problem(status, _CODES.get(status, "internal_error"), message)

    def bound(self, handler: ServiceHandler) -> Handler:
        """
        Give a handler that needs no credential.
        """

        async def call(request: Request) -> Response:
            return await handler(self, request)

        return call

    def guarded(self, handler: ServiceHandler) -> Handler:
        """
        Put the check of the key before a handler.
        """

        async def guard(request: Request) -> Response:
            token = bearer(request)
            if token is None or not (self.host.any_token or token == self.host.token):
                return self.refuse(request, 401, "missing or invalid API key")
            return await handler(self, request)

        return guard

    def file_id(self, file: StoredFile, job: Job) -> str:
        """
        Give the id under which a file that a job wrote can be fetched.
        """
        place = str(file.path)
        if place not in self._names:
            self._names[place] = str(uuid.uuid4())
            self.files[self._names[place]] = (file, job)
        return self._names[place]

    def signature(self, name: str, expires: int) -> str:
        """
        Sign the address of a file, so that it is good without a key until it expires.
        """
        return hmac.digest(self._secret, f"{name}\n{expires}".encode(), hashlib.sha256).hex()

    def _watch(self, job: Job | None, signal: Signal) -> None:
        if job is not None and isinstance(signal, JobEnded):
            self.host.account.end(job.state)


def problem(
    status: int, code: str, message: str, details: dict[str, JsonValue] | None = None
) -> Response:
    """
    Answer with `{"error": {"code", "message", "details"}}`.
    """
    error: dict[str, JsonValue] = {"code": code, "message": message}
    if details is not None:
        error["details"] = details
    return json_answer({"error": error}, status)
