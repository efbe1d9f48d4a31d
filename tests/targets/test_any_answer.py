"""
Answers of any shape: cut, mutated, of wrong types, as web pages. Never an exception other than
ours, never an event that goes backwards.
"""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfygraph.core.values import Prompt
from comfygraph.errors import TargetError
from comfygraph.targets import get_target
from comfygraph.targets.base import Exchange, JobRef, Submission, Target
from comfygraph.targets.comfyui.frames import ComfyFrameReader
from comfygraph.targets.events import JobCancelled, JobFailed, JobSucceeded, OutputFile
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.tracker import Tracker

DATA = Path(__file__).parent.parent / "data"
ID = "683082404926062625"


def _recorded(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / "comfyui_ws" / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


_RUNNING = json.loads((DATA / "seed" / "tams_running.json").read_text())
_HISTORY = next(
    line["response"] for line in _recorded("simple") if "/history/" in line.get("path", "")
)
_COMFY_ID = next(iter(_HISTORY))
_REAL: dict[str, list[Any]] = {
    "tams": [
        _RUNNING,
        {"valid": True, "credits": 2.4},
        {"code": 3, "details": [{"message": "node id: 2\nclass type: A\nx: y"}]},
        {"job": {"id": ID, "status": "FAILED", "failedInfo": {"reason": "node 5", "code": "X"}}},
        {
            "job": {
                "id": ID,
                "status": "SUCCESS",
                "successInfo": {"images": [{"url": "http://h/a"}]},
            }
        },
    ],
    "civitai": [
        {
            "id": "1-2",
            "status": "succeeded",
            "cost": {"total": 6},
            "transactions": {"insufficientBuzz": False},
            "items": [{"id": "1-2", "externalId": "1-k"}],
            "next": "c",
            "url": "https://h/a",
            "steps": [
                {
                    "status": "processing",
                    "estimatedProgressRate": 0.4,
                    "metadata": {"error": "e", "errors": ["f"]},
                    "jobs": [{"queuePosition": {"precedingJobs": 0}, "reason": "r"}],
                    "preparation": {"resource": "urn:air:x"},
                    "output": {"blobs": [{"id": "b.png", "available": True, "url": "http://h/b"}]},
                }
            ],
        },
        {"errors": {"steps[0].input.comfyWorkflow.4.inputs.x": ["bad"], "messages": ["m"]}},
    ],
    "comfyapi": [
        {
            "id": ID,
            "status": "running",
            "queue_position": 1,
            "progress": {"value": 0.4, "current_node": "3", "step": 4, "steps": 10},
            "urls": {"self": "/api/v2/jobs/1", "events": "http://h/e", "cancel": "c"},
        },
        {
            "id": ID,
            "status": "failed",
            "error": {"code": "execution_error", "message": "m", "node_id": "3"},
            "outputs": [{"node_id": "9", "name": "a.png", "type": "image", "url": "/f", "id": "b"}],
        },
        {"jobs": [{"id": ID, "idempotency_key": _COMFY_ID, "status": "queued"}]},
        {
            "error": {
                "code": "idempotency_key_reuse",
                "message": "m",
                "details": {"node_errors": {}},
            }
        },
    ],
    "comfyui": [
        _HISTORY,
        {"queue_running": [[1, _COMFY_ID, {}]], "queue_pending": [[2, "x", {}]]},
        {
            "prompt_id": _COMFY_ID,
            "node_errors": {"3": {"errors": [{"message": "m", "extra_info": {"input_name": "x"}}]}},
            "error": {"type": "t", "extra_info": {"node_id": "3"}},
        },
    ],
}
_CONFIG = {"TAMS_API_KEY": "k", "CIVITAI_API_TOKEN": "k", "COMFY_API_KEY": "k"}
_ODD: list[Any] = [None, True, -1, 1e308, 10**30, "", "x", "\ud800", [], {}, [None], {"a": []}]
_STATUSES = [200, 200, 200, 202, 204, 400, 401, 403, 404, 409, 429, 500, 503, 525]
_PROMPT = Prompt.from_json({"1": {"class_type": "SaveImage", "inputs": {}}})


@st.composite
def _mutated(draw: st.DrawFn, documents: list[Any]) -> Any:
    document = json.loads(json.dumps(draw(st.sampled_from(documents))))
    for _ in range(draw(st.integers(0, 4))):
        place: Any = document
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
                if draw(st.booleans()):
                    place[key] = copy.deepcopy(draw(st.sampled_from(_ODD)))
                else:
                    del place[key]
                break
            place = place[key]
    return document


@st.composite
def _response(draw: st.DrawFn, documents: list[Any]) -> HttpResponse:
    body = json.dumps(draw(_mutated(documents))).encode()
    match draw(st.integers(0, 9)):
        case 0:
            body = body[: draw(st.integers(0, len(body)))]
        case 1:
            body = b"<!DOCTYPE html><html>sorry"
        case 2:
            body = draw(st.binary(max_size=20))
        case _:
            pass
    return HttpResponse(draw(st.sampled_from(_STATUSES)), {"Retry-After": "1"}, body)


def _exchanges(target: Target, ref: JobRef) -> list[Exchange[Any] | None]:
    submission = Submission(_PROMPT, ref.key)
    return [
        target.submit(submission),
        target.poll(ref),
        target.poll(ref),
        target.cancel(ref),
        target.find(ref),
        target.check(submission),
        target.refresh(ref, OutputFile("http://h/a", "a", id="b")),
    ]


@pytest.mark.parametrize("name", ["tams", "civitai", "comfyapi", "comfyui"])
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_any_answer(name: str, data: st.DataObject) -> None:
    """
    Every conversation with a service that answers anything ends with a result or an error of ours;
    what it claims is told without a second end.
    """
    target = get_target(name, _CONFIG)
    job_id = _COMFY_ID if name == "comfyui" else ID
    ref = JobRef(name, target.base_url, job_id, _COMFY_ID, extra={"client_id": "c"})
    tracker = Tracker(job_id)
    ends = 0
    messages: list[str] = []
    for exchange in _exchanges(target, ref):
        if exchange is None:
            continue
        try:
            next(exchange)
            for _ in range(12):
                exchange.send(data.draw(_response(_REAL[name])))
            raise AssertionError("the conversation does not end")
        except StopIteration as stop:
            events = tracker.feed(getattr(stop.value, "observations", ()))
            ends += sum(isinstance(it, JobSucceeded | JobFailed | JobCancelled) for it in events)
        except TargetError as error:
            messages.append(error.message)

    assert ends <= 1
    assert all("\n" not in message and len(message) < 2000 for message in messages)


_FRAMES = [
    line["msg"]
    for name in ("simple", "expand", "blocked", "sd15", "sd15_interrupted")
    for line in _recorded(name)
    if line["kind"] == "ws_json"
]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_frame(data: st.DataObject) -> None:
    """
    Frames of any shape, in any order, never raise and never end a job.
    """
    message = data.draw(_mutated(_FRAMES))
    named = message.get("data") if isinstance(message, dict) else None
    prompt_id = named.get("prompt_id") if isinstance(named, dict) else None
    reader = ComfyFrameReader(prompt_id if isinstance(prompt_id, str) else ID)
    tracker = Tracker(ID, previews=True)
    text = json.dumps(message)
    frames: list[str | bytes] = [
        text,
        text[: data.draw(st.integers(0, len(text)))],
        data.draw(st.binary(max_size=40)),
        data.draw(st.sampled_from([1, 2, 3, 4])).to_bytes(4, "big") + data.draw(st.binary()),
    ]
    for frame in frames:
        tracker.feed(reader.feed(frame))

    assert tracker.end is None
