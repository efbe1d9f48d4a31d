"""
Requests, answers and job references as values: secrets stay secret, answers of any shape are read
or refused.
"""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.core.values import Prompt
from comfygraph.errors import ComfyGraphError, InputError, ProtocolError, UsageError
from comfygraph.targets.base import JobRef, Retry, graph_digest, plain_base_url
from comfygraph.targets.base import Policy as AnyPolicy
from comfygraph.targets.http import (
    HttpRequest,
    HttpResponse,
    Secret,
    bearer,
    json_body,
    origin,
)

HOME = "https://api.test"


def test_secret_is_never_shown() -> None:
    """
    No way of printing a secret shows it, and it cannot be pickled.
    """
    secret = Secret("hunter2")
    shown = f"{secret} {secret!r} {secret!s:>9} {secret:>9} {[secret]} {copy.deepcopy(secret)}"

    assert "hunter2" not in shown
    assert "hunter2" == secret.reveal()
    assert (Secret("hunter2"), True, False) == (secret, bool(secret), bool(Secret("")))
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_request_shows_no_credentials() -> None:
    """
    Neither `repr` nor the masked form of a request holds a credential, in headers, URL or body.
    """
    token = Secret('to"ken')
    request = HttpRequest(
        "POST",
        f'{HOME}/x?key=to"ken',
        {"Accept": "a"},
        json_body({"key": token.reveal(), "n": 1}),
        auth=bearer(token),
        home=HOME,
        hidden=(token,),
    )

    assert {
        "method": "POST",
        "url": f"{HOME}/x?key=***",
        "headers": {"Accept": "a", "Authorization": "Bearer ***"},
        "body": {"key": "***", "n": 1},
    } == request.masked()
    assert "ken" not in repr(request)
    assert {"Accept": "a", "Authorization": 'Bearer to"ken'} == request.wire_headers()


def test_quoted_credentials_are_blotted_out() -> None:
    """
    A service that quotes our token in its error does not bring it into our messages.
    """
    request = HttpRequest("GET", f"{HOME}/x", auth=bearer(Secret("t0ken")), home=HOME)
    refused = HttpResponse(401, {}, b"Bearer t0ken: t0ken is expired")
    fine = HttpResponse(200, {}, b"t0ken")

    assert b"***: *** is expired" == request.scrubbed(refused).body
    assert fine is request.scrubbed(fine)


@pytest.mark.parametrize(
    "url",
    [
        "https://other.test/x",
        "http://api.test/x",
        "https://api.test:444/x",
        "https://api.test.evil/x",
        "https://evil/https://api.test",
        "//api.test/x",
        "/x",
        "https://[broken",
    ],
)
def test_credentials_stay_at_home(url: str) -> None:
    """
    Another scheme, host or port gets no credential.
    """
    request = HttpRequest("GET", url, auth=bearer(Secret("t")), home=HOME)

    assert {} == request.wire_headers()
    assert {} == request.masked()["headers"]


def test_home_without_address_gets_nothing() -> None:
    """
    Where the home is not known, no URL is at home.
    """
    assert {} == HttpRequest("GET", "/x", auth=bearer(Secret("t"))).wire_headers()


def test_redirects() -> None:
    """
    Reading follows a redirect, without credentials to another host; anything else does not.
    """
    request = HttpRequest("GET", f"{HOME}/a/b", auth=bearer(Secret("t")), home=HOME, follow=True)

    assert f"{HOME}/a/c" == request.redirected("c").url
    assert "Authorization" in request.redirected("/c").wire_headers()
    assert {} == request.redirected("http://cdn.test/").wire_headers()
    for bad in ("", "file:///etc/passwd", "ftp://h/x"):
        with pytest.raises(ProtocolError):
            request.redirected(bad)
    with pytest.raises(ProtocolError, match="redirects POST"):
        HttpRequest("POST", f"{HOME}/a", follow=True).redirected("https://x.test/")


def test_origin() -> None:
    """
    Default ports count, and websockets belong to the same origin as their pages.
    """
    assert ("https", "h", 443) == origin("HTTPS://H/x") == origin("wss://h:443")
    assert ("", "", 0) == origin("no url") == origin("http://h:99999/")


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n <html lang=en>", "web page"),
        (b'{"a": ', "not JSON at character 6"),
        (b"\xff\xfe\xff", "not JSON"),
        (b"1" * 5000, "not JSON"),
        (b"[" * 100_000, "too deeply"),
        (b"[" * 300 + b"]" * 300, "too deeply"),
    ],
)
def test_answers_that_are_no_json(body: bytes, part: str) -> None:
    """
    Each says in one line what it is instead, with the status.
    """
    with pytest.raises(ProtocolError) as caught:
        HttpResponse(200, {}, body).json()

    assert part in caught.value.message
    assert "(HTTP 200)" in caught.value.message
    assert 200 == caught.value.status


def test_large_answer_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An answer beyond the limit is refused by its size.
    """
    monkeypatch.setattr("comfygraph.targets.http.MAX_JSON_BYTES", 10)
    with pytest.raises(ProtocolError, match="too many"):
        HttpResponse(200, {}, b'"0123456789"').json()


def test_wide_answer_is_read() -> None:
    """
    Many brackets side by side are not deep.
    """
    value = [[{}] for _ in range(1000)]

    assert value == HttpResponse(200, {}, json.dumps(value).encode()).json()


def test_half_characters_are_replaced() -> None:
    """
    Half a surrogate pair becomes a question mark; whole pairs and a byte order mark are read.
    """
    body = b'\xef\xbb\xbf{"\\ud800a": ["\\uDC00", "\\ud83d\\ude00", "\\\\ud800"]}'

    assert {"?a": ["?", "\U0001f600", "\\ud800"]} == HttpResponse(200, {}, body).json()


def test_headers_in_any_case() -> None:
    """
    Headers are found in any case.
    """
    response = HttpResponse(200, {"retry-AFTER": "3"})

    assert ("3", None) == (response.header("Retry-After"), response.header("x"))


def test_bodies_that_json_cannot_carry() -> None:
    """
    NaN and endless nesting are refused with what to look for; half a surrogate pair is sent.
    """
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for bad in (float("nan"), deep):
        with pytest.raises(UsageError):
            json_body({"a": bad})

    assert b'{"a":"\\ud800"}' == json_body({"a": "\ud800"})


def test_job_ref_round_trip() -> None:
    """
    A reference is written down and taken up again; credentials in an address are dropped.
    """
    ref = JobRef("tams", HOME, "683082404926062625", "k", "d", {"client_id": "c"})
    other = JobRef.from_json({**ref.to_json(), "base_url": "https://u:p@api.test/?token=x"})

    assert ref == JobRef.from_json(json.loads(json.dumps(ref.to_json())))
    assert ref == other


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
_keys = ("target", "base_url", "job_id", "key", "digest", "extra")


@given(st.one_of(_json, st.fixed_dictionaries({}, optional=dict.fromkeys(_keys, _json))))
def test_job_ref_of_anything(document: Any) -> None:
    """
    Any JSON is a reference or an error of ours.
    """
    try:
        outcome: Any = JobRef.from_json(document)
    except ComfyGraphError as error:
        outcome = error

    assert isinstance(outcome, JobRef | InputError | UsageError)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8188", "file:///x", "http://", "http://h:port"])
def test_base_urls_that_are_none(url: str) -> None:
    """
    An address that cannot be used is refused, with an example.
    """
    with pytest.raises(UsageError):
        plain_base_url(url)


def test_digest_is_of_what_is_computed() -> None:
    """
    Order and titles do not count, inputs do.
    """
    first = {"1": {"class_type": "A", "inputs": {"x": 1, "y": ["2", 0]}, "_meta": {"title": "t"}}}
    second = {"2": {"class_type": "B", "inputs": {}}}
    one = Prompt.from_json({**first, **second})
    same = {"class_type": "A", "inputs": {"y": ["2", 0], "x": 1}}
    two = Prompt.from_json({**second, "1": same})
    other = Prompt.from_json({**second, "1": {"class_type": "A", "inputs": {"x": 2}}})

    assert graph_digest(one) == graph_digest(two) != graph_digest(other)


def test_retry_classes() -> None:
    """
    429 was surely not executed, a broken server perhaps, a refusal is final.
    """
    policy = AnyPolicy()

    assert [Retry.REFUSED, Retry.UNKNOWN, Retry.UNKNOWN, Retry.NO, Retry.NO] == [
        policy.retry(status) for status in (429, 503, 525, 400, 200)
    ]
