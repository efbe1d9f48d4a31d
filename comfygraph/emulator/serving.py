"""
uvicorn, made to start and stop at once, and to let a handler hang up on its client.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


class HangUpProtocol(H11Protocol):
    """
    HTTP/1.1 whose requests find their connection in `request.state.transport`.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """
        Note the connection.
        """
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class QuickServer(uvicorn.Server):
    """
    Args:
        app: The application.
        ready: Set once connections are taken.
        ending: Awaited before connections are closed; lets long polls and sockets go.
    """

    def __init__(
        self, app: ASGIApp, ready: threading.Event, ending: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=HangUpProtocol,
                ws="auto",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                ws_per_message_deflate=False,
                ws_ping_interval=None,
                timeout_graceful_shutdown=1,
            )
        )
        self._ready_event = ready
        self._ending = ending
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def ask_to_stop(self) -> None:
        """
        Stop, from any thread.
        """
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def main_loop(self) -> None:
        """
        Serve until asked to stop; sleeps longer than uvicorn's own loop, and wakes at once.
        """
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        self._ready_event.set()
        while not self.should_exit:
            try:
                await asyncio.wait_for(self._stop.wait(), 1.0)
            except TimeoutError:
                await self.on_tick(0)
        await self._ending()

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        """
        Close what is left: requests under way get a moment, then their connections close.
        """
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        deadline = asyncio.get_running_loop().time() + 1.0
        while (self.server_state.connections or self.server_state.tasks) and (
            asyncio.get_running_loop().time() < deadline
        ):
            await asyncio.sleep(0.005)
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
