"""
The state of the emulated ComfyUI server.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import spoiled
from comfygraph.emulator.comfyui.hub import OPTIONAL, Hub
from comfygraph.emulator.engine import Engine
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.host import Host
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.web import Handler, bearer, faults_of, json_answer

ServiceHandler: TypeAlias = Callable[["ComfyUI", Request], Awaitable[Response]]
_ABOUT_JOBS = ("/prompt", "/queue", "/history", "/jobs")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ComfyUI:
    """
    Args:
        host: The emulator.
        engine: Its own engine; started and stopped by the caller.
    """

    def __init__(self, host: Host, engine: Engine) -> None:
        self.host = host
        self.engine = engine
        self.number = 0
        self.messages: dict[str, list[list[JsonValue]]] = {}
        self.hub = Hub(host, engine, self.messages)
        engine.watchers.append(self.hub.watch)

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """
        Answer as aiohttp does: plain text, `500 Internal Server Error` and no more.
        """
        if status == 413:
            return Response("Maximum request body size 104857600 exceeded", 413, media_type="text")
        return stumble() if status in {400, 500} else Response(f"{status}: {message}", status)

    def guarded(self, handler: ServiceHandler) -> Handler:
        """
        Put the checks before a handler that the server makes for every request.
        """

        async def guard(request: Request) -> Response:
            if _cross_site(request):
                return Response(status_code=403)
            wanted = self.host.comfyui_token
            if wanted is not None and not self.host.any_token and bearer(request) != wanted:
                return Response("401: Unauthorized", 401, media_type="text/plain")
            faults = faults_of(request)
            matches = faults.matches(request.method, request.url.path)
            if matches and self.host.counts.strikes(faults, "restarts"):
                await self.restart()
            return _with_gaps(request, await handler(self, request), faults)

        return guard

    async def restart(self) -> None:
        """
        Begin anew: nobody knows of any job, and every socket is closed.
        """
        await self.hub.close()
        await self.engine.restart()
        self.messages.clear()
        self.number = 0

    def find(self, job_id: str) -> Job | None:
        """
        Give a job that waits, runs or is over.
        """
        if job_id in self.engine.history:
            return self.engine.history[job_id]
        live = [*([self.engine.running] if self.engine.running else []), *self.engine.pending()]
        return next((job for job in live if job.id == job_id), None)


def stumble() -> Response:
    """
    Answer as aiohttp does when a handler raises.
    """
    text = "500 Internal Server Error\n\nServer got itself in trouble"
    return Response(text, 500, media_type="text/plain")


def answer(value: JsonValue, status: int = 200) -> Response:
    """
    Answer with JSON as aiohttp writes it.
    """
    return json_answer(value, status, media_type="application/json; charset=utf-8")


def _with_gaps(request: Request, response: Response, faults: Faults) -> Response:
    """Leave fields out of an answer about jobs, or put some in, as the knobs say."""
    about_jobs = request.url.path.removeprefix("/api").startswith(_ABOUT_JOBS)
    if not about_jobs or not (faults.missing_fields or faults.extra_fields):
        return response
    if not response.body or response.status_code != 200:
        return response
    return answer(spoiled(json.loads(bytes(response.body)), faults, OPTIONAL))


def _cross_site(request: Request) -> bool:
    """Model `create_origin_only_middleware` of `server.py`: for loopback hosts only."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        return True
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    if not origin or origin == "null":
        return False
    try:
        there, here = urlsplit(origin), urlsplit(f"//{host}")
        if here.hostname not in _LOOPBACK:
            return False
        port = there.port if here.port is not None else None
        return (there.hostname, port) != (here.hostname, here.port)
    except ValueError:
        return True
