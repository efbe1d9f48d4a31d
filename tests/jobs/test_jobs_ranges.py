"""
Downloads that break off are gone on with; what comes is checked; nothing half is shown.
"""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from comfygraph.jobs import wire
from comfygraph.jobs.checks import damage, named_digests
from comfygraph.jobs.files import Damaged, Folder, NotKept, Sink, open_folder

Answer = tuple[int, dict[str, str], bytes]


def picture(size: int = 90) -> bytes:
    """
    Give a PNG that does not pack well.
    """
    file = io.BytesIO()
    Image.effect_noise((size, size), 90).save(file, "PNG")
    return file.getvalue()


BODY = picture()


@contextmanager
def serving(
    answer: Callable[[dict[str, str]], Answer],
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """
    Serve one file on loopback; an answer may announce more than it sends.
    """
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is the library's
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked.append(headers)
            status, given, body = answer(headers)
            self.send_response(status)
            for name, value in given.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/a.png", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetch(url: str, sink: Sink) -> Path | None:
    """
    Fetch once, as the drivers do; `None` where it broke off.
    """
    try:
        with (
            httpx.Client(**wire.client_options()) as client,
            client.stream("GET", url, headers=wire.file_headers(sink)) as response,
        ):
            assert wire.starts_file(response, url, sink)
            for piece in response.iter_bytes():
                sink.write(piece)
            place = Path(wire.keep(sink).path)
            sink.settle()
            return place
    except httpx.HTTPError:
        return None
    finally:
        sink.abandon()


def by_range(etag: str = '"v1"', cut: int | None = 3000) -> Callable[[dict[str, str]], Answer]:
    """
    Give a server that sends the first part of the file first, and what is asked for later.
    """
    first = [True]

    def answer(headers: dict[str, str]) -> Answer:
        start = 0
        if "range" in headers and headers.get("if-range") == etag:
            start = int(headers["range"].removeprefix("bytes=").rstrip("-"))
        rest = BODY[start:]
        given = {"Content-Type": "image/png", "Content-Length": str(len(rest)), "ETag": etag}
        if start:
            given["Content-Range"] = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
        if first[0] and cut is not None:
            first[0] = False
            rest = rest[:cut]
        return (206 if start else 200), given, rest

    return answer


def hidden(folder: Path) -> list[str]:
    """
    Give the endings of hidden files.
    """
    return sorted(path.suffix for path in folder.iterdir() if path.name.startswith("."))


def test_a_broken_download_is_gone_on_with(tmp_path: Path) -> None:
    """
    The next try, perhaps in another process, asks for the rest of the same version only.
    """
    folder = open_folder(tmp_path)
    with serving(by_range()) as (url, asked):
        assert None is fetch(url, Sink(folder, "a.png", token="job 7"))
        left = hidden(tmp_path)
        path = fetch(url, Sink(Folder(tmp_path), "a.png", token="job 7"))

    assert [".note", ".part"] == left
    assert [None, ("bytes=3000-", '"v1"')] == [
        (headers["range"], headers["if-range"]) if "range" in headers else None for headers in asked
    ]
    assert path is not None
    assert BODY == path.read_bytes()
    assert [] == hidden(tmp_path)


@pytest.mark.parametrize("etag", ['W/"v1"', ""])
def test_without_a_version_all_of_it_is_asked_for(etag: str, tmp_path: Path) -> None:
    """
    A part of an unknown version is thrown away.
    """
    folder = open_folder(tmp_path)
    with serving(by_range(etag)) as (url, asked):
        assert None is fetch(url, Sink(folder, "a.png", token="job 7"))
        assert [] == hidden(tmp_path)
        path = fetch(url, Sink(folder, "a.png", token="job 7"))

    assert not any("range" in headers for headers in asked)
    assert path is not None
    assert BODY == path.read_bytes()


def test_another_version_replaces_the_part(tmp_path: Path) -> None:
    """
    A service that has a new version sends all of it; nothing of the old one stays.
    """
    folder = open_folder(tmp_path)
    with serving(by_range('"old"')) as (url, _):
        fetch(url, Sink(folder, "a.png", token="job 7"))
    with serving(by_range('"new"', cut=None)) as (url, asked):
        path = fetch(url, Sink(folder, "a.png", token="job 7"))

    assert '"old"' == asked[0]["if-range"]
    assert path is not None
    assert BODY == path.read_bytes()


@pytest.mark.parametrize(
    "answer",
    [
        (206, {"Content-Range": "bytes 10-20/9000"}, b"x" * 11),
        (206, {"Content-Range": "nonsense"}, b"x"),
        (206, {}, b"x"),
        (416, {"Content-Range": "bytes */5"}, b""),
    ],
)
def test_the_wrong_part_is_not_taken(answer: Answer, tmp_path: Path) -> None:
    """
    A rest that does not fit is refused and the part forgotten; the next try gets all of it.
    """
    folder = open_folder(tmp_path)
    with serving(by_range()) as (url, _):
        fetch(url, Sink(folder, "a.png", token="job 7"))
    with serving(lambda _: answer) as (url, _):
        assert None is fetch(url, Sink(folder, "a.png", token="job 7"))
    with serving(by_range(cut=None)) as (url, asked):
        path = fetch(url, Sink(folder, "a.png", token="job 7"))

    assert "range" not in asked[0]
    assert path is not None
    assert BODY == path.read_bytes()


def test_two_at_once_do_not_share_a_part(tmp_path: Path) -> None:
    """
    Who comes second starts from nothing, in a file of its own; both become whole files.
    """
    folder = open_folder(tmp_path)
    first, second = (Sink(folder, "a.bin", token="job 7") for _ in range(2))
    for sink in (first, second):
        sink.begin(validator='"v1"')
    first.write(b"one")
    second.write(b"two")

    assert [b"one", b"two"] == [sink.commit().read_bytes() for sink in (first, second)]
    first.settle()
    assert [] == hidden(tmp_path)


def test_a_digest_that_differs_is_noticed(tmp_path: Path) -> None:
    """
    A file is refused where the service names another digest; a lenient sink keeps it and says so.
    """
    wrong = {"sha256": hashlib.sha256(b"other").digest()}
    strict = Sink(open_folder(tmp_path), "a.bin", token="t")
    strict.begin(digests=wrong)
    strict.write(b"data")
    with pytest.raises(Damaged, match="sha256"):
        strict.commit()
    strict.abandon()
    lenient = Sink(open_folder(tmp_path), "a.bin", token="t", strict=False)
    lenient.begin(digests=wrong)
    lenient.write(b"data")
    path = lenient.commit()
    lenient.settle()

    assert b"data" == path.read_bytes()
    assert "sha256" in lenient.damage
    assert ["a.bin"] == [path.name for path in tmp_path.iterdir()]


def test_digests_are_read_in_every_dialect() -> None:
    """
    RFC 9530, RFC 3230, and what storages of clouds have; what is no digest is passed over.
    """
    md5 = base64.b64encode(hashlib.md5(b"x").digest()).decode()
    sha = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    found = {"md5": hashlib.md5(b"x").digest()}, {"sha256": hashlib.sha256(b"x").digest()}

    assert [found[0], found[0], found[1], found[1], found[1], {}, {}, {}] == [
        named_digests(headers)
        for headers in (
            {"content-md5": md5},
            {"x-goog-hash": f"crc32c=AAAAAA==,md5={md5}"},
            {"digest": f"SHA-256={sha}"},
            {"repr-digest": f"sha-256=:{sha}:"},
            {"x-amz-checksum-sha256": sha},
            {"content-md5": "no base64!"},
            {"x-amz-checksum-sha256": md5},
            {"etag": hashlib.md5(b"x").hexdigest()},
        )
    ]


def test_every_cut_and_every_flip_of_a_picture_is_seen(tmp_path: Path) -> None:
    """
    A PNG that ends early, or of which a bit within a chunk is another, is told from a whole one.
    """
    whole = picture(12)
    place = tmp_path / "a.png"

    def problem(data: bytes) -> str:
        place.write_bytes(data)
        return damage(place, {}, None)

    cuts = {problem(whole[:size]) for size in range(8, len(whole))}
    flips = [
        problem(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        for at in range(8, len(whole))
    ]

    assert "" == problem(whole)
    assert {"the picture is cut off"} == cuts
    assert "" not in flips
    assert "it has 3 bytes of 4" == (place.write_bytes(b"abc"), damage(place, {}, 4))[1]


def test_a_part_counts_against_the_largest_size(tmp_path: Path) -> None:
    """
    A rest that makes the whole too large is refused, and the part goes.
    """
    with serving(by_range()) as (url, _):
        fetch(url, Sink(open_folder(tmp_path), "a.png", token="job 7"))
        small = open_folder(tmp_path, max_bytes=4000)
        with pytest.raises(NotKept, match="larger than 4000"):
            fetch(url, Sink(small, "a.png", token="job 7"))

    assert [] == list(tmp_path.iterdir())
