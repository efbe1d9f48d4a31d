"""
ComfyUI behind proxies and in numbers: credentials, several addresses, uploads.
"""

from __future__ import annotations

import email.policy
import gzip
import json
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.errors import ProtocolError, TargetError, UsageError
from comfygraph.targets import get_target
from comfygraph.targets.base import Submission
from comfygraph.targets.comfyui import ComfyUITarget, FileReference, server_urls
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.local_file import LocalFile
from comfygraph.targets.multipart import Part, multipart

RECORDED = Path(__file__).parent.parent / "data" / "comfyui_ws" / "rest_misc.jsonl.gz"
SECRETS = {
    "COMFYUI_TOKEN": "t0ken-s3cret",
    "COMFYUI_API_KEY": "key-s3cret",
    "COMFYUI_HEADERS": "CF-Access-Client-Id: id-s3cret; CF-Access-Client-Secret: cf-s3cret",
    "COMFY_API_KEY": "org-s3cret",
}


def _server(**config: str) -> ComfyUITarget:
    target = get_target("comfyui", config)
    assert isinstance(target, ComfyUITarget)
    return target


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("http://127.0.0.1:8188",)),
        ("http://a:1", ("http://a:1",)),
        ("http://a:1, http://b:2\nhttp://a:1,", ("http://a:1", "http://b:2")),
    ],
)
def test_several_addresses(text: str, expected: tuple[str, ...]) -> None:
    """
    Commas and blanks stand between addresses; each counts once; none is ComfyUI's own default.
    """
    assert expected == server_urls({"COMFYUI_URL": text})
    assert expected[0] == _server(COMFYUI_URL=text).base_url


def test_credentials_of_a_proxy(submission: Submission) -> None:
    """
    Token, key and other headers go to the server with every request and the websocket, and stand
    nowhere where a person looks.
    """
    target = _server(COMFYUI_URL="https://box.test", **SECRETS)
    request = next(target.submit(submission))
    live = target.stream(target.reference(submission))
    assert live is not None
    shown = f"{request!r} {json.dumps(request.masked())} {live!r} {target.reference(submission)}"

    for sent in (request.wire_headers(), live.request.wire_headers()):
        assert {
            "Authorization": "Bearer t0ken-s3cret",
            "X-API-Key": "key-s3cret",
            "CF-Access-Client-Id": "id-s3cret",
            "CF-Access-Client-Secret": "cf-s3cret",
        } == {name: value for name, value in sent.items() if "s3cret" in value}
    assert "s3cret" not in shown


def test_token_comes_before_the_address() -> None:
    """
    A token takes the place of user and password in the address.
    """
    url = "https://me:pass@box.test"
    with_token = next(_server(COMFYUI_URL=url, COMFYUI_TOKEN="t").load()).wire_headers()
    without = next(_server(COMFYUI_URL=url).load()).wire_headers()

    assert "Bearer t" == with_token["Authorization"]
    assert "Basic bWU6cGFzcw==" == without["Authorization"]


@pytest.mark.parametrize("text", ["s3cret", "X-Key:", ": s3cret", "a b: s3cret", "A: b; s3cret"])
def test_headers_that_are_none(text: str) -> None:
    """
    What is no header is told without being shown.
    """
    with pytest.raises(UsageError) as caught:
        _server(COMFYUI_HEADERS=text)

    assert "s3cret" not in f"{caught.value.message} {caught.value.hint}"


def _fields(headers: Any, body: bytes) -> list[tuple[str | None, str | None, bytes]]:
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + body)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


@given(data=st.binary(max_size=200), name=st.text('abc ."\r\n-_0', min_size=1, max_size=12))
def test_forms(data: bytes, name: str) -> None:
    """
    Any bytes under any name arrive as they are, and a name cannot add a field or a header.
    """
    headers, body = multipart([Part("type", b"input"), Part("image", data, f"x{name}x.png")])
    lines = body.split(b"\r\n")
    boundary = headers["Content-Type"].partition("boundary=")[2].encode()

    assert 3 == body.count(b"--" + boundary)
    assert b'Content-Disposition: form-data; name="type"' == lines[1]
    assert lines[5].startswith(b'Content-Disposition: form-data; name="image"; filename="x')
    assert 4 == lines[5].count(b'"')
    assert (
        b"\r\n\r\n" + data + b"\r\n--" + boundary + b"--\r\n"
        == body[-(len(data) + len(boundary) + 12) :]
    )  # the end of the form


def test_upload(converse: Any, answer: Any) -> None:
    """
    A file goes into the input folder, and the graph then says the name that the server gave.
    """
    file = LocalFile.of('my "cat".png', b"\x89PNG\r\n--x")
    server = _server()
    name, [request] = converse(
        server.upload(file), answer({"name": "cat (1).png", "subfolder": "s", "type": "input"})
    )
    fields = _fields(request.headers, request.body)

    assert "s/cat (1).png" == name
    assert ("POST", "http://127.0.0.1:8188/upload/image") == (request.method, request.url)
    assert [("type", b"input"), ("image", file.data)] == [(it[0], it[2]) for it in fields]


def test_mask(converse: Any, answer: Any) -> None:
    """
    A mask names the picture that it is for.
    """
    mask = LocalFile.of("mask.png", b"\x89PNG")
    original = FileReference("photo.png", "sub", "output")
    exchange = _server().upload_mask(mask, original)
    name, [request] = converse(exchange, answer({"name": "mask.png", "type": "temp"}))
    fields = {name: data for name, _, data in _fields(request.headers, request.body)}

    assert "mask.png [temp]" == name
    assert "sub/photo.png [output]" == original.value
    assert request.url.endswith("/upload/mask")
    assert {"filename": "photo.png", "subfolder": "sub", "type": "output"} == json.loads(
        fields["original_ref"]
    )


def test_recorded_uploads(converse: Any) -> None:
    """
    What a real server answered to uploads: names, a new name for other content, refusals.
    """
    with gzip.open(RECORDED, "rt") as lines:
        entries = [json.loads(line) for line in lines]
    told: list[str | int] = []
    for entry in entries:
        if entry["path"].startswith("/upload/"):
            response = HttpResponse(entry["status"], {}, entry["body"].encode())
            exchange = _server().upload(LocalFile.of("o.png", b"x"))
            try:
                told.append(converse(exchange, response)[0])
            except TargetError as error:
                told.append(error.status or 0)

    assert ["o.png", "o.png", "sub/o.png", "o.png", "o.png [temp]", 500, 400] == told[:7]


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "a", "type": "/etc"}, {"name": 3}])
def test_upload_without_a_name(body: Any, converse: Any, answer: Any) -> None:
    """
    An answer that names no file is an error of the service.
    """
    with pytest.raises(ProtocolError, match="named none"):
        converse(_server().upload(LocalFile.of("a.png", b"x")), answer(body))


@pytest.mark.parametrize(
    ("body", "expected"),
    [({"exec_info": {"queue_remaining": 3}}, 3), ({"exec_info": {"queue_remaining": -1}}, 0)],
)
def test_load(body: Any, expected: int, converse: Any, answer: Any) -> None:
    """
    A server tells how many jobs wait or run; something else at the address tells nothing.
    """
    load, [request] = converse(_server().load(), answer(body))
    with pytest.raises(ProtocolError, match="no ComfyUI server"):
        converse(_server().load(), answer({"hello": "world"}))

    assert ("GET", "http://127.0.0.1:8188/prompt") == (request.method, request.url)
    assert expected == load
