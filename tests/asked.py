"""
A server that answers from a list, and notes what it was asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple


class Given(NamedTuple):
    """One answer: status, JSON or bytes, headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = {}


class Server(NamedTuple):
    """A running server: its address, and the requests so far with their headers."""

    url: str
    asked: list[tuple[str, Mapping[str, str]]]


@contextmanager
def serving(*answers: Given) -> Iterator[Server]:
    """
    Answer with these, one after the other; the last one again and again.
    """
    asked: list[tuple[str, Mapping[str, str]]] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((f"{self.command} {self.path}", dict(self.headers)))
            given = left.pop(0) if len(left) > 1 else left[0]
            body = given.body if isinstance(given.body, bytes) else json.dumps(given.body).encode()
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
