"""
A live stream in a thread of its own.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing, suppress
from threading import Event, Semaphore, Thread

import httpx
from websockets.sync.client import ClientConnection, connect

from comfygraph.jobs import wire
from comfygraph.jobs.effects import Frame, Listen, StreamLost, StreamOpened
from comfygraph.jobs.tunnel import open_socket

_AHEAD = 256
"""Frames that may wait to be taken; then the socket is left alone and the service waits."""


class StreamThread:
    """
    Opens a stream and tells its frames, until it ends or is closed.

    Args:
        effect: What to open.
        tell: Takes the news, in the thread of the stream.
    """

    def __init__(
        self, effect: Listen, tell: Callable[[StreamOpened | StreamLost | Frame], None]
    ) -> None:
        self._effect = effect
        self._tell = tell
        self._ahead = Semaphore(_AHEAD)
        self._closing = Event()
        self._socket: ClientConnection | socket.socket | None = None
        self._thread = Thread(target=self._run, name="comfygraph-stream", daemon=True)
        self._thread.start()

    def taken(self) -> None:
        """
        Make room for another frame.
        """
        self._ahead.release()

    def close(self) -> None:
        """
        End the thread.
        """
        self._closing.set()
        self._ahead.release()
        match self._socket:
            case ClientConnection() as connection:
                connection.close()
            case socket.socket() as plain:
                # only this wakes a thread that waits for bytes
                with suppress(OSError):
                    plain.shutdown(socket.SHUT_RDWR)
            case None:
                pass
        self._thread.join(timeout=2 * wire.CLOSE_TIMEOUT)

    def _run(self) -> None:
        try:
            if self._effect.stream.kind == "websocket":
                self._websocket()
                lost = StreamLost("the stream ended")
            else:
                lost = self._bytes()
        except Exception as exc:
            # streams only inform: whatever ends one, polling goes on
            lost = StreamLost(wire.stream_reason(exc))
        self._tell(lost)

    def _websocket(self) -> None:
        stream = self._effect.stream
        options = wire.websocket_options(stream.url, stream.wire_headers(), self._effect.timeout)
        # with a socket of ours the library follows no redirects, which could carry our headers off
        plain = open_socket(stream.url, self._effect.timeout)
        with closing(plain), connect(sock=plain, **options) as connection:
            self._socket = connection
            for text in stream.opening:
                connection.send(text)
            self._tell(StreamOpened())
            while not self._closing.is_set():
                self._pass_on(connection.recv())

    def _bytes(self) -> StreamLost:
        stream = self._effect.stream
        timeout = wire.timeouts(self._effect.timeout, wire.STREAM_SILENCE)
        with (
            httpx.Client(**wire.client_options()) as client,
            client.stream(
                "GET", stream.url, headers=stream.wire_headers(), timeout=timeout
            ) as response,
        ):
            if response.status_code != 200:
                return wire.stream_refused(response.status_code)
            wire.check_packing(response)
            plain = response.extensions["network_stream"].get_extra_info("socket")
            self._socket = plain if isinstance(plain, socket.socket) else None
            self._tell(StreamOpened())
            for piece in response.iter_bytes():
                self._pass_on(piece)
                if self._closing.is_set():
                    return StreamLost("closed by us")
        return StreamLost("the stream ended", over=True)

    def _pass_on(self, data: str | bytes) -> None:
        self._ahead.acquire()
        self._tell(Frame(data))
