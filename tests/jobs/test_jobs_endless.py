"""
Services that never come to an end, and small answers that unpack to large ones.
"""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from jobs_servers import Seen, loopback
from jobs_world import World, answer

from comfygraph.errors import ProtocolError, ServiceUnavailable
from comfygraph.jobs.fetch import fetch_object_info
from comfygraph.jobs.pool import least_loaded
from comfygraph.jobs.settings import Settings
from comfygraph.references.web import Web
from comfygraph.targets import get_target
from comfygraph.targets.base import Exchange
from comfygraph.targets.comfyui import ComfyUITarget
from comfygraph.targets.http import MAX_JSON_COMMAS, HttpRequest, HttpResponse, bounded_packing
from comfygraph.targets.reading import identifier

DEEP_PACKED = gzip.compress(gzip.compress(b'{"exec_info": {"queue_remaining": 0}}'))
"""Two layers: a thousandfold of a thousandfold."""
RUNNING = answer({"claims": [["job", "started"]]})
DONE = answer({"claims": [["end", "succeeded"]]})
DRIPS = (b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")


def _packed(_: Seen) -> Any:
    return 200, {"Content-Type": "application/json", "Content-Encoding": "gzip, gzip"}, DEEP_PACKED


@contextmanager
def _dripping(start: bytes) -> Iterator[str]:
    """
    Serve answers that begin with `start` and go on with a byte now and then, without end.
    """
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(start)
            while not over.wait(0.05):
                connection.sendall(b" ")

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=drip, args=(connection,)))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        main = threading.Thread(target=accept)
        main.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in (main, *threads):
                thread.join()


@pytest.mark.parametrize(
    ("encoding", "bounded"),
    [
        ("", True), ("gzip", True), (" GZIP ", True), ("deflate", True), ("identity", True),
        ("aws-chunked,gzip", True), ("gzip, gzip", False), ("gzip,identity,deflate", False),
        ("br", False), ("zstd", False),
    ],
)  # fmt: skip
def test_packing(encoding: str, bounded: bool) -> None:
    """
    One layer of what we ask for is unpacked, and nothing that may grow without bound.
    """
    found = bounded_packing(encoding)

    assert bounded == found


def test_layers_are_not_unpacked() -> None:
    """
    An answer in two layers is refused by all who ask: for catalogs, for queues, for models.
    """
    with loopback(_packed) as server, Web(spacing=0) as web:
        target = _comfyui(server.url)
        request = HttpRequest("GET", server.url)

        with pytest.raises(ServiceUnavailable, match="packed in a way that cannot be read"):
            fetch_object_info(server.url, environ={})
        with pytest.raises(ServiceUnavailable, match="packed in a way that cannot be read"):
            least_loaded([target, target], Settings())
        with pytest.raises(ProtocolError, match="packs its answer in a way that has no bounds"):
            web.run(_asked(request))


@pytest.mark.parametrize("start", DRIPS, ids=["headers", "body"])
def test_drips(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A service that sends a byte now and then, so that no silence is too long, is given up.
    """
    monkeypatch.setattr("comfygraph.jobs.pool.WHOLE_ANSWER", 0.3)
    monkeypatch.setattr("comfygraph.references.web.WHOLE_ANSWER", 0.1)
    monkeypatch.setattr("comfygraph.references.web.CONNECT_TIMEOUT", 1.0)
    with _dripping(start) as url, Web(spacing=0) as web:
        with pytest.raises(ServiceUnavailable, match="did not give its catalog in time"):
            fetch_object_info(url, environ={}, deadline=0.3)
        with pytest.raises(ServiceUnavailable, match="no answer within"):
            least_loaded([_comfyui(url)], Settings())
        with pytest.raises(ServiceUnavailable, match="did not end its answer in time"):
            web.run(_asked(HttpRequest("GET", url, timeout=1.0)))


def test_job_goes_on_after_an_answer_without_end() -> None:
    """
    A poll whose answer does not end is given up, and asked again.
    """
    polls = iter((None, RUNNING, DONE))

    def service(request: HttpRequest, _: float) -> Any:
        return answer({"id": "1"}) if request.method == "POST" else next(polls)

    world = World(service)
    world.run()

    assert ["JobQueued", "JobSucceeded"] == [world.names()[0], world.names()[-1]]
    assert 3 == len(world.times("GET /jobs/1"))


def test_more_values_than_fit() -> None:
    """
    Few bytes can be many values: they are counted before they are made.
    """
    body = b"[" + b"0," * (MAX_JSON_COMMAS + 1) + b"0]"

    with pytest.raises(ProtocolError, match="more values than can be read"):
        HttpResponse(200, {}, body).json()


def test_id_of_megabytes() -> None:
    """
    What is longer than any id is none.
    """
    ids = [identifier("a" * 100), identifier("a" * 1_000_000)]

    assert ["a" * 100, ""] == ids


def _asked(request: HttpRequest) -> Exchange[int]:
    response = yield request
    return response.status


def _comfyui(url: str) -> ComfyUITarget:
    target = get_target("comfyui", {"COMFYUI_URL": url})
    assert isinstance(target, ComfyUITarget)
    return target
