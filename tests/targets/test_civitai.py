"""
Civitai: the template that is sent, the workflow that is read, and its many forms of errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

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
from comfygraph.targets import events as ev
from comfygraph.targets import get_target
from comfygraph.targets.base import CancelAnswer, JobRef, NodeComplaint, Submission
from comfygraph.targets.civitai import CivitaiTarget
from comfygraph.targets.civitai.times import time_span
from comfygraph.targets.civitai.workflow import read_workflow
from comfygraph.targets.events import OutputFile
from comfygraph.targets.failures import GraphRejected
from comfygraph.targets.http import HttpResponse, Resend
from comfygraph.targets.observations import (
    CostSeen,
    FileSeen,
    JobEnded,
    JobPhase,
    JobSeen,
    NoticeSeen,
    Observation,
    Outcome,
    ProgressSeen,
)
from comfygraph.targets.tracker import Tracker

BASE = "https://orchestration.civitai.com"
JOB = "1234567-20261002101530123"
PATH = f"{BASE}/v2/consumer/workflows"
BLOB = "ABCDEFGHJKMNPQRSTVWXYZ0123.jpeg"


@pytest.fixture
def civitai() -> CivitaiTarget:
    """
    Give the target with a token.
    """
    target = get_target("civitai", {"CIVITAI_API_TOKEN": "t-secret"})
    assert isinstance(target, CivitaiTarget)
    return target


@pytest.fixture
def ref(submission: Submission) -> JobRef:
    """
    Give the reference of a workflow.
    """
    return JobRef("civitai", BASE, JOB, submission.key)


def _workflow(status: str, **step: Any) -> dict[str, Any]:
    return {
        "id": JOB,
        "status": status,
        "cost": {"base": 6, "total": 6},
        "steps": [{"$type": "comfy", "name": "run", "status": status, **step}],
    }


def test_template(
    civitai: CivitaiTarget,
    submission: Submission,
    seed_prompt: Prompt,
    converse: Any,
    answer: Any,
) -> None:
    """
    One `comfy` step with the graph under ComfyUI's own names, a time limit and our tag; the key is
    the `externalId`, and with it the request may be sent again.
    """
    submitted, [request] = converse(
        civitai.submit(submission), answer(_workflow("unassigned"), 202)
    )

    assert ("POST", f"{PATH}?hideMatureContent=false") == (request.method, request.url)
    assert {
        "tags": ["comfygraph"],
        "externalId": submission.key,
        "steps": [
            {
                "$type": "comfy",
                "name": "run",
                "priority": "normal",
                "timeout": "00:20:00",
                "input": {"quantity": 1, "comfyWorkflow": seed_prompt.to_json()},
            }
        ],
    } == json.loads(request.body)
    assert Resend.SAME_KEY is request.resend
    assert "Bearer t-secret" == request.wire_headers()["Authorization"]
    assert "t-secret" not in json.dumps(request.masked())
    assert JOB == submitted.ref.job_id
    assert (CostSeen(6.0), JobSeen(JobPhase.QUEUED)) == submitted.observations


def test_template_options(civitai: CivitaiTarget, submission: Submission) -> None:
    """
    Options land where the service reads them.
    """
    options = {
        "quantity": 4,
        "priority": "high",
        "timeout": 90061,
        "tags": ["a", "comfygraph"],
        "metadata": {"run": 7},
        "image_metadata": {"seed": 7},
        "allow_mature": False,
        "currencies": ["blue"],
    }
    body = json.loads(next(civitai.submit(replace(submission, options=options))).body)
    step = body["steps"][0]

    assert ["comfygraph", "a"] == body["tags"]
    assert ({"run": 7}, ["blue"], False) == (
        body["metadata"],
        body["currencies"],
        body["allowMatureContent"],
    )
    assert ("high", "1.01:01:01", 4, '{"seed":7}') == (
        step["priority"],
        step["timeout"],
        step["input"]["quantity"],
        step["input"]["imageMetadata"],
    )


@pytest.mark.parametrize(
    "options",
    [
        {"quantity": 0},
        {"quantity": True},
        {"quantity": "2"},
        {"priority": "urgent"},
        {"timeout": "soon"},
        {"timeout": -1},
        {"tags": [str(number) for number in range(10)]},
        {"tags": "x" * 201},
        {"currencies": "gold"},
        {"currencies": 1},
        {"currencies": ["gold"]},
        {"front": True},
    ],
)
def test_bad_options(
    civitai: CivitaiTarget, submission: Submission, options: dict[str, Any]
) -> None:
    """
    What the service would refuse is refused before anything is sent.
    """
    with pytest.raises(UsageError):
        civitai.submit(replace(submission, options=options))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "00:00:00"), (59.6, "00:01:00"), (5400, "01:30:00"), (86400, "1.00:00:00")],
)
def test_time_span(seconds: float, expected: str) -> None:
    """
    Durations are .NET time spans.
    """
    assert expected == time_span(seconds)


def test_estimate_never_shares_the_key(
    civitai: CivitaiTarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    A price is asked for without the key, since the service would answer a later submit with it.
    """
    priced = {**_workflow("unassigned"), "id": None, "transactions": {"insufficientBuzz": True}}
    checked, [request] = converse(civitai.check(submission), answer(priced))

    assert "whatif=true" in request.url
    assert "externalId" not in json.loads(request.body)
    assert (True, 6.0, "Buzz", False) == (
        checked.valid,
        checked.cost,
        checked.unit,
        checked.affordable,
    )


def test_check_tells_nodes(
    civitai: CivitaiTarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    A refused estimate is an answer, with nodes where the paths name them.
    """
    path = "steps[0].input.comfyWorkflow.4.inputs.ckpt_name"
    body = {"title": "Bad Request", "status": 400, "errors": {path: ["Not an AIR."]}}
    checked, _ = converse(civitai.check(submission), answer(body, 400))

    loader = "CheckpointLoaderSimple"

    assert (NodeComplaint("4", "Not an AIR.", "ckpt_name", loader),) == checked.complaints
    assert (False, (f"{path}: Not an AIR.",)) == (checked.valid, checked.notes)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("unassigned", JobSeen(JobPhase.QUEUED)),
        ("Preparing", JobSeen(JobPhase.QUEUED)),
        ("scheduled", JobSeen(JobPhase.QUEUED)),
        ("PROCESSING", JobSeen(JobPhase.STARTED)),
        ("pending", JobSeen(JobPhase.QUEUED)),
        ("somethingNew", JobSeen(JobPhase.QUEUED)),
        ("Succeeded", JobEnded(Outcome.SUCCEEDED)),
        ("canceled", JobEnded(Outcome.CANCELLED)),
        ("FAILED", JobEnded(Outcome.FAILED)),
    ],
)
def test_statuses(status: str, expected: Observation) -> None:
    """
    Statuses count without regard to case; an unknown one is no end.
    """
    assert (CostSeen(6.0), expected) == read_workflow(_workflow(status))


def test_running_workflow_is_estimated() -> None:
    """
    The rate of a running step is told as an estimate of the whole, never of nodes; the place in the
    queue is an object's field.
    """
    jobs = [
        {"queuePosition": {"support": "available", "precedingJobs": 3}},
        {"queuePosition": {"precedingJobs": 1}},
        {"queuePosition": None},
        {"queuePosition": 4},
    ]
    tracker = Tracker(JOB)
    events = [
        event
        for workflow in (
            _workflow("scheduled", jobs=jobs),
            _workflow("processing", estimatedProgressRate=0.41),
            _workflow("processing", estimatedProgressRate=0.30),
            _workflow("processing", jobs=[{"estimatedProgressRate": 0.6}]),
        )
        for event in tracker.feed(read_workflow(workflow))
    ]

    assert [
        ev.JobQueued(JOB, 1),
        ev.JobStarted(JOB),
        ev.JobProgress(0.41, estimated=True),
        ev.JobProgress(0.6, estimated=True),
    ] == events


def test_download_of_models_is_no_progress() -> None:
    """
    While a step prepares, its rate is the share downloaded; what is fetched is told.
    """
    air = "urn:air:sd1:checkpoint:civitai:4384@128713"
    preparing = _workflow(
        "preparing", estimatedProgressRate=0.9, preparation={"resource": air, "queuePosition": 0}
    )

    assert (
        CostSeen(6.0),
        JobSeen(JobPhase.QUEUED),
        NoticeSeen(f"the service fetches {air}"),
    ) == read_workflow(preparing)


def test_blobs() -> None:
    """
    A blob counts once it can be fetched; its kind is known without `type`; withheld ones are told.
    """
    url = f"{BASE}/v2/consumer/blobs/content/x?sig=1"
    output = {
        "blobs": [
            {"type": "image", "id": BLOB, "available": True, "url": url, "width": 8, "height": 6},
            {"id": "v.mp4", "available": True, "url": url + "&v"},
            {"id": "early.png", "available": False, "url": None},
            {"id": "hidden.png", "available": True, "url": url, "blockedReason": "siteRestricted"},
        ],
        "tempBlobs": [{"id": "t.png", "available": True, "url": url}],
        "usage": {"id": "not a blob"},
    }
    running = read_workflow(_workflow("processing", output=output))
    done = read_workflow(_workflow("succeeded", output=output))
    files = [seen.file for seen in done if isinstance(seen, FileSeen)]

    assert [
        (BLOB, "image", 8, False),
        ("v.mp4", "video", None, False),
        ("t.png", "image", None, True),
    ] == [(file.name, file.kind, file.width, file.preview) for file in files]
    hidden = NoticeSeen("`hidden.png` is withheld by the service: siteRestricted")
    assert [hidden] == [seen for seen in running if isinstance(seen, NoticeSeen)]
    assert [NoticeSeen("`early.png` is withheld by the service"), hidden] == [
        seen for seen in done if isinstance(seen, NoticeSeen)
    ]
    assert JobEnded(Outcome.SUCCEEDED) == done[-1]


def test_blobs_of_other_steps() -> None:
    """
    A single blob counts like one of a list; one of which only the id is said has its address with
    the service that was asked; an address that is none cannot be fetched.
    """
    url = f"{BASE}/v2/consumer/blobs/content/x"
    outputs: list[dict[str, Any]] = [
        {"video": {"id": "v.mp4", "available": True, "url": url}},
        {"blobIds": ["a.png", 7, ""], "blobId": "../b.webm"},
        {"blobs": [{"id": "c.png", "available": True, "url": "http://[c"}]},
    ]
    steps = [{"$type": "convertImage", "output": output} for output in outputs]
    seen = read_workflow({"status": "succeeded", "steps": steps}, "http://127.0.0.1:1")
    files = [item.file for item in seen if isinstance(item, FileSeen)]
    blobs = "http://127.0.0.1:1/v2/consumer/blobs"

    assert [
        ("v.mp4", "video", url),
        ("a.png", "image", f"{blobs}/a.png"),
        ("../b.webm", "video", f"{blobs}/..%2Fb.webm"),
    ] == [(file.name, file.kind, file.url) for file in files]
    assert NoticeSeen("`c.png` is withheld by the service") in seen


@pytest.mark.parametrize(
    ("step", "message", "transient"),
    [
        ({"metadata": {"error": "bad node"}}, "bad node", False),
        ({"output": {"errors": ["a", {"message": "b"}]}}, "a; b", False),
        ({"output": {"errors": ["a"]}, "jobs": [{"reason": "Failed"}]}, "a", False),
        ({"jobs": [{"reason": "no_provider_available"}]}, "no_provider_available", True),
        ({"jobs": [{"reason": "blocked", "blockedReason": "tos"}]}, "blocked; tos", False),
        ({}, "", False),
    ],
)
def test_failure_texts(step: dict[str, Any], message: str, transient: bool) -> None:
    """
    The reason is found wherever the service puts it.
    """
    end = read_workflow(_workflow("failed", **step))[-1]

    assert JobEnded(Outcome.FAILED, message, transient=transient) == end


def test_expired_says_what_to_do() -> None:
    """
    A workflow that expired, mostly on a cold start, may work with more time.
    """
    cold = read_workflow(_workflow("expired", timeout="00:00:30"))[-1]
    late = read_workflow(
        _workflow("Expired", startedAt="2026-10-02T10:15:33Z", jobs=[{"reason": "timeout"}])
    )[-1]
    advice = "allow it more with the option `timeout`"

    assert (
        JobEnded(
            Outcome.FAILED,
            "expired after 00:00:30, before the run began (a cold start: models are fetched "
            f"first); {advice}",
            transient=True,
        )
        == cold
    )
    assert (
        JobEnded(Outcome.FAILED, f"expired, before it was done: timeout; {advice}", transient=True)
        == late
    )


def test_status_may_be_missing() -> None:
    """
    Without a status of its own, a workflow is what its steps amount to.
    """
    steps = [{"status": "succeeded"}, {"status": "canceled"}]

    assert (JobEnded(Outcome.CANCELLED),) == read_workflow({"steps": steps})
    assert (JobSeen(JobPhase.STARTED), ProgressSeen(0.5, estimated=True)) == read_workflow(
        {"steps": [{"status": "succeeded"}, {"status": "processing"}]}
    )


def _polls(civitai: CivitaiTarget, ref: JobRef, converse: Any, *answers: HttpResponse) -> list[str]:
    """
    Poll once for each answer; give what stands in the addresses after `wait=`.
    """
    waits = []
    for reply in answers:
        _, [request] = converse(civitai.poll(ref), reply)
        _, found, rest = request.url.partition("wait=")
        waits.append(rest if found else "")
        assert request.timeout > 10
    return waits


def test_polls_are_held_by_the_service(
    civitai: CivitaiTarget, ref: JobRef, converse: Any, answer: Any
) -> None:
    """
    The first poll is answered at once; the next ones are held until something changes, for longer
    while nothing does.
    """
    queued = answer(_workflow("scheduled"), 202)
    running = answer(_workflow("processing"), 202)

    assert ["", "2&until=change", "5&until=change", "10&until=change", "10&until=change"] == (
        _polls(civitai, ref, converse, *[queued] * 5)
    )
    assert ["10&until=change", "2&until=change", "5&until=change"] == _polls(
        civitai, ref, converse, *[running] * 3
    )


def test_old_server_refuses_seconds(
    civitai: CivitaiTarget, ref: JobRef, converse: Any, answer: Any
) -> None:
    """
    A server that takes `wait` as a boolean is asked again without it, and never again with it.
    """
    running = answer(_workflow("processing"))
    bad = answer({"errors": {"wait": ["The value '2' is not valid."]}}, 400)
    converse(civitai.poll(ref), running)
    polled, requests = converse(civitai.poll(ref), bad, running)
    _, later = converse(civitai.poll(ref), running)

    assert [True, False, False] == ["wait=" in request.url for request in [*requests, *later]]
    assert 3.0 == polled.next_poll


def test_refusal_of_both_forms_is_an_error(
    civitai: CivitaiTarget, ref: JobRef, converse: Any, answer: Any
) -> None:
    """
    A 400 that has nothing to do with `wait` is told, and `wait` is tried again next time.
    """
    converse(civitai.poll(ref), answer(_workflow("processing")))
    bad = answer({"title": "Bad Request"}, 400)
    with pytest.raises(Rejected):
        converse(civitai.poll(ref), bad, bad)

    assert "wait=" in next(civitai.poll(ref)).url


def test_workflow_ids_are_quoted(civitai: CivitaiTarget, ref: JobRef) -> None:
    """
    An id is opaque and cannot leave its place in the path.
    """
    request = next(civitai.poll(replace(ref, job_id="a/../b?c")))

    assert request.url.startswith(f"{PATH}/a%2F..%2Fb%3Fc?")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (HttpResponse(204), CancelAnswer(accepted=True)),
        (
            HttpResponse(200, {}, json.dumps(_workflow("canceled")).encode()),
            CancelAnswer(True, (CostSeen(6.0), JobEnded(Outcome.CANCELLED))),
        ),
        (HttpResponse(400, {}, b'{"title":"over"}'), CancelAnswer(accepted=False)),
        (HttpResponse(409), CancelAnswer(accepted=False)),
    ],
)
def test_cancel(
    civitai: CivitaiTarget, ref: JobRef, reply: HttpResponse, expected: CancelAnswer, converse: Any
) -> None:
    """
    Cancel sets the status; both forms of the answer are read, and too late is no error.
    """
    cancelled, [request] = converse(civitai.cancel(ref), reply)

    assert expected == cancelled
    assert ("PUT", f"{PATH}/{JOB}", {"status": "canceled"}) == (
        request.method,
        request.url,
        json.loads(request.body),
    )


def test_find_walks_the_list(
    civitai: CivitaiTarget, ref: JobRef, converse: Any, answer: Callable[..., HttpResponse]
) -> None:
    """
    A workflow is found by its key, kept behind the user's id, over pages that `next` chains.
    """
    other = {"id": "x", "externalId": f"1234567-{ref.key}9"}
    mine = {"id": JOB, "externalId": f"1234567-{ref.key}"}
    lost = replace(ref, job_id="")
    pages = [answer({"items": [other], "next": "c1"}), answer({"items": [mine], "next": None})]
    found, requests = converse(civitai.find(lost), *pages)
    missing, _ = converse(civitai.find(lost), answer({"items": [other], "next": None}))

    assert ref == found
    assert missing is None
    assert ["cursor=c1" in request.url for request in requests] == [False, True]
    assert all("tags=comfygraph" in request.url for request in requests)


def test_key_that_ends_like_another(
    civitai: CivitaiTarget, ref: JobRef, converse: Any, answer: Any
) -> None:
    """
    The workflow of the key `night-run-1` is not that of the key `1`, and one that shows its key
    without the user's id is found as well.
    """
    items = [
        {"id": "a", "externalId": "1234567-night-run-1"},
        {"id": "b", "externalId": "night-run-1"},
        {"id": "c", "externalId": "1"},
    ]
    found, _ = converse(civitai.find(replace(ref, job_id="", key="1")), answer({"items": items}))

    assert "c" == found.job_id


def test_download_and_refresh(
    civitai: CivitaiTarget, ref: JobRef, converse: Any, answer: Any
) -> None:
    """
    The token goes only to the service; an expired address is asked anew by the blob's id.
    """
    file = OutputFile("https://cdn.test/a?sig=1", BLOB, id=BLOB)
    away = civitai.download(ref, file)
    home = civitai.download(ref, replace(file, url=f"{BASE}/v2/consumer/blobs/{BLOB}"))
    redirected = home.redirected("https://cdn.test/a?sig=2")
    refresh = civitai.refresh(ref, file)
    assert refresh is not None
    fresh, [request] = converse(refresh, answer({"id": BLOB, "url": "https://cdn.test/a?sig=3"}))

    assert [False, True, False] == [
        "Authorization" in it.wire_headers() for it in (away, home, redirected)
    ]
    assert ("POST", f"{BASE}/v2/consumer/blobs/{BLOB}/refresh") == (request.method, request.url)
    assert "https://cdn.test/a?sig=3" == fresh.url


PROBLEM = {"title": "One or more validation errors occurred.", "status": 400}


@pytest.mark.parametrize(
    ("status", "body", "kind", "part"),
    [
        (401, b"", AuthenticationError, "credentials"),
        (401, b'{"title":"Unauthorized"}', AuthenticationError, "Unauthorized"),
        (403, b'"not allowed"', AuthenticationError, "not allowed"),
        (403, b'"Insufficient funds"', Rejected, "Buzz"),
        (403, b'{"error":"insufficient_scope"}', AuthenticationError, "insufficient_scope"),
        (402, b"", Rejected, "Buzz"),
        (404, b'{"title":"Not Found"}', NotFound, "Not Found"),
        (409, b"{}", Rejected, "409"),
        (429, b'{"title":"slow"}', RateLimited, "slow"),
        (
            400,
            json.dumps({**PROBLEM, "errors": {"messages": ["LoRA is not enabled", "b"]}}).encode(),
            Rejected,
            "LoRA is not enabled; b",
        ),
        (
            400,
            json.dumps({**PROBLEM, "errors": {"steps[0].input": ["needed"]}}).encode(),
            Rejected,
            "steps[0].input: needed",
        ),
        (400, b'{"detail":"say"}', Rejected, "say"),
        (400, b'{"title":"Bad","errors":["a","b"]}', Rejected, "a; b"),
        (500, b"{}", ServiceUnavailable, "500"),
        (525, b"<!DOCTYPE html><title>SSL</title>", ServiceUnavailable, "web page"),
        (200, b"<html>", ProtocolError, "web page"),
        (200, b"{}", ProtocolError, "named no workflow"),
        (200, b'"x"', ProtocolError, "no JSON object"),
    ],
)
def test_errors(
    civitai: CivitaiTarget,
    submission: Submission,
    status: int,
    body: bytes,
    kind: type[TargetError],
    part: str,
    converse: Any,
) -> None:
    """
    Each form of an error becomes the exception of its kind, with the service's own words.
    """
    with pytest.raises(TargetError) as caught:
        converse(civitai.submit(submission), HttpResponse(status, {}, body))

    assert kind is type(caught.value)
    assert part in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("status", "body", "options", "hint"),
    [
        (403, b'"no"', {}, "check that the account has enough Buzz, and CIVITAI_API_TOKEN"),
        (400, b'{"errors":{"steps[0].timeout":["bad"]}}', {"timeout": 90_000},
         "keep the option `timeout` below a day"),
        (400, b'{"errors":{"steps[0].timeout":["bad"]}}', {"timeout": 9_000}, None),
    ],
)  # fmt: skip
def test_hints(
    civitai: CivitaiTarget,
    submission: Submission,
    status: int,
    body: bytes,
    options: dict[str, Any],
    hint: str | None,
    converse: Any,
) -> None:
    """
    A refusal that may mean more than it says comes with what to look at.
    """
    with pytest.raises(TargetError) as caught:
        converse(
            civitai.submit(replace(submission, options=options)), HttpResponse(status, {}, body)
        )

    assert hint == caught.value.hint


def test_patience_that_is_asked_for(
    civitai: CivitaiTarget, submission: Submission, converse: Any
) -> None:
    """
    `Retry-After` is passed on, in seconds or as a date.
    """
    date = {"retry-after": "Fri, 02 Oct 2026 10:15:42 GMT", "date": "Fri, 02 Oct 2026 10:15:30 GMT"}
    waits = []
    for headers in ({"Retry-After": "12"}, date, {"Retry-After": "soon"}, {"Retry-After": "-5"}):
        with pytest.raises(RateLimited) as caught:
            converse(civitai.submit(submission), HttpResponse(429, headers))
        waits.append(caught.value.retry_after)

    assert [12.0, 12.0, None, 0.0] == waits


def test_refused_graph_names_its_node(
    civitai: CivitaiTarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    An error whose path runs through the graph is told of its node and input.
    """
    body = {**PROBLEM, "errors": {"steps[0].input.comfyWorkflow['3'].inputs.steps": ["too many"]}}
    with pytest.raises(GraphRejected) as caught:
        converse(civitai.submit(submission), answer(body, 400))

    assert (NodeComplaint("3", "too many", "steps", "KSampler"),) == caught.value.complaints


def test_credentials_are_needed() -> None:
    """
    Without a token the target says what to set.
    """
    with pytest.raises(UsageError, match="no credentials for Civitai"):
        get_target("civitai", {})
