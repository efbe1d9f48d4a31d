"""
Comfy API v2: what is sent, what a job claims, refusals, the event stream, files.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from comfygraph.core.edit import set_input
from comfygraph.core.values import Prompt
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
from comfygraph.targets import get_target
from comfygraph.targets.base import JobRef, Submission
from comfygraph.targets.comfyapi import ComfyApiTarget
from comfygraph.targets.comfyapi.job import read_job
from comfygraph.targets.comfyapi.stream import SseReader
from comfygraph.targets.events import OutputFile
from comfygraph.targets.failures import GraphRejected
from comfygraph.targets.http import HttpResponse, Resend
from comfygraph.targets.local_file import LocalFile
from comfygraph.targets.observations import (
    FileSeen,
    JobEnded,
    JobPhase,
    JobSeen,
    NodeSeen,
    NodeState,
    Outcome,
    PollNow,
    PreviewSeen,
    ProgressSeen,
)
from comfygraph.targets.tracker import Tracker

BASE = "https://cloud.comfy.org"
KEY = "comfyui-0123456789"
JOB = {
    "id": "job-1",
    "status": "queued",
    "queue_position": 2,
    "urls": {
        "self": "/api/v2/jobs/job-1",
        "events": "/api/v2/jobs/job-1/events",
        "cancel": "/api/v2/jobs/job-1/cancel",
    },
}
BODY = Draft202012Validator(
    {
        "type": "object",
        "required": ["workflow"],
        "additionalProperties": False,
        "properties": {
            "workflow": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {
                    "type": "object",
                    "required": ["class_type", "inputs"],
                    "properties": {
                        "class_type": {"type": "string", "minLength": 1},
                        "inputs": {"type": "object"},
                    },
                },
            },
            "extra_data": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"api_key_comfy_org": {"type": "string", "minLength": 1}},
            },
        },
    }
)


@pytest.fixture
def service() -> ComfyApiTarget:
    """
    Give Comfy Cloud, with a key.
    """
    target = get_target("comfyapi", {"COMFY_API_KEY": KEY})
    assert isinstance(target, ComfyApiTarget)
    return target


@pytest.fixture
def ref(service: ComfyApiTarget) -> JobRef:
    """
    Give the reference of a job.
    """
    return JobRef("comfyapi", BASE, "job-1", "the-key", extra=JOB["urls"])


def test_settings(submission: Submission) -> None:
    """
    Comfy Cloud wants a key; a proxy of one's own may have a token of its own, or none.
    """
    with pytest.raises(UsageError, match="COMFY_API_KEY is not set"):
        get_target("comfyapi")
    open_proxy = get_target("comfyapi", {"COMFY_API_URL": "http://127.0.0.1:8189/"})
    proxy = get_target(
        "comfyapi",
        {"COMFY_API_URL": "http://box:8189", "COMFY_API_TOKEN": "mine", "COMFY_API_KEY": KEY},
    )
    request = next(proxy.submit(submission))

    assert "http://127.0.0.1:8189" == open_proxy.base_url
    assert "Authorization" not in next(open_proxy.submit(submission)).wire_headers()
    assert "Bearer mine" == request.wire_headers()["Authorization"]
    assert {"api_key_comfy_org": KEY} == json.loads(request.body)["extra_data"]


def test_submit(
    service: ComfyApiTarget, submission: Submission, seed_prompt: Prompt, converse: Any, answer: Any
) -> None:
    """
    The body is what the service takes and nothing else; the key goes along once, and no secret is
    shown; the addresses that the service names are kept.
    """
    submitted, [request] = converse(service.submit(submission), answer(JOB, 201))
    body = json.loads(request.body)
    shown = json.dumps(request.masked())

    assert [] == [error.message for error in BODY.iter_errors(body)]
    assert ("POST", f"{BASE}/api/v2/jobs") == (request.method, request.url)
    assert seed_prompt.to_json() == body["workflow"]
    assert submission.key == request.headers["Idempotency-Key"]
    assert Resend.NEVER is request.resend
    assert f"Bearer {KEY}" == request.wire_headers()["Authorization"]
    assert KEY not in f"{shown}{request!r}"
    assert ("job-1", JOB["urls"]) == (submitted.ref.job_id, submitted.ref.extra)
    assert (JobSeen(JobPhase.QUEUED, 2),) == submitted.observations


def test_what_the_service_does_not_take(
    service: ComfyApiTarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    Options and parts of a graph are refused before anything is sent; so is an answer without id.
    """
    with pytest.raises(UsageError, match="no option `front`"):
        service.submit(replace(submission, options={"front": True}))
    with pytest.raises(UsageError, match="whole graphs"):
        service.submit(replace(submission, partial_targets=("9",)))
    with pytest.raises(ProtocolError, match="named no job"):
        converse(service.submit(submission), answer({}, 201))


def test_used_key_is_no_refusal(
    service: ComfyApiTarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    "This key was used" means that a job may be there: it is looked for, and adopted where the
    list shows keys; else nobody claims that there is none.
    """
    used = answer({"error": {"code": "idempotency_key_reuse", "message": "used"}}, 422)
    mine = {"jobs": [{"id": "x"}, {**JOB, "idempotency_key": submission.key}]}
    found, requests = converse(service.submit(submission), used, answer(mine))
    with pytest.raises(ProtocolError, match="handed in before"):
        converse(service.submit(submission), used, answer({"jobs": [JOB]}))

    assert "job-1" == found.ref.job_id
    assert ["POST", "GET"] == [request.method for request in requests]


@pytest.mark.parametrize("form", ["jobs", "data", "items", ""])
def test_find(service: ComfyApiTarget, ref: JobRef, form: str, converse: Any, answer: Any) -> None:
    """
    However the list is wrapped, only a job with our key is ours. Jobs without keys may be ours,
    and nobody claims that they are not.
    """
    mine = {**JOB, "id": "other", "idempotency_key": "the-key"}
    others = {**JOB, "idempotency_key": "another"}

    def listed(*jobs: Any) -> Any:
        return answer({form: list(jobs)} if form else list(jobs))

    found, _ = converse(service.find(ref), listed(JOB, mine))
    lost = [converse(service.find(ref), listed(*jobs))[0] for jobs in ((), (JOB, others))]
    with pytest.raises(ProtocolError, match="does not show the keys"):
        converse(service.find(ref), listed(JOB))

    assert found is not None
    assert ("other", [None, None]) == (found.job_id, lost)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": "queued"}, [JobSeen(JobPhase.QUEUED, 2)]),
        ({"status": "Queued", "queue_position": None}, [JobSeen(JobPhase.QUEUED)]),
        ({"status": "running"}, [JobSeen(JobPhase.STARTED)]),
        ({"status": "canceling"}, [JobSeen(JobPhase.STARTED)]),
        ({"status": "canceled"}, [JobEnded(Outcome.CANCELLED)]),
        ({"status": "cancelled"}, [JobEnded(Outcome.CANCELLED)]),
        ({"status": "succeeded"}, [JobEnded(Outcome.SUCCEEDED)]),
        (
            {"status": "expired"},
            [JobEnded(Outcome.FAILED, "the job expired before it was done", None, True)],
        ),
        (
            {"status": "failed", "error": {"code": "oom", "message": "a\nb", "node_id": 3}},
            [
                NodeSeen("3", NodeState.FAILED, message="a b", exception_type="oom"),
                JobEnded(Outcome.FAILED, "a b", "3"),
            ],
        ),
        ({"status": "failed", "error": {"code": "oom"}}, [JobEnded(Outcome.FAILED, "oom")]),
        (
            {
                "status": "running",
                "progress": {"value": 0.5, "current_node": "7", "step": 3, "steps": 10},
            },
            [
                JobSeen(JobPhase.STARTED),
                NodeSeen("7", NodeState.STARTED, 3, 10),
                ProgressSeen(0.5),
            ],
        ),
        ({"status": "hibernating"}, []),
        ({"status": None}, []),
    ],
)
def test_job_claims(change: dict[str, Any], expected: list[Any]) -> None:
    """
    Each status in both spellings and any case; what nobody knows claims nothing.
    """
    assert expected == list(read_job({**JOB, **change}))


def test_outputs() -> None:
    """
    Files keep node, kind and id; an entry without an address is none yet.
    """
    outputs = [
        {"node_id": "9", "name": "a.png", "type": "image", "id": "f1", "url": "/f/1?s=x"},
        {"node_id": "9", "name": "t.txt", "type": "text", "hash": "h", "url": "https://s3/t"},
        {"node_id": "9", "name": "later.png", "type": "image", "url": None},
    ]

    assert [
        FileSeen(OutputFile("/f/1?s=x", "a.png", "9", "image", id="f1")),
        FileSeen(OutputFile("https://s3/t", "t.txt", "9", "file", id="h")),
        JobEnded(Outcome.SUCCEEDED),
    ] == list(read_job({"status": "succeeded", "outputs": outputs}))


def _error(code: str, **more: Any) -> bytes:
    return json.dumps({"error": {"code": code, "message": "said so", **more}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, _error("unauthorized"), AuthenticationError, "credentials"),
        (402, _error("insufficient_credits"), Rejected, "wants more credits"),
        (404, b"Not Found", NotFound, "HTTP 404"),
        (422, _error("workflow_format_ui"), Rejected, "workflow_format_ui: said so"),
        (422, _error("missing_asset"), Rejected, "missing_asset: said so"),
        (429, _error("queue_full"), RateLimited, "queue_full: said so"),
        (503, _error("deployment_not_ready"), ServiceUnavailable, "said so"),
        (409, _error("deployment_not_ready"), ServiceUnavailable, "said so"),
        (502, b"<html>bad gateway", ServiceUnavailable, "with a web page"),
        (200, b"<html>welcome", ProtocolError, "web page"),
    ],
)
def test_refusals(
    service: ComfyApiTarget,
    submission: Submission,
    converse: Any,
    status: int,
    body: bytes,
    kind: type[TargetError],
    words: str,
) -> None:
    """
    Each refusing answer becomes the exception of its kind, on one line, without markup.
    """
    with pytest.raises(kind) as caught:
        converse(service.submit(submission), HttpResponse(status, {"Retry-After": "7"}, body))

    assert words in caught.value.message
    assert "<" not in caught.value.message
    if isinstance(caught.value, RateLimited | ServiceUnavailable):
        assert 7 == caught.value.retry_after


def test_node_errors(service: ComfyApiTarget, submission: Submission, converse: Any) -> None:
    """
    A graph that fails validation is told node by node.
    """
    errors = {"3": {"class_type": "KSampler", "errors": [
        {"type": "value_bigger_than_max", "message": "too big", "details": "steps",
         "extra_info": {"input_name": "steps"}}]}}  # fmt: skip
    body = _error("invalid_workflow", details={"node_errors": errors})
    with pytest.raises(GraphRejected) as caught:
        converse(service.submit(submission), HttpResponse(422, {}, body))

    assert [("3", "steps", "KSampler")] == [
        (it.node_id, it.input, it.class_type) for it in caught.value.complaints
    ]


def test_cancel(service: ComfyApiTarget, ref: JobRef, converse: Any, answer: Any) -> None:
    """
    Cancelling a job that is over changes nothing and tells its end; an empty answer is asked for.
    """
    going, [request] = converse(service.cancel(ref), answer({**JOB, "status": "canceling"}))
    late, _ = converse(service.cancel(ref), answer({**JOB, "status": "succeeded"}))
    asked, requests = converse(
        service.cancel(ref), HttpResponse(204), answer({**JOB, "status": "canceled"})
    )

    assert ("POST", f"{BASE}/api/v2/jobs/job-1/cancel") == (request.method, request.url)
    assert (True, False, True) == (going.accepted, late.accepted, asked.accepted)
    assert (JobEnded(Outcome.SUCCEEDED),) == late.observations
    assert (JobEnded(Outcome.CANCELLED),) == asked.observations
    assert f"{BASE}/api/v2/jobs/job-1" == requests[1].url


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("/api/v2/jobs/j/events", "https://box.test/api/v2/jobs/j/events"),
        ("https://box.test/other", "https://box.test/other"),
        ("https://evil.test/x", "https://box.test/prefix/api/v2/jobs/job-1/events"),
        ("", "https://box.test/prefix/api/v2/jobs/job-1/events"),
    ],
)
def test_addresses_of_the_service(named: str, expected: str) -> None:
    """
    Without a host they count from the root, whatever the path of the base URL; one at another
    host is not gone to.
    """
    url = "https://box.test/prefix"
    target = get_target("comfyapi", {"COMFY_API_URL": url, "COMFY_API_KEY": KEY})
    live = target.stream(JobRef("comfyapi", url, "job-1", "k", extra={"events": named}))

    assert live is not None
    assert expected == live.request.url
    assert f"Bearer {KEY}" == live.request.wire_headers()["Authorization"]


def test_downloads(service: ComfyApiTarget, ref: JobRef, converse: Any, answer: Any) -> None:
    """
    The key goes to the service and to no other host; an expired address is asked for anew.
    """
    own = service.download(ref, OutputFile("/api/v2/files/1?s=x", "a.png", id="f1"))
    foreign = service.download(ref, OutputFile("https://s3.test/a.png?s=x", "a.png", id="f1"))
    fresh = {**JOB, "outputs": [{"id": "f1", "url": "https://s3.test/a.png?s=y", "name": "a.png"}]}
    exchange = service.refresh(ref, OutputFile("https://s3.test/a.png?s=x", "a.png", id="f1"))
    renewed, _ = converse(exchange, answer(fresh))

    assert f"{BASE}/api/v2/files/1?s=x" == own.url
    assert "Authorization" in own.wire_headers()
    assert "Authorization" not in foreign.wire_headers()
    assert "https://s3.test/a.png?s=y" == renewed.url


def test_upload(service: ComfyApiTarget, converse: Any, answer: Any) -> None:
    """
    A file becomes an asset, and the graph names it as the service wants assets named.
    """
    file = LocalFile.of("cat.png", b"\x89PNG")
    value, [request] = converse(service.upload(file), answer({"id": "a-1"}, 201))
    prompt = Prompt.from_json({"1": {"class_type": "LoadImage", "inputs": {"image": "x"}}})
    submission = Submission(set_input(prompt, "1", "image", value), "k")
    body = json.loads(next(service.submit(submission)).body)

    assert "core/ASSET:a-1" == value
    assert b'name="file"; filename="cat.png"' in request.body
    assert {"__type": "core/ASSET", "info": {"id": "a-1"}} == body["workflow"]["1"]["inputs"][
        "image"
    ]


EVENTS = [
    ("status", {**JOB, "status": "running"}),
    ("progress", {"value": 0.25, "current_node": "4", "step": None}),
    ("progress", {"value": 0.5, "current_node": "3", "step": 5, "steps": 10}),
    ("preview", {"node_id": "3", "content_type": "image/png", "image": "iVBORw=="}),
    ("log", {"message": "hello"}),
    ("output", {"node_id": "9", "name": "ä.png", "type": "image", "id": "f", "url": "/f"}),
    ("status", {**JOB, "status": "succeeded"}),
]
CLAIMS = [
    JobSeen(JobPhase.STARTED),
    NodeSeen("4", NodeState.STARTED),
    ProgressSeen(0.25),
    NodeSeen("4", NodeState.FINISHED),
    NodeSeen("3", NodeState.STARTED, 5, 10),
    ProgressSeen(0.5),
    PreviewSeen("3", b"\x89PNG", "image/png"),
    FileSeen(OutputFile("/f", "ä.png", "9", "image", id="f")),
    PollNow(),
]


@given(
    cuts=st.lists(st.integers(0, 2000), max_size=12),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    nested=st.booleans(),
)
def test_stream(cuts: list[int], end: str, nested: bool) -> None:
    """
    The stream says the same wherever it is cut, with any line ends, and whether a part of the job
    stands at the top or under its name. It never ends a job, it only asks for a poll.
    """
    text = ": hello\n\n"
    for kind, data in EVENTS:
        wrapped = {"job" if kind == "status" else kind: data} if nested else data
        text += f"event: {kind}\ndata: {json.dumps(wrapped, ensure_ascii=False)}\nid: 7\n\n"
    raw = text.replace("\n", end).encode()
    places = sorted({0, len(raw), *(cut % len(raw) for cut in cuts)})
    reader = SseReader()
    seen = [claim for start, stop in pairwise(places) for claim in reader.feed(raw[start:stop])]

    assert CLAIMS == [*seen, *reader.feed(b"\n\n")]


@given(pieces=st.lists(st.binary(max_size=30) | st.sampled_from(
    [b"data: {\n\n", b"event: progress\n", b'data: {"progress": {"progress": 1}}\n\n', b"\r", b"\n",
     b"event: preview\ndata: {\"image\": \"data:image/png;base64,iVBORw==\"}\n\n",
     b"event: status\ndata: [[]]\n\n"]), max_size=12))  # fmt: skip
def test_any_stream(pieces: list[bytes]) -> None:
    """
    Whatever comes, nothing is raised and no job ends.
    """
    reader, tracker = SseReader(), Tracker("job-1", previews=True)
    for piece in pieces:
        tracker.feed(reader.feed(piece))

    assert tracker.end is None
