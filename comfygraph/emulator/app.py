"""
The services of one emulator, put together: one engine each, one application for all.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from comfygraph.emulator.civitai import routes as civitai_routes
from comfygraph.emulator.civitai.service import Civitai
from comfygraph.emulator.comfyui import routes as comfyui_routes
from comfygraph.emulator.comfyui.service import ComfyUI
from comfygraph.emulator.engine import Engine
from comfygraph.emulator.host import Host
from comfygraph.emulator.store import FileStore
from comfygraph.emulator.tams import routes as tams_routes
from comfygraph.emulator.tams.service import Tams


class Services:
    """
    Made on the event loop that serves them.

    Args:
        host: What they share.
        dialects: The services to be.
        out: The folder for files, or `None` for a temporary one.
        speed: Ticks a second.
    """

    def __init__(self, host: Host, dialects: Iterable[str], out: Path | None, speed: float) -> None:
        self.host = host
        self.store = FileStore(out)
        self._engines: list[Engine] = []
        self._routes: list[BaseRoute] = []
        self._comfyui: ComfyUI | None = None
        self._tams: Tams | None = None
        self._civitai: Civitai | None = None
        for dialect in dialects:
            if dialect == "comfyui":
                self._comfyui = ComfyUI(host, self._engine(speed, caching=True, hanging=True))
                self._routes += comfyui_routes(self._comfyui)
            elif dialect == "tams":
                self._tams = Tams(host, self._engine(speed))
                self._routes += tams_routes(self._tams)
            elif dialect == "civitai":
                self._civitai = Civitai(host, self._engine(speed))
                self._routes += civitai_routes(self._civitai)

    def _engine(self, speed: float, *, caching: bool = False, hanging: bool = False) -> Engine:
        engine = Engine(
            self.host.catalog,
            self.store,
            speed=speed,
            caching=caching,
            hanging=hanging,
            clock=self.host.clock,
        )
        self._engines.append(engine)
        return engine

    def app(self) -> Starlette:
        """
        Give the application.
        """
        return Starlette(
            routes=self._routes,
            exception_handlers={HTTPException: self._lost},  # type: ignore[dict-item]  # narrower
        )

    async def _lost(self, request: Request, exc: HTTPException) -> Response:
        """Answer for a path or a method that no service has, in the form of the one near it."""
        path = request.url.path
        if path.startswith("/v2/") and self._civitai is not None:
            return self._civitai.refuse(request, exc.status_code, "")
        if path.startswith("/v1/") and self._tams is not None:
            return self._tams.refuse(request, exc.status_code, exc.detail)
        return Response(
            f"{exc.status_code}: {exc.detail}", exc.status_code, media_type="text/plain"
        )

    def set_speed(self, speed: float) -> None:
        """
        Set the speed of all services.
        """
        for engine in self._engines:
            engine.speed = speed

    def start(self) -> None:
        """
        Start the workers.
        """
        for engine in self._engines:
            engine.start()

    async def end(self) -> None:
        """
        Let go whoever waits for a job or listens, so that connections can close.
        """
        for engine in self._engines:
            await engine.stop()
        if self._comfyui is not None:
            await self._comfyui.hub.close()
        if self._tams is not None:
            await self._tams.webhooks.stop()
        if self._civitai is not None:
            await self._civitai.stop()

    async def stop(self) -> None:
        """
        Stop everything and remove temporary files.
        """
        for engine in self._engines:
            await engine.stop()
        self.store.close()
