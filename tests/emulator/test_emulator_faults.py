"""
The knobs: how they are set, how they count, and what they do to requests.
"""

from __future__ import annotations

from dataclasses import fields

import httpx
import pytest
from emulation import finish, graph, until

from comfygraph.emulator import Emulator, Faults
from comfygraph.emulator.faults import knobs
from comfygraph.errors import UsageError


def test_knobs_from_text() -> None:
    """
    Texts set knobs of every type; a switch may stand alone, and `-` is as good as `_`.
    """
    faults = Faults().changed(["too-many=2", "retry_after=1", "delay=0.5", "capitalised", " "])

    assert Faults(too_many=2, retry_after="1", delay=0.5, capitalised=True) == faults


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("to_many=1", "there is no fault `to_many`"),
        ("too_many=x", "fault `too_many` takes a whole number, not `x`"),
        ("delay=x", "fault `delay` takes a number, not `x`"),
        ("capitalised=maybe", "fault `capitalised` takes true or false, not `maybe`"),
    ],
)
def test_wrong_knobs(text: str, message: str) -> None:
    """
    A knob that there is not, or a value that does not fit, is one clear message.
    """
    with pytest.raises(UsageError) as caught:
        Faults().changed([text])

    assert message == caught.value.message


def test_every_knob_is_documented() -> None:
    """
    The docstring of `Faults` explains each of its fields.
    """
    explained = {name: (default, text) for name, default, text in knobs()}

    assert [(field.name, field.default) for field in fields(Faults)] == [
        (name, default) for name, (default, _) in explained.items()
    ]
    assert all(text.endswith(".") for _, text in explained.values())


def test_counted_knobs(emulator: Emulator, client: httpx.Client) -> None:
    """
    Each counting knob spoils so many requests, each in the form of the service, then no more.
    """
    emulator.faults = Faults(too_many=1, errors=1, pages=1, retry_after="7", page_status=502, qps=0)
    seen = [client.get("/v1/models/600423083519508503") for _ in range(4)]
    emulator.faults = Faults(too_many=1)
    limited = client.get("/v2/consumer/workflows")

    assert [429, 503, 502, 200] == [answer.status_code for answer in seen]
    assert [8, 14] == [answer.json()["code"] for answer in seen[:2]]
    assert ["7", "7", "7", None] == [answer.headers.get("retry-after") for answer in seen]
    assert seen[2].text.startswith("<!DOCTYPE html>")
    assert (429, "Too Many Requests") == (limited.status_code, limited.json()["title"])
    assert "ratelimit" in limited.headers


def test_setting_knobs_anew_starts_the_count_anew(emulator: Emulator, client: httpx.Client) -> None:
    """
    Setting the same value again lets it strike again.
    """
    statuses = []
    for _ in range(2):
        emulator.faults = Faults(errors=1, error_status=500)
        statuses += [client.get("/queue").status_code for _ in range(2)]

    assert [500, 200, 500, 200] == statuses


def test_knobs_of_one_client(client: httpx.Client) -> None:
    """
    Knobs in the header hold for requests that bring it, and count over all of them.
    """
    headers = {"X-Emulator-Faults": "too_many=1; retry_after=2"}
    statuses = [
        client.get("/queue", headers=headers).status_code,
        client.get("/queue").status_code,
        client.get("/queue", headers=headers).status_code,
        client.get("/queue", headers={"X-Emulator-Faults": "nonsense=1"}).status_code,
    ]

    assert [429, 200, 200, 400] == statuses


def test_route_of_knobs(emulator: Emulator, client: httpx.Client) -> None:
    """
    `route` restricts the knobs to some requests.
    """
    emulator.faults = Faults(errors=9, route="POST /prompt")
    statuses = [client.get("/queue").status_code, client.post("/prompt", json={}).status_code]

    assert [200, 503] == statuses


def test_dropped_connections(emulator: Emulator, client: httpx.Client) -> None:
    """
    A dropped request is not carried out, a lost answer's request is; a cut answer is half one.
    """
    body = {"prompt": graph()}
    emulator.faults = Faults(drops=1)
    with pytest.raises(httpx.TransportError):
        client.post("/prompt", json=body)
    before = emulator.stats().submits.get("comfyui", 0)
    emulator.faults = Faults(lost_answers=1)
    with pytest.raises(httpx.TransportError):
        client.post("/prompt", json=body)
    until(lambda: emulator.stats().submits.get("comfyui") == 1)
    job_id = client.get("/api/jobs").json()["jobs"][0]["id"]
    image = finish(client, job_id)["outputs"]["2"]["images"][0]
    for path in ("/features", f"/view?{httpx.QueryParams(image)}"):
        emulator.faults = Faults(cut_answers=1)
        with pytest.raises(httpx.TransportError):
            client.get(path)

    assert 0 == before
    assert 200 == client.get("/features").status_code


def test_slow_start(emulator: Emulator, client: httpx.Client) -> None:
    """
    A job waits in the queue for as long as it is told to.
    """
    headers = {"X-Emulator-Faults": "slow_start=0.2"}
    done = client.post("/prompt", json={"prompt": graph()}, headers=headers).json()
    first = client.get(f"/api/jobs/{done['prompt_id']}").json()
    entry = finish(client, done["prompt_id"])
    created, started = (
        entry["prompt"][3]["create_time"],
        entry["status"]["messages"][0][1]["timestamp"],
    )

    assert "pending" == first["status"]
    assert started - created >= 200


def test_extra_images(emulator: Emulator, client: httpx.Client) -> None:
    """
    A saving node can write more files than the graph gives.
    """
    emulator.faults = Faults(extra_images=1)
    done = client.post("/prompt", json={"prompt": graph()}).json()
    images = finish(client, done["prompt_id"])["outputs"]["2"]["images"]

    assert 2 == len(images)
