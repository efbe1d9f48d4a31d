"""
The socket under a websocket: straight to the service, or through the proxy that the environment
names (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`), with `CONNECT` (RFC 9110, 9.3.6).

The library could do that itself, and would then follow redirects with our headers on.
"""

from __future__ import annotations

import socket
import time
from base64 import b64encode
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from comfygraph.targets.http import origin

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LONGEST_HEAD = 16 * 1024


class TunnelError(OSError):
    """
    The proxy makes no tunnel.
    """


def proxy_for(url: str) -> str | None:
    """
    Give the address of the proxy for a websocket, or `None`; loopback needs none.
    """
    scheme, host, _ = origin(url)
    if host in _LOOPBACK or proxy_bypass(host):
        return None
    known = getproxies()
    address = known.get(scheme) or known.get("all")
    if not address:
        return None
    return address if "://" in address else f"http://{address}"


def open_socket(url: str, timeout: float) -> socket.socket:
    """
    Connect to where a websocket is.

    Args:
        url: Its address.
        timeout: Seconds that it may take.

    Raises:
        OSError: It is out of reach, or the proxy refuses or is of a kind that is not spoken.
    """
    _, host, port = origin(url)
    proxy = proxy_for(url)
    if proxy is None:
        return socket.create_connection((host, port), timeout)
    parts = urlsplit(proxy)
    if parts.scheme.lower() != "http" or not parts.hostname:
        raise TunnelError("only http: proxies are used for websockets")
    until = time.monotonic() + timeout
    connection = socket.create_connection((parts.hostname, parts.port or 80), timeout)
    try:
        _connect(connection, host, port, _authorization(parts.username, parts.password), until)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(
    connection: socket.socket, host: str, port: int, authorization: str, until: float
) -> None:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{authorization}\r\n"
    connection.sendall(head.encode("ascii", "replace"))
    answer = b""
    # byte by byte: what follows the head belongs to the service
    while not answer.endswith(b"\r\n\r\n"):
        left = until - time.monotonic()
        if left <= 0 or len(answer) > _LONGEST_HEAD:
            raise TunnelError("the proxy does not answer")
        connection.settimeout(left)
        piece = connection.recv(1)
        if not piece:
            raise TunnelError("the proxy closed the connection")
        answer += piece
    status = answer.split(b" ", 2)[1:2]
    if status != [b"200"]:
        raise TunnelError("the proxy refuses the connection")


def _authorization(user: str | None, password: str | None) -> str:
    if user is None:
        return ""
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return f"Proxy-Authorization: Basic {b64encode(pair.encode()).decode()}\r\n"
