"""
What the two drivers share about httpx and websockets: options, limits, and the words for failures.
"""

from __future__ import annotations

import errno
import logging
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import httpx

from comfygraph import __version__
from comfygraph.errors import UsageError
from comfygraph.jobs.checks import named_digests
from comfygraph.jobs.effects import NotSaved, Saved, StreamLost, Unreached
from comfygraph.jobs.files import Damaged, NotKept, Sink
from comfygraph.targets.http import (
    MAX_JSON_BYTES,
    PACKINGS,
    HttpRequest,
    HttpResponse,
    bounded_packing,
)

USER_AGENT = f"comfygraph/{__version__}"
MAX_FRAME_BYTES = 64 * 1024 * 1024
"""The largest websocket message; `progress_state` repeats every node, errors hold tensors."""
WHOLE_ANSWER = 120.0
"""Seconds that an answer may take from its first byte to its last."""
STREAM_SILENCE = 90.0
"""Seconds without a byte after which a byte stream is given up and opened again."""
CLOSE_TIMEOUT = 0.5

_PART = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", re.ASCII)
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


def client_options() -> dict[str, Any]:
    """
    Give the options of every httpx client: redirects are ours to follow, loopback needs no proxy.
    """
    return {
        "follow_redirects": False,
        "headers": {"User-Agent": USER_AGENT, "Accept-Encoding": PACKINGS},
        "mounts": dict.fromkeys(_LOOPBACK),
        "verify": _trust(),
    }


@cache
def _trust() -> ssl.SSLContext:
    """
    Read the certificates of the authorities once: that takes longer than the rest of a client.
    """
    return httpx.create_ssl_context()


def timeouts(connect: float, answer: float) -> httpx.Timeout:
    """
    Give httpx its timeouts, in seconds.
    """
    return httpx.Timeout(answer, connect=connect, pool=connect)


def websocket_options(url: str, headers: Mapping[str, str], timeout: float) -> dict[str, Any]:
    """
    Give the options of both websocket clients, the socket left out.

    The library uses no proxy (`comfygraph.jobs.tunnel` does), nothing is compressed, and the
    library's log, which would show our headers, is off.
    """
    return {
        "uri": url,
        "additional_headers": dict(headers),
        "user_agent_header": USER_AGENT,
        "open_timeout": timeout,
        "close_timeout": CLOSE_TIMEOUT,
        "max_size": MAX_FRAME_BYTES,
        "compression": None,
        "proxy": None,
        "logger": _quiet_logger(),
    }


def wire_headers(request: HttpRequest) -> dict[str, str]:
    """
    Give the headers of a request, checked: httpx names a bad value in its exception.

    Raises:
        UsageError: A header holds what no header can carry.
    """
    headers = request.wire_headers()
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise UsageError(
                f"the header `{name}` would hold a character that no header can carry",
                hint="check the credentials of the target for line breaks and special characters",
            )
    return headers


def check_packing(response: httpx.Response) -> None:
    """
    See that the body of an answer may be unpacked, before any of it is read.

    Raises:
        httpx.DecodingError: It is packed in a way that has no bounds.
    """
    if not bounded_packing(response.headers.get("content-encoding", "")):
        raise httpx.DecodingError("packed in a way that has no bounds", request=response.request)


def answer_head(response: httpx.Response) -> tuple[str, int | None]:
    """
    Give the media type of an answer (lower case, `""` where unknown) and the length of its body.
    """
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = response.headers.get("content-length", "")
    plain = "content-encoding" not in response.headers
    return media_type, int(length) if plain and length.isascii() and length.isdigit() else None


def file_headers(sink: Sink) -> dict[str, str]:
    """
    Give the headers that ask for a file as it is, or for the rest of it.

    Raises:
        OSError: The folder refuses.
    """
    headers = {"Accept-Encoding": "identity"}
    wish = sink.wish()
    if wish is not None:
        start, version = wish
        headers |= {"Range": f"bytes={start}-", "If-Range": version}
    return headers


def starts_file(response: httpx.Response, name: str, sink: Sink) -> bool:
    """
    Get the sink ready for the body of an answer; false where that holds no file, but a page that
    speaks of it.

    Raises:
        NotKept: More is announced than the folder takes.
        OSError: The folder refuses.
        httpx.ReadError: It is another part than was asked for: ask again.
        httpx.DecodingError: It is packed in a way that has no bounds.
    """
    check_packing(response)
    media_type, length = answer_head(response)
    status = response.status_code
    if status == 206:
        part = _PART.fullmatch(response.headers.get("content-range", "").strip())
        total = int(part[2]) if part and part[2] != "*" else None
        if part is None or not sink.go_on(int(part[1]), media_type, total):
            sink.forget()
            raise httpx.ReadError("another part than was asked for")
        return True
    if status == 416 and "range" in response.request.headers:
        sink.forget()
        raise httpx.ReadError("no such part")
    page = media_type in ("text/html", "application/xhtml+xml")
    if status != 200 or (page and not name.lower().endswith("html")):
        return False
    digests = {} if length is None else named_digests(dict(response.headers))
    sink.begin(media_type, length, validator=_version(response), digests=digests)
    return True


def _version(response: httpx.Response) -> str:
    """
    Give what names exactly this version of a file; `""` where nothing does.
    """
    headers = response.headers
    if "content-encoding" in headers:
        return ""
    tag: str = headers.get("etag", "").strip()
    if tag:
        return tag if tag.startswith('"') else ""
    return str(headers.get("last-modified", "")).strip()


def whole_answer(response: httpx.Response, body: bytes) -> HttpResponse:
    """
    Make our value of an answer.
    """
    return HttpResponse(response.status_code, dict(response.headers), body)


def whole(response: httpx.Response) -> HttpResponse:
    """
    Read an answer to its end, or as far as anybody will read it.

    Raises:
        TimeoutError: It did not end in time.
        httpx.HTTPError: It broke off, or cannot be unpacked.
    """
    check_packing(response)
    until = time.monotonic() + WHOLE_ANSWER
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if enough(len(body)):
            break
        if time.monotonic() > until:
            raise TimeoutError
    return whole_answer(response, bytes(body))


def enough(size: int) -> bool:
    """
    Whether so many bytes of an answer are more than will be read.
    """
    return size > MAX_JSON_BYTES


def unreached(exc: Exception, connect: float, answer: float) -> Unreached:
    """
    Say in our words why a request got no answer, and whether any of it may have arrived.
    """
    match exc:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return Unreached(f"no connection within {connect:g} s", sent=False)
        case httpx.ConnectError() | httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return Unreached(_why(exc), sent=False)
        case httpx.ProxyError():
            return Unreached("the proxy refuses the connection", sent=False)
        case httpx.ReadTimeout() | TimeoutError():
            return Unreached(f"no answer within {answer:g} s", sent=True)
        case httpx.DecodingError():
            return Unreached("the answer is packed in a way that cannot be read", sent=True)
        case _:
            return Unreached("the connection broke off", sent=True)


def found(sink: Sink) -> Saved | None:
    """
    Give a file that an earlier process has put in its place, and could tell nobody of.

    Raises:
        OSError: The folder refuses.
    """
    place = sink.found()
    return None if place is None else Saved(str(place), place.stat().st_size)


def keep(sink: Sink) -> Saved:
    """
    Put a complete file in its place.

    Raises:
        Damaged: It is not what the service sent.
        OSError: The folder refuses.
    """
    size = sink.size
    return Saved(str(sink.commit()), size, sink.damage)


def not_saved(exc: OSError | NotKept) -> NotSaved:
    """
    Say why a file could not be kept.
    """
    if isinstance(exc, OSError):
        return NotSaved((exc.strerror or str(exc)).lower())
    return NotSaved(str(exc), damaged=isinstance(exc, Damaged))


def stream_refused(status: int) -> StreamLost:
    """
    Say that a stream is not there, or not for us.
    """
    return StreamLost(f"the service answered with HTTP {status}", missing=status == 404)


def stream_reason(exc: BaseException) -> str:
    """
    Say why a stream ended; never more than the kind of failure, which holds no secret.
    """
    return _why(exc) if isinstance(exc, OSError) else type(exc).__name__


def _why(exc: BaseException) -> str:
    for cause in _causes(exc):
        match cause:
            case ssl.SSLCertVerificationError():
                return f"its certificate is not to be trusted ({cause.verify_message})"
            case ssl.SSLError():
                return "no secure connection can be made"
            case socket.gaierror():
                return "the host name is not known"
            case OSError(errno=errno.ECONNREFUSED):
                return "connection refused"
            case OSError(errno=errno.ENETUNREACH) | OSError(errno=errno.EHOSTUNREACH):
                return "the network is out of reach"
            case httpx.InvalidURL() | httpx.UnsupportedProtocol():
                return "the address is not valid"
            case _:
                continue
    return "no connection"


def _causes(exc: BaseException) -> Iterator[BaseException]:
    todo = [exc]
    seen: set[int] = set()
    while todo:
        cause = todo.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        todo.extend(link for link in (cause.__cause__, cause.__context__) if link is not None)
        if isinstance(cause, BaseExceptionGroup):
            todo.extend(cause.exceptions)


def _quiet_logger() -> logging.Logger:
    logger = logging.getLogger("comfygraph.stream")
    logger.setLevel(logging.CRITICAL)
    return logger
