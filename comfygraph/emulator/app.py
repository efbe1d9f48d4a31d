"""
The services of one emulator, put together: one engine each, one application for all.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from comfygraph.emulator.engine import Engine
from comfygraph.emulator.host import Host
from comfygraph.emulator.store import FileStore

if TYPE_CHECKING:
    from comfygraph.emulator.civitai.service import Civitai
    from comfygraph.emulator.comfyapi.service import ComfyApi
    from comfygraph.emulator.comfyui.service import ComfyUI
    from comfygraph.emulator.novita.service import Novita
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
        self._novita: Novita | None = None
        self._comfyapi: ComfyApi | None = None
        for dialect in dialects:
            match dialect:
                case "comfyui":
                    self._add_comfyui(speed)
                case "tams":
                    self._add_tams(speed)
                case "novita":
                    self._add_novita()
                case "comfyapi":
                    self._add_comfyapi(speed)
                case _:
                    self._add_civitai(speed)

    # Each service is imported when it is wanted: `submit` wants one, and soon.

    def _add_comfyui(self, speed: float) -> None:
        from comfygraph.emulator.comfyui import routes
        from comfygraph.emulator.comfyui.service import ComfyUI

        self._comfyui = ComfyUI(self.host, self._engine(speed, caching=True, hanging=True))
        self._routes += routes(self._comfyui)

    def _add_tams(self, speed: float) -> None:
        from comfygraph.emulator.tams import routes
        from comfygraph.emulator.tams.service import Tams

        self._tams = Tams(self.host, self._engine(speed))
        self._routes += routes(self._tams)

    def _add_civitai(self, speed: float) -> None:
        from comfygraph.emulator.civitai import routes
        from comfygraph.emulator.civitai.service import Civitai

        self._civitai = Civitai(self.host, self._engine(speed))
        self._routes += routes(self._civitai)

    def _add_comfyapi(self, speed: float) -> None:
        from comfygraph.emulator.comfyapi import routes
        from comfygraph.emulator.comfyapi.service import ComfyApi

        self._comfyapi = ComfyApi(self.host, self._engine(speed))
        self._routes += routes(self._comfyapi)

    def _add_novita(self) -> None:
        from comfygraph.emulator.novita import routes
        from comfygraph.emulator.novita.service import Novita

        self._novita = Novita(self.host)
        self._routes += routes(self._novita)

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
        if path.startswith(("/v2/model/", "/v3/")) and self._novita is not None:
            return self._novita.refuse(request, exc.status_code, exc.detail)
        if path.startswith("/api/v2/") and self._comfyapi is not None:
            return self._comfyapi.refuse(request, exc.status_code, exc.detail)
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
        if self._civitai is not None:
            # Before its engine: a workflow must not look cancelled because the server ends.
            await self._civitai.stop()
        for engine in self._engines:
            await engine.stop()
        if self._comfyui is not None:
            await self._comfyui.hub.close()
        if self._tams is not None:
            await self._tams.webhooks.stop()

    async def stop(self) -> None:
        """
        Stop everything and remove temporary files.
        """
        for engine in self._engines:
            await engine.stop()
        self.store.close()
