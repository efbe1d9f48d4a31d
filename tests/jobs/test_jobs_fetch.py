"""
Fetching a catalog from a ComfyUI server, over real HTTP on loopback.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from jobs_servers import DROP, Seen, loopback

from comfygraph.cli import run
from comfygraph.errors import (
    AuthenticationError,
    NotFound,
    ProtocolError,
    RateLimited,
    Rejected,
    ServiceUnavailable,
    TargetError,
    UsageError,
)
from comfygraph.jobs.fetch import fetch_catalog, fetch_object_info
from comfygraph.targets.credentials import Secret

ENTRY = {"input": {"required": {"x": ["INT", {"tooltip": "prose"}]}}, "output": ["IMAGE"]}
DOCUMENT = {"KSampler": ENTRY, "Größe 😀": ENTRY}
BODY = json.dumps(DOCUMENT).encode()
JSON = {"Content-Type": "application/json"}


def _catalog(_: Seen) -> Any:
    return 200, JSON, BODY


def test_fetch_a_catalog() -> None:
    """
    The catalog is what the server says; the address may have a slash or the path itself.
    """
    with loopback(_catalog) as server:
        for url in (server.url, f"{server.url}/", f"{server.url}/object_info"):
            catalog = fetch_catalog(url, environ={})

            assert DOCUMENT == {name: catalog[name].raw for name in catalog}
            assert "server" == catalog.origin
            assert f"the server at {server.url.removeprefix('http://')}" == catalog.label
        assert {"GET /object_info"} == set(server.paths())
        assert "authorization" not in server.seen[0].headers


def test_the_address_comes_from_the_environment() -> None:
    """
    Without an argument, `COMFYUI_URL` says where, a path in front of the API included.
    """
    with loopback(_catalog) as server:
        fetch_object_info(environ={"COMFYUI_URL": f"{server.url}/comfy/"})

        assert ["GET /comfy/object_info"] == server.paths()


def test_packed_answers_are_unpacked() -> None:
    """
    An answer may be packed.
    """
    packed = gzip.compress(BODY)
    with loopback(lambda _: (200, {**JSON, "Content-Encoding": "gzip"}, packed)) as server:
        assert fetch_object_info(server.url, environ={}) == DOCUMENT


def _basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def test_credentials_go_to_their_own_server() -> None:
    """
    A token that is handed in goes along; one of the environment only to `COMFYUI_URL`; user and
    password of a URL go as basic authentication, and never stay in the address.
    """
    with loopback(_catalog) as mine, loopback(_catalog) as other:
        environ = {"COMFYUI_URL": mine.url, "COMFYUI_TOKEN": "tok-123"}
        fetch_object_info(environ=environ)
        fetch_object_info(other.url, environ=environ)
        fetch_object_info(other.url, token=Secret("given"), environ=environ)
        with_user = mine.url.replace("http://", "http://me:p%40ss@")
        catalog = fetch_catalog(with_user, environ={})
        fetch_object_info(mine.url, environ={"COMFYUI_URL": with_user})
        fetch_object_info(other.url, environ={"COMFYUI_URL": with_user})

        assert ["Bearer tok-123", _basic("me:p@ss"), _basic("me:p@ss")] == [
            seen.headers.get("authorization") for seen in mine.seen
        ]
        assert [None, "Bearer given", None] == [
            seen.headers.get("authorization") for seen in other.seen
        ]
        assert "me" not in catalog.label.partition("at")[2].partition("127")[0]


def test_redirects_leave_credentials_behind() -> None:
    """
    A redirect is followed, within the server with credentials and elsewhere without.
    """
    with loopback(_catalog) as other:

        def answer(seen: Seen) -> Any:
            if seen.path == "/object_info":
                return 307, {"Location": "/api/object_info"}, b""
            return 302, {"Location": f"{other.url}/there"}, b""

        with loopback(answer) as server:
            assert fetch_object_info(server.url, token=Secret("tok"), environ={}) == DOCUMENT

            assert ["Bearer tok", "Bearer tok"] == [
                seen.headers.get("authorization") for seen in server.seen
            ]
            assert [None] == [seen.headers.get("authorization") for seen in other.seen]


def test_redirects_end() -> None:
    """
    Redirects in circles, to nowhere and out of HTTP end in an error of ours.
    """
    for location in ("/object_info", "file:///etc/passwd", "http://[", ""):
        with (
            loopback(lambda _, to=location: (302, {"Location": to}, b"")) as server,
            pytest.raises(ProtocolError),
        ):
            fetch_object_info(server.url, environ={})


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ((401, {}, b"who are you"), AuthenticationError, "check COMFYUI_TOKEN"),
        ((403, {}, b""), AuthenticationError, "check COMFYUI_TOKEN"),
        ((404, {}, b"nothing"), NotFound, "is this the address of a ComfyUI server"),
        ((418, {}, b""), Rejected, "418"),
        ((429, {"Retry-After": "3"}, b""), RateLimited, "429"),
        ((500, {}, b"<html>oops</html>"), ServiceUnavailable, "500"),
        ((200, {"Content-Type": "text/html"}, b"<!doctype html><p>hi"), ProtocolError, "web page"),
        ((200, JSON, b""), ProtocolError, "empty"),
        ((200, JSON, b'{"a": '), ProtocolError, "not JSON at character 6"),
        ((200, JSON, b"\xff\xff"), ProtocolError, "not JSON"),
        ((200, JSON, b"[" * 100_000), ProtocolError, "nested too deeply"),
        ((200, JSON, b"9" * 5000), ProtocolError, "not JSON"),
        ((200, JSON, b"[]"), ProtocolError, "no node catalog"),
        ((200, JSON, b"{}"), ProtocolError, "no node catalog"),
        ((200, JSON, b'{"exec_info": {"queue_remaining": 0}}'), ProtocolError, "no node catalog"),
        ((200, {**JSON, "Content-Encoding": "gzip"}, b"xx"), ServiceUnavailable, "packed"),
        ((200, {**JSON, "Content-Length": "1000"}, b"{"), ServiceUnavailable, "broke off"),
        (DROP, ServiceUnavailable, "broke off"),
    ],
)
def test_answers_that_are_no_catalog(reply: Any, error: type[TargetError], words: str) -> None:
    """
    Each way not to get a catalog is one error of ours that says what to do.
    """
    with loopback(lambda _: reply) as server, pytest.raises(error) as caught:
        fetch_object_info(server.url, environ={})

    assert words in f"{caught.value.message} {caught.value.hint}"


def test_a_secret_that_is_quoted_back_is_blotted_out() -> None:
    """
    A server that repeats the credentials in its error does not get them into our message.
    """

    def answer(seen: Seen) -> Any:
        return 400, {}, f"bad header {seen.headers['authorization']}".encode()

    with loopback(answer) as server, pytest.raises(Rejected) as caught:
        fetch_object_info(server.url, token=Secret("tok-very-secret"), environ={})

    assert "tok-very-secret" not in caught.value.message


def test_a_token_that_is_no_header() -> None:
    """
    A token with a line break is refused before anything is sent, and not quoted.
    """
    with loopback(_catalog) as server:
        with pytest.raises(UsageError) as caught:
            fetch_object_info(server.url, token=Secret("tok\nX: y"), environ={})

        assert [] == server.seen
    assert "tok" not in caught.value.message.replace("token", "")


def test_sizes_and_times_are_bounded() -> None:
    """
    An answer that is too large, announced, packed or not, and one that never ends, is given up.
    """
    bomb = gzip.compress(b" " * (4 << 20))
    for headers, body in ((JSON, b" " * 3000), ({**JSON, "Content-Encoding": "gzip"}, bomb)):
        with (
            loopback(lambda _, h=headers, b=body: (200, h, b)) as server,
            pytest.raises(ProtocolError, match="larger than"),
        ):
            fetch_object_info(server.url, environ={}, max_bytes=2000)

    def slow(_: Seen) -> Any:
        time.sleep(0.4)
        return 200, JSON, BODY

    with loopback(slow) as server, pytest.raises(ServiceUnavailable):
        fetch_object_info(server.url, environ={}, deadline=0.1)


def test_nobody_there() -> None:
    """
    A closed port and an address that is none are errors of ours.
    """
    with loopback(_catalog) as server:
        url = server.url
    with pytest.raises(ServiceUnavailable, match="connection refused"):
        fetch_object_info(url, environ={})
    for bad in ("ftp://x", "nonsense", "http://", "http://[::1"):
        with pytest.raises(UsageError):
            fetch_object_info(bad, environ={})


def test_command_writes_a_catalog(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    `comfygraph catalog fetch` writes facts, one class a line, and says how many on stderr.
    """
    monkeypatch.delenv("COMFYUI_TOKEN", raising=False)
    path = tmp_path / "mine.json"
    with loopback(_catalog) as server:
        assert run(["catalog", "fetch", server.url, "-o", str(path)]) == 0
        out, err = capfd.readouterr()

        assert "" == out
        assert err.startswith(f"2 classes from {server.url}, written to {path} (")
        text = path.read_text(encoding="utf-8")
        assert "prose" not in text
        assert ["Größe 😀", "KSampler"] == list(json.loads(text))[1:]

        assert run(["catalog", "fetch", server.url, "-o", "-"]) == 0
        assert text == capfd.readouterr().out
        assert run(["catalog", "fetch", server.url, "-o", str(path), "--json"]) == 0
        told = json.loads(capfd.readouterr().out)
        assert {"file": str(path), "source": server.url, "classes": 2, "bytes": len(
            text.encode())} == told  # fmt: skip
        assert run(["catalog", "fetch", server.url, "-o", "-", "--json"]) == 2

        capfd.readouterr()
        assert run(["catalog", "show", "--catalog", server.url, "KSampler"]) == 0
        assert "INT" in capfd.readouterr().out


def test_command_errors(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A server that refuses ends with 4, a wrong address or folder with 2; nothing is written.
    """
    monkeypatch.setenv("COMFYUI_TOKEN", "tok-very-secret")
    path = tmp_path / "mine.json"
    with loopback(lambda _: (500, {}, b"")) as server:
        assert run(["catalog", "fetch", server.url, "-o", str(path)]) == 4
        assert run(["catalog", "fetch", "ftp://x"]) == 2
    with loopback(_catalog) as server:
        assert run(["catalog", "fetch", server.url, "-o", str(tmp_path / "no" / "a.json")]) == 2
    out, err = capfd.readouterr()

    assert [] == list(tmp_path.iterdir())
    assert "" == out
    assert "tok-very-secret" not in err
    assert "Traceback" not in err
