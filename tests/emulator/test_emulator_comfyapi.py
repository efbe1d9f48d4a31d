"""
The emulated Comfy API v2: keys that are good once, jobs, streams, files; and jobs of our own
followed through its knobs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from emulation import client_of, graph, sampler
from PIL import Image

from comfygraph.emulator import DEV_TOKEN, Emulator, Faults
from comfygraph.errors import Rejected, SubmissionUncertain, TargetError
from comfygraph.jobs.api import attach, submit
from comfygraph.targets.events import (
    Event,
    JobCancelled,
    JobFailed,
    JobStarted,
    JobSucceeded,
    NodeFailed,
    NodePreview,
    NodeProgress,
    NodeStarted,
)

JOBS = "/api/v2/jobs"


@pytest.fixture
def api() -> Iterator[Emulator]:
    """
    A running emulator of this service, without pauses.
    """
    with Emulator(["comfyapi"], speed=0) as running:
        yield running


@pytest.fixture
def caller(api: Emulator) -> Iterator[httpx.Client]:
    """
    A client of it, with a key.
    """
    with httpx.Client(
        base_url=api.url("comfyapi"), headers={"Authorization": f"Bearer {DEV_TOKEN}"}, verify=False
    ) as one:
        yield one


def _follow(client: httpx.Client, job_id: str) -> dict[str, Any]:
    for _ in range(12_000):
        job: dict[str, Any] = client.get(f"{JOBS}/{job_id}").json()
        if job["completed_at"]:
            return job
        time.sleep(0.005)
    raise AssertionError(job_id)


def _config(emulator: Emulator) -> dict[str, str]:
    return {"COMFY_API_URL": emulator.url("comfyapi"), "COMFY_API_KEY": DEV_TOKEN}


def test_life_of_a_job(caller: httpx.Client) -> None:
    """
    A job is created with 201, runs, and lists its files with signed addresses that need no key.
    """
    created = caller.post(JOBS, json={"workflow": graph()})
    job = _follow(caller, created.json()["id"])
    [output] = job["outputs"]
    signed = httpx.get(caller.base_url.join(output["url"]), verify=False)
    forged = caller.get(output["url"].replace("signature=", "signature=0"))

    assert (201, "succeeded") == (created.status_code, job["status"])
    assert {"self", "events", "cancel"} == job["urls"].keys()
    assert (1.0, 2, 2) == tuple(
        job["progress"][key] for key in ("value", "nodes_done", "nodes_total")
    )  # one row
    assert ("2", "image", "image/png") == tuple(
        output[key] for key in ("node_id", "type", "content_type")
    )
    assert (64, 32) == Image.open(BytesIO(signed.content)).size
    assert 403 == forged.status_code


def test_keys_are_good_once(caller: httpx.Client) -> None:
    """
    A key is refused the second time; one of a submit that made no job is free again.
    """
    key = {"Idempotency-Key": "k"}
    bad = {"workflow": {"1": {"class_type": "Nope", "inputs": {}}}}
    answers = [
        caller.post(JOBS, json=body, headers=key)
        for body in (bad, {"workflow": graph()}, {"workflow": graph()})
    ]

    assert [422, 201, 422] == [answer.status_code for answer in answers]
    assert "idempotency_key_reuse" == answers[2].json()["error"]["code"]
    assert 1 == len(caller.get(JOBS).json()["jobs"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"workflow": {}}, 422, "invalid_workflow"),
        ({"workflow": {"nodes": [], "links": []}}, 422, "workflow_format_ui"),
        ({"workflow": graph(width=-1)}, 422, "invalid_workflow"),
        ({"workflow": graph(), "webhook_url": "http://x"}, 400, "invalid_request"),
        ({"workflow": graph(), "inputs": {}}, 400, "invalid_request"),
        (
            {"workflow": {"1": {"class_type": "LoadImage", "inputs": {
                "image": {"__type": "core/ASSET", "info": {"id": "x"}}}}}}, 422, "missing_asset"),
        ([], 400, "invalid_request"),
    ],
)  # fmt: skip
def test_refusals(caller: httpx.Client, body: Any, status: int, code: str) -> None:
    """
    What is refused says why in the form of the service.
    """
    answer = caller.post(JOBS, json=body)

    assert (status, code) == (answer.status_code, answer.json()["error"]["code"])


def test_credentials_and_unknown_jobs(api: Emulator, caller: httpx.Client) -> None:
    """
    Without a key there is 401; an unknown job and an unknown path are 404.
    """
    with client_without(api) as stranger:
        refused = stranger.get(f"{JOBS}/x")
    lost = [caller.get(f"{JOBS}/x"), caller.post(f"{JOBS}/x/cancel"), caller.get("/api/v2/else")]

    assert 401 == refused.status_code
    assert [(404, "not_found")] * 3 == [(it.status_code, it.json()["error"]["code"]) for it in lost]


def client_without(emulator: Emulator) -> httpx.Client:
    """A client without a key."""
    return httpx.Client(base_url=emulator.url("comfyapi"), verify=False)


def test_assets(caller: httpx.Client) -> None:
    """
    A picture that was uploaded is what a graph works on.
    """
    data = BytesIO()
    Image.new("RGB", (40, 24)).save(data, "PNG")
    asset = caller.post("/api/v2/assets", files={"file": ("../in.png", data.getvalue())}).json()
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {
            "image": {"__type": "core/ASSET", "info": {"id": asset["id"]}}}},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }  # fmt: skip
    job = _follow(caller, caller.post(JOBS, json={"workflow": prompt}).json()["id"])
    picture = caller.get(job["outputs"][0]["url"]).content

    assert (40, 24) == Image.open(BytesIO(picture)).size


def test_events(caller: httpx.Client) -> None:
    """
    The stream starts with the status, tells progress, previews and files, and ends with the job.
    """
    slowly = {"x-emulator-faults": "slow_start=0.2"}
    job = caller.post(JOBS, json={"workflow": sampler(3)}, headers=slowly).json()
    text = caller.get(job["urls"]["events"]).text
    events = [block.splitlines() for block in text.split("\n\n") if block]
    kinds = [lines[0].removeprefix("event: ") for lines in events]
    last = json.loads(events[-1][1].removeprefix("data: "))

    assert "status" == kinds[0]
    assert {"status", "progress", "preview", "output", "log"} == set(kinds)
    assert 3 == kinds.count("preview")
    assert ("status", "succeeded") == (kinds[-1], last["status"])


FAULTS = {
    "plain": Faults(slow_start=0.3),
    "no stream": Faults(no_socket=True),
    "broken stream": Faults(socket_drop_after=2, slow_start=0.2),
    "duplicates": Faults(duplicate_updates=True, slow_start=0.2),
    "reordered": Faults(reordered_updates=True, slow_start=0.2),
    "nested": Faults(nested_events=True, slow_start=0.3),
    "capitalised": Faults(capitalised=True),
    "gaps": Faults(missing_fields="*"),
    "unknown fields": Faults(extra_fields=True),
    "busy": Faults(too_many=2, retry_after="0"),
    "expired addresses": Faults(expired_urls=1),
    "lost poll": Faults(lost_answers=1, route=f"GET {JOBS}/*"),
    "web page": Faults(pages=1, route=f"GET {JOBS}/*"),
}


@pytest.mark.parametrize("situation", FAULTS)
def test_followed_through(api: Emulator, tmp_path: Path, situation: str) -> None:
    """
    Whatever the service does wrong on the way, the job is handed in once, ends once, and its
    picture arrives.
    """
    api.faults = FAULTS[situation]
    with submit(
        sampler(4), target="comfyapi", config=_config(api), out=tmp_path, previews=True
    ) as job:
        events = list(job)
    end = events[-1]

    assert isinstance(end, JobSucceeded)
    pictures = [BytesIO(Path(file.path or "").read_bytes()) for file in end.files]
    assert [(64, 64)] == [Image.open(picture).size for picture in pictures]
    assert 1 == api.stats().submits["comfyapi"]
    if situation in ("plain", "nested"):
        assert {"3", "9"} <= {it.node_id for it in events if isinstance(it, NodeStarted)}
        assert any(isinstance(event, NodeProgress) for event in events)
        assert any(isinstance(event, NodePreview) for event in events)


def test_failed_and_expired(api: Emulator) -> None:
    """
    A failed node is named with its class; an expired job may be tried again.
    """
    api.faults = Faults(fail_node="KSampler", fail_message="out of memory")
    failed = list(submit(sampler(4), target="comfyapi", config=_config(api)))
    api.faults = Faults(expire_jobs=True)
    expired = list(submit(sampler(4), target="comfyapi", config=_config(api)))

    assert [("3", "out of memory")] == [
        (event.node_id, event.message) for event in failed if isinstance(event, NodeFailed)
    ]
    assert isinstance(failed[-1], JobFailed)
    assert isinstance(expired[-1], JobFailed)
    assert (False, True) == (failed[-1].transient, expired[-1].transient)


def test_cancelled() -> None:
    """
    A running job is cancelled; the events tell it.
    """
    with Emulator(["comfyapi"], speed=100) as api:
        events: list[Event] = []
        with submit(sampler(), target="comfyapi", config=_config(api)) as job:
            for event in job:
                events.append(event)
                if isinstance(event, JobStarted):
                    job.cancel()

    assert isinstance(events[-1], JobCancelled)


@pytest.mark.parametrize("shown", [True, False])
def test_lost_answer_of_a_submit(api: Emulator, shown: bool) -> None:
    """
    A submit whose answer is lost is never sent again: the job is found by its key where the
    service shows keys, else it is told that it may exist.
    """
    api.faults = Faults(lost_answers=1, route=f"POST {JOBS}", shown_keys=shown)
    try:
        with submit(graph(), target="comfyapi", config=_config(api)) as job:
            job.result()
            ref = job.ref
        assert ref is not None
        with attach(ref, config=_config(api)) as again:
            outcome = type(again.result())
    except SubmissionUncertain:
        outcome = SubmissionUncertain

    assert (JobSucceeded if shown else SubmissionUncertain) is outcome
    assert 1 == api.stats().requests[f"POST {JOBS}"]


@pytest.mark.parametrize(
    ("faults", "kind"),
    [(Faults(no_funds=True), Rejected), (Faults(errors=9, error_status=500), TargetError)],
)
def test_refused_submits(api: Emulator, faults: Faults, kind: type[TargetError]) -> None:
    """
    No credits, and a service that stays in trouble, are errors of ours, and there is no job.
    """
    api.faults = faults
    with pytest.raises(kind):
        submit(graph(), target="comfyapi", config=_config(api))

    assert {} == api.stats().submits


def test_beside_the_others(emulator: Emulator) -> None:
    """
    On one port with the others its paths stay its own.
    """
    with client_of(emulator) as client:
        answer = client.get(JOBS)

    assert {"jobs": []} == answer.json()
