"""
The state of the emulated TAMS, and what it does before every request.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import Echo
from comfygraph.emulator.engine import Engine
from comfygraph.emulator.host import Host
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.signals import JobEnded, RunStarted, Signal
from comfygraph.emulator.tams.auth import (
    RefusedAuthorizationError,
    UnreadableAuthorizationError,
    caller_of,
)
from comfygraph.emulator.web import Handler, faults_of, json_answer
from comfygraph.emulator.webhooks import Webhooks

ServiceHandler: TypeAlias = Callable[["Tams", Request], Awaitable[Response]]
FIRST_ID = 683_082_404_926_062_625
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 3, 429: 8, 502: 14, 503: 14}


@dataclass(slots=True)
class TamsJob:
    """
    A job with what TAMS knows of it.

    Args:
        job: The engine's.
        credits: What it costs.
        notify_url: The webhook, or `""`.
        stages: Whether it is a diffusion job: nothing is told of nodes.
        polls_after: How often it was asked for since it ended.
        echo: Its past answers.
    """

    job: Job
    credits: float
    notify_url: str = ""
    stages: bool = False
    polls_after: int = 0
    echo: Echo = field(default_factory=Echo)


@dataclass(slots=True)
class Upload:
    """
    A place for an uploaded picture.

    Args:
        headers: What the client must send with it, lower-case names.
        done: Whether it is there.
        looked_for: How often a graph has named it since.
    """

    headers: Mapping[str, str]
    done: bool = False
    looked_for: int = 0


class Tams:
    """
    Args:
        host: The emulator.
        engine: Its own engine; started and stopped by the caller.
    """

    def __init__(self, host: Host, engine: Engine) -> None:
        self.host = host
        self.engine = engine
        self.jobs: dict[str, TamsJob] = {}
        self.requests: dict[str, TamsJob] = {}
        self.uploads: dict[str, Upload] = {}
        self.results: dict[str, tuple[Path, Job]] = {}
        self.models: dict[str, str] = {}
        self.webhooks = Webhooks()
        self._secret = secrets.token_bytes(16)
        self.nonces: set[str] = set()
        self._calls: dict[str, deque[float]] = {}
        self._names: dict[Path, str] = {}
        self._next = FIRST_ID
        engine.watchers.append(self._watch)
        engine.read_input = self._read_input

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """
        Answer with an error, in the form of gRPC's JSON gateway.
        """
        return problem(status, _CODES.get(status, 13), message)

    def bound(self, handler: ServiceHandler) -> Handler:
        """
        Give a handler that needs no credential.
        """

        async def call(request: Request) -> Response:
            return await handler(self, request)

        return call

    def guarded(self, handler: ServiceHandler) -> Handler:
        """
        Put the check of credentials and the limit of requests before a handler.
        """

        async def guard(request: Request) -> Response:
            try:
                caller = await caller_of(request, self.host, self.nonces)
            except UnreadableAuthorizationError:
                return problem(401, 100002, "invalid authorization header")
            except RefusedAuthorizationError:
                return problem(401, 16, "unauthenticated")
            if not self._allowed(caller, faults_of(request).qps):
                return self.refuse(request, 429, "too many requests")
            return await handler(self, request)

        return guard

    def _allowed(self, caller: str, qps: float) -> bool:
        if qps <= 0:
            return True
        now = time.monotonic()
        calls = self._calls.setdefault(caller, deque())
        while calls and calls[0] <= now - 1.0:
            calls.popleft()
        if len(calls) >= qps:
            return False
        calls.append(now)
        return True

    def new_id(self) -> str:
        """
        Give the next job id: 18 digits, more than a double can hold.
        """
        self._next += 7
        return str(self._next)

    def sign(self, path: str, ttl: float, method: str = "GET") -> str:
        """
        Give the address of a file, good for `ttl` seconds. It is `http://`, as TAMS has it.

        Args:
            path: `resource-upload/short-term/2024-01-15/….png`.
            ttl: Seconds.
            method: What it is good for.
        """
        expires = int(self.host.clock() + ttl)
        signature = quote(self.signature(method, path, expires), safe="")
        query = f"Expires={expires}&OSSAccessKeyId=LTAIemulator&Signature={signature}"
        return f"{self.host.base_url}/{quote(path, safe='')}?{query}"

    def signature(self, method: str, path: str, expires: int) -> str:
        """
        Sign what may be done with a path until a moment, in seconds since 1970.
        """
        text = f"{method}\n{path}\n{expires}".encode()
        return base64.b64encode(hmac.digest(self._secret, text, hashlib.sha1)).decode()

    def checked_address(self, request: Request) -> Response | None:
        """
        Check the signature in an address; gives the refusal, as Aliyun's OSS words it.
        """
        if "authorization" in request.headers:
            return storage_error("InvalidArgument", "There are two signatures.", 400)
        query = request.query_params
        path = request.url.path.lstrip("/").replace("%2F", "/").replace("%2f", "/")
        try:
            expires = int(query.get("Expires", ""))
        except ValueError:
            return storage_error("AccessDenied", "You have no right to access this object.")
        method = "PUT" if request.method == "PUT" else "GET"
        if not hmac.compare_digest(
            self.signature(method, path, expires).encode(), query.get("Signature", "").encode()
        ):
            return storage_error("SignatureDoesNotMatch", "The request signature does not match.")
        if expires < self.host.clock():
            return storage_error("AccessDenied", "Request has expired.")
        return None

    def result_id(self, path: Path, job: Job) -> str:
        """
        Give the id under which a file that a job wrote can be fetched.
        """
        if path not in self._names:
            self._names[path] = str(uuid.uuid4())
            self.results[self._names[path]] = (path, job)
        return self._names[path]

    def uploaded(self, name: str, settles: int = 0) -> bool:
        """
        Tell whether a picture was put under this id, and is known after being asked for so often.
        """
        upload = self.uploads.get(name)
        if upload is None or not upload.done:
            return False
        upload.looked_for += 1
        return upload.looked_for > settles

    def _read_input(self, name: str) -> bytes | None:
        if name in self.results:
            return self.results[name][0].read_bytes()
        return self.engine.store.read_input(name)

    def _watch(self, job: Job | None, signal: Signal) -> None:
        if job is None or not isinstance(signal, RunStarted | JobEnded):
            return
        if isinstance(signal, JobEnded):
            self.host.account.end(job.state)
        known = self.jobs.get(job.id)
        if known is not None and known.notify_url:
            from comfygraph.emulator.tams.views import job_view

            view = job_view(self, known, final=True)
            match known.job.faults.hook_style:
                case "bare":
                    call = view
                case "id":
                    call = {"jobId": known.job.id}
                case "empty":
                    call = {}
                case _:
                    call = {"job": view}
            self.webhooks.put(known.notify_url, call)


def problem(
    status: int, code: int, message: str, details: list[JsonValue] | None = None
) -> Response:
    """
    Answer with a `googlerpcStatus`.
    """
    body: dict[str, JsonValue] = {"code": code, "message": message}
    if details:
        body["details"] = details
    return json_answer(body, status)


def storage_error(code: str, message: str, status: int = 403) -> Response:
    """
    Answer as the object storage does.
    """
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>\n"
    )
    return Response(text, status, media_type="application/xml")
