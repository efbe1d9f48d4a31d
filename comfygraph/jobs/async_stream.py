"""
A live stream in a task of its own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

import httpx
from websockets.asyncio.client import connect

from comfygraph.jobs import wire
from comfygraph.jobs.effects import Frame, Listen, StreamLost, StreamOpened
from comfygraph.jobs.tunnel import open_socket

FRAMES_AHEAD = 256
"""Frames that may wait to be taken; then the socket is left alone and the service waits."""

_Tell: TypeAlias = Callable[[StreamOpened | StreamLost | Frame], None]


async def follow_stream(effect: Listen, tell: _Tell, ahead: asyncio.Semaphore) -> None:
    """
    Open a stream and tell its frames, until it ends or the task is cancelled.

    Args:
        effect: What to open.
        tell: Takes the news.
        ahead: Is released by whoever takes a frame.
    """
    try:
        if effect.stream.kind == "websocket":
            await _websocket(effect, tell, ahead)
            lost = StreamLost("the stream ended")
        else:
            lost = await _bytes(effect, tell, ahead)
    except Exception as exc:
        # streams only inform: whatever ends one, polling goes on
        lost = StreamLost(wire.stream_reason(exc))
    tell(lost)


async def _websocket(effect: Listen, tell: _Tell, ahead: asyncio.Semaphore) -> None:
    stream = effect.stream
    options = wire.websocket_options(stream.url, stream.wire_headers(), effect.timeout)
    # with a socket of ours the library follows no redirects, which could carry our headers off
    plain = await _open(stream.url, effect.timeout)
    async with connect(sock=plain, **options) as connection:
        for text in stream.opening:
            await connection.send(text)
        tell(StreamOpened())
        while True:
            data = await connection.recv()
            await ahead.acquire()
            tell(Frame(data))


async def _open(url: str, timeout: float) -> socket.socket:
    """
    Open a socket in a thread; one that comes when nobody waits for it any more is closed.
    """
    lock = Lock()
    opened: list[socket.socket] = []
    left = False

    def work() -> None:
        found = open_socket(url, timeout)
        with lock:
            if left:
                found.close()
            else:
                opened.append(found)

    try:
        await asyncio.to_thread(work)
    except asyncio.CancelledError:
        with lock:
            left = True
            for found in opened:
                found.close()
        raise
    opened[0].setblocking(False)
    return opened[0]


async def _bytes(effect: Listen, tell: _Tell, ahead: asyncio.Semaphore) -> StreamLost:
    stream = effect.stream
    timeout = wire.timeouts(effect.timeout, wire.STREAM_SILENCE)
    async with (
        httpx.AsyncClient(**wire.client_options()) as client,
        client.stream(
            "GET", stream.url, headers=stream.wire_headers(), timeout=timeout
        ) as response,
    ):
        if response.status_code != 200:
            return wire.stream_refused(response.status_code)
        wire.check_packing(response)
        tell(StreamOpened())
        async for piece in response.aiter_bytes():
            await ahead.acquire()
            tell(Frame(piece))
    return StreamLost("the stream ended", over=True)
