"""
Small real servers on loopback that do exactly what a test says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DROP = object()
"""In place of an answer: close the connection without one."""


@dataclass
class Seen:
    """
    One request that arrived.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Loopback:
    """
    A running server: where it is, and what arrived.
    """

    url: str
    seen: list[Seen] = field(default_factory=list)

    def paths(self) -> list[str]:
        """
        Give `"GET /x"` for each request.
        """
        return [f"{request.method} {request.path}" for request in self.seen]


Answerer = Callable[[Seen], Any]
"""Gives `(status, headers, body)`, or `DROP`."""


@contextmanager
def loopback(answerer: Answerer) -> Iterator[Loopback]:
    """
    Serve on a free port of loopback until the block is left.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            seen = Seen(
                self.command,
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            server.seen.append(seen)
            reply = answerer(seen)
            if reply is DROP:
                self.close_connection = True
                return
            status, headers, body = reply
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            if int(headers.get("Content-Length", 0)) > len(body):
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  # as http.server wants it

        def log_message(self, format: str, *args: Any) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            return

    httpd = Quiet(("127.0.0.1", 0), Handler)
    server = Loopback(f"http://127.0.0.1:{httpd.server_address[1]}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def free_port() -> int:
    """
    Give a port on which nobody listens.
    """
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
