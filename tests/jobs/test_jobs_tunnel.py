"""
Websockets through a proxy: which one, what it is asked, what comes of its answers.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from comfygraph.jobs.tunnel import TunnelError, open_socket, proxy_for

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nothing of the environment counts.
    """
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextmanager
def _proxy(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one connection: read a head, answer, close."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", asked
        thread.join()


def test_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The proxy is asked for the service by name, with its own credentials; what follows its answer
    is the service's.
    """
    with _proxy(b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\nhello") as (place, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:p%40ss@{place}")
        with open_socket("wss://comfy.test/ws?clientId=x", 5) as connection:
            heard = connection.recv(100)

    assert b"hello" == heard
    assert [
        "CONNECT comfy.test:443 HTTP/1.1",
        "Host: comfy.test:443",
        "Proxy-Authorization: Basic bWU6cEBzcw==",
    ] == asked[0].decode().strip().split("\r\n")


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 407 Who\r\n\r\n", b"HTTP/1.1 302 x\r\nLocation: y\r\n\r\n", b"", b"\r\n\r\n"],
)
def test_refused(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Any other answer is an error, without the credentials in it.
    """
    with _proxy(answer) as (place, _):
        monkeypatch.setenv("ALL_PROXY", f"http://me:s3cret@{place}")
        with pytest.raises(TunnelError) as caught:
            open_socket("ws://comfy.test/ws", 5)

    assert "s3cret" not in str(caught.value)


def test_kinds_that_are_not_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Proxies of other kinds are not talked to: polling does without the stream.
    """
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")

    with pytest.raises(TunnelError, match="only http"):
        open_socket("ws://comfy.test/ws", 5)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://comfy.test/ws", "http://plain:1"),
        ("wss://comfy.test/ws", "http://secure:2"),
        ("ws://127.0.0.1:8188/ws", None),
        ("ws://localhost/ws", None),
        ("wss://inside.test/ws", None),
    ],
)
def test_choice(url: str, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The scheme decides; loopback and what NO_PROXY names go straight.
    """
    monkeypatch.setenv("HTTP_PROXY", "plain:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://secure:2")
    monkeypatch.setenv("NO_PROXY", "inside.test")

    assert expected == proxy_for(url)
