"""
Calls from the emulator to a webhook: only to loopback, only over plain HTTP, in order, twice
tried. Anything else is left alone: a local stand-in has no business with other hosts.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from comfygraph.core.values import JsonValue
from comfygraph.emulator.web import json_text

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SECONDS = 5.0


def is_allowed(url: str) -> bool:
    """
    Tell whether the emulator would call this address.
    """
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and parts.hostname in _LOOPBACK and parts.port != 0
    except ValueError:
        return False


class Webhooks:
    """
    Sends what is put into it, one after the other.
    """

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[tuple[str, JsonValue]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def put(self, url: str, value: JsonValue) -> None:
        """
        Send a JSON value to an address, later.
        """
        if not is_allowed(url):
            return
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())
        self._waiting.put_nowait((url, value))

    async def stop(self) -> None:
        """
        Drop what is still to be sent.
        """
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            url, value = await self._waiting.get()
            for _ in range(2):
                with suppress(OSError, TimeoutError, ValueError):
                    if await asyncio.wait_for(_post(url, json_text(value)), _SECONDS):
                        break


async def _post(url: str, body: bytes) -> bool:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode("latin-1") + body)
        await writer.drain()
        status = (await reader.readline()).split(b" ")
        return len(status) > 1 and status[1].startswith(b"2")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
