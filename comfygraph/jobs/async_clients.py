"""
The HTTP clients of asynchronous jobs; many jobs may share a pair.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx

from comfygraph.jobs import wire
from comfygraph.targets.http import HttpRequest

_NO_REUSE = httpx.Limits(max_keepalive_connections=0)


class Clients:
    """
    Two clients: one that uses its connections again, and one that never does.

    On a connection that was used before, a close by the service and a lost request look alike: a
    request that must not be sent twice gets a connection of its own. Each client is made when it
    is first needed.
    """

    def __init__(self) -> None:
        self._usual: httpx.AsyncClient | None = None
        self._once: httpx.AsyncClient | None = None

    def for_request(self, request: HttpRequest) -> httpx.AsyncClient:
        """
        Give the client for a request.
        """
        if not request.resend.unanswered:
            if self._once is None:
                self._once = httpx.AsyncClient(**wire.client_options(), limits=_NO_REUSE)
            return self._once
        if self._usual is None:
            self._usual = httpx.AsyncClient(**wire.client_options())
        return self._usual

    async def close(self) -> None:
        """
        Close both; a second call does nothing.
        """
        for client in (self._usual, self._once):
            if client is not None:
                await client.aclose()
        self._usual = self._once = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
