"""
Answers with damage on purpose: sent on, garbled, echoing, padded, with odd words and names.
"""

from __future__ import annotations

import json

import httpx
import pytest
from emulation import finish, graph

from comfygraph.emulator import Emulator, Faults


def test_requests_are_sent_on(emulator: Emulator, client: httpx.Client) -> None:
    """
    A redirect keeps path and query; without an address it leads to the same place.
    """
    emulator.faults = Faults(redirects=1, redirect_to="http://127.0.0.1:9")
    away = client.get("/view?filename=x")
    emulator.faults = Faults(redirects=1)
    same = client.get("/view?filename=x")

    assert [307, 307] == [away.status_code, same.status_code]
    assert "http://127.0.0.1:9/view?filename=x" == away.headers["location"]
    assert "/view?filename=x" == same.headers["location"]


def test_answers_are_damaged(emulator: Emulator, client: httpx.Client) -> None:
    """
    Text that stops in the middle is whole for HTTP; odd words, padding and quotes stand in JSON.
    """
    emulator.faults = Faults(garbage=1)
    with pytest.raises(json.JSONDecodeError):
        client.get("/queue").json()
    emulator.faults = Faults(padding=1000)
    padded = client.get("/queue").json()
    emulator.faults = Faults(errors=1, echoes=True)
    quoted = client.get("/v2/consumer/workflows").text
    emulator.faults = Faults(late_errors=1, error_status=502)
    late = client.post("/prompt", json={"prompt": graph()})

    assert 1000 == len(padded["xEmulatorPadding"])
    assert client.headers["Authorization"] in quoted
    assert (502, 1) == (late.status_code, emulator.stats().submits["comfyui"])


def test_odd_words_and_names(emulator: Emulator, client: httpx.Client) -> None:
    """
    States that nobody knows are shown so often; a file is fetched by whatever it is called.
    """
    emulator.faults = Faults(file_name="../x.png")
    entry = finish(client, client.post("/prompt", json={"prompt": graph()}).json()["prompt_id"])
    image = entry["outputs"]["2"]["images"][0]
    data = client.get("/view", params=image).content
    emulator.faults = Faults(odd_states=1)
    words = [
        next(iter(client.get("/history").json().values()))["status"]["status_str"] for _ in range(2)
    ]

    assert "../x.png" == image["filename"]
    assert data.startswith(b"\x89PNG")
    assert ["SIMMERING", "success"] == words


def test_requests_are_kept(emulator: Emulator, client: httpx.Client) -> None:
    """
    What arrived can be looked at; what shows a request shows no credentials.
    """
    client.post("/prompt?x=1", json={"prompt": graph()})
    (request,) = emulator.received()

    assert ("POST", "/prompt", "x=1") == (request.method, request.path, request.query)
    assert graph() == json.loads(request.body)["prompt"]
    assert "authorization" in request.headers
    assert "Received(method='POST', path='/prompt')" == repr(request)
