"""
TAMS: what is sent, and what is read out of the two answers of the recorded job and of others.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from comfygraph.core.values import Prompt
from comfygraph.errors import (
    NotFound,
    ProtocolError,
    UsageError,
)
from comfygraph.targets import events as ev
from comfygraph.targets import get_target
from comfygraph.targets.base import JobRef, Submission
from comfygraph.targets.http import HttpResponse, Resend
from comfygraph.targets.observations import FileSeen, JobPhase, JobSeen, NodeSeen, NodeState
from comfygraph.targets.tams import TamsTarget
from comfygraph.targets.tams.job import read_job
from comfygraph.targets.tracker import Tracker

JOB = "683082404926062625"


@pytest.fixture
def tams() -> TamsTarget:
    """
    Give the target with a bearer key.
    """
    target = get_target("tams", {"TAMS_API_KEY": "k-secret", "TAMS_BASE_URL": "https://tams.test"})
    assert isinstance(target, TamsTarget)
    return target


@pytest.fixture
def ref() -> JobRef:
    """
    Give the reference of the recorded job.
    """
    return JobRef("tams", "https://tams.test", JOB, "key")


def _events(*jobs: Any) -> list[ev.Event]:
    tracker = Tracker(JOB)
    return [event for job in jobs for event in tracker.feed(read_job(job))]


def test_submit_sends_the_recorded_body(
    tams: TamsTarget, submission: Submission, converse: Any, answer: Any, seed: Any
) -> None:
    """
    The graph goes out as in the recorded request: `classType`, no `_meta`, links as they are; the
    key is the `requestId`, and with it the request may be sent again after a 5xx.
    """
    submitted, [request] = converse(tams.submit(submission), answer(seed("tams_created")))

    assert ("POST", "https://tams.test/v1/jobs/workflow") == (request.method, request.url)
    assert {
        "requestId": submission.key,
        "params": seed("tams_workflow")["params"],
    } == json.loads(request.body)
    assert Resend.AFTER_ERROR is request.resend
    assert {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": "Bearer k-secret",
    } == request.wire_headers()
    assert JOB == submitted.ref.job_id
    assert (JobSeen(JobPhase.QUEUED),) == submitted.observations


def test_dry_run_masks_the_key(tams: TamsTarget, submission: Submission) -> None:
    """
    The request as a person sees it holds the graph and no credential.
    """
    shown = next(tams.submit(submission)).masked()

    assert "Bearer ***" == shown["headers"]["Authorization"]
    assert submission.key == shown["body"]["requestId"]
    assert "k-secret" not in json.dumps(shown)


def test_large_numbers_keep_their_digits(
    tams: TamsTarget, converse: Any, answer: Any, seed: Any
) -> None:
    """
    Integers beyond 2^53 go out as texts, as a `Struct` would round them; smaller ones as numbers.
    """
    prompt = Prompt.from_json(
        {
            "1": {
                "class_type": "KSampler",
                "inputs": {"seed": 2**64 - 1, "steps": 20, "ckpt_name": 664602165660323756},
            }
        }
    )
    request = next(tams.submit(Submission(prompt, "k")))

    assert {"seed": "18446744073709551615", "steps": 20, "ckpt_name": "664602165660323756"} == (
        json.loads(request.body)["params"]["1"]["inputs"]
    )


def test_properties_and_webhook_go_along(tams: TamsTarget) -> None:
    """
    `properties` of a node and the address for notices are passed on.
    """
    node = {"class_type": "KSampler", "inputs": {}, "properties": {"a": 1}, "other": 2}
    prompt = Prompt.from_json({"1": node})
    options = {"notify_url": "https://me.test/hook"}
    body = json.loads(next(tams.submit(Submission(prompt, "k", options))).body)

    assert {"1": {"classType": "KSampler", "inputs": {}, "properties": {"a": 1}}} == body["params"]
    assert "https://me.test/hook" == body["runningNotifyUrl"]


def test_unknown_option(tams: TamsTarget, submission: Submission) -> None:
    """
    An option that TAMS does not take is refused before anything is sent.
    """
    with pytest.raises(UsageError, match="no option `priority`"):
        tams.submit(replace(submission, options={"priority": "high"}))


def test_recorded_job_is_not_over(seed: Callable[[str], Any]) -> None:
    """
    The recorded answer says RUNNING while all inside is done: nodes and files are told, the end is
    not. Five of eleven nodes are mentioned, no other is told.
    """
    events = _events(seed("tams_created")["job"], seed("tams_running")["job"])

    assert ["JobQueued", "JobStarted", *["NodeFinished"] * 5, "OutputReady", "OutputReady"] == [
        type(event).__name__ for event in events
    ]
    assert ["16", "17", "18", "3", "9"] == [
        event.node_id for event in events if isinstance(event, ev.NodeFinished)
    ]


def test_recorded_files(seed: Callable[[str], Any]) -> None:
    """
    Two images come from one `SaveImage`, with their size, node and id; the name is no URL.
    """
    events = _events(seed("tams_running")["job"])
    files = [event.file for event in events if isinstance(event, ev.OutputReady)]

    assert [
        ("94e1cbc2-871e-44b6-b0ca-79a4f78b38b4", "9", 1024, 1536, "image"),
        ("053dc46e-c432-4f55-9f0d-5c44ce264714", "9", 1024, 1536, "image"),
    ] == [(file.id, file.node_id, file.width, file.height, file.kind) for file in files]
    assert [f"{file.id}.png" for file in files] == [file.name for file in files]
    assert all(file.url.startswith("http://tams-tusi-resource-sig.") for file in files)


def test_nodes_are_told_in_graph_order(seed: Callable[[str], Any]) -> None:
    """
    With the order of the graph at hand, nodes of one answer are told in it.
    """
    tracker = Tracker(JOB, order=("4", "5", "10", "14", "6", "7", "3", "16", "17", "18", "9"))
    events = tracker.feed(read_job(seed("tams_running")["job"]))

    assert ["3", "16", "17", "18", "9"] == [
        event.node_id for event in events if isinstance(event, ev.NodeFinished)
    ]


def test_success_lists_each_file_once(seed: Callable[[str], Any]) -> None:
    """
    `successInfo.images` repeats the images of the nodes under new signatures: no file is told
    twice, the newest address wins, the node stays known, a file only there is added.
    """
    running = seed("tams_running")["job"]
    images = running["runningInfo"]["workflowFinishItem"]["nodes"]["9"]["outputUi"]["images"]
    again = [
        {"id": image["imageResourceId"], "url": image["filename"] + "&again=1", "expiredIn": "3600"}
        for image in images
    ]
    other = {
        "id": "zz",
        "url": "http://b.test/zz.mp4?x=1",
        "meta": {"video": {"width": 8, "height": 6}},
    }
    done = {
        "id": JOB,
        "status": "SUCCESS",
        "credits": "2.4",
        "successInfo": {"images": again, "videos": [other]},
    }
    events = _events(running, done)
    end = events[-1]

    assert isinstance(end, ev.JobSucceeded)
    assert 2.4 == end.cost
    assert [("9", True), ("9", True), (None, False)] == [
        (file.node_id, file.url.endswith("&again=1")) for file in end.files
    ]
    assert ("video", 8, 6) == (end.files[2].kind, end.files[2].width, end.files[2].height)
    assert 3 == sum(isinstance(event, ev.OutputReady) for event in events)


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({"status": "CREATED"}, JobSeen(JobPhase.QUEUED)),
        ({"status": "PENDING"}, JobSeen(JobPhase.QUEUED)),
        ({}, JobSeen(JobPhase.QUEUED)),
        (
            {"status": "WAITING", "waitingInfo": {"queueRank": "3", "queueLen": "17"}},
            JobSeen(JobPhase.QUEUED, 3),
        ),
        ({"status": "WAITING", "waitingInfo": {"queueLen": 17}}, JobSeen(JobPhase.QUEUED, 0)),
        (
            {"status": "WAITING", "waiting_info": {"queue_rank": 3}},
            JobSeen(JobPhase.QUEUED, 3),
        ),
        ({"status": "RUNNING"}, JobSeen(JobPhase.STARTED)),
        ({"runningInfo": {}}, JobSeen(JobPhase.STARTED)),
        ({"status": "SOMETHING_NEW"}, JobSeen(JobPhase.QUEUED)),
    ],
)
def test_states_that_are_no_end(job: dict[str, Any], expected: JobSeen) -> None:
    """
    Each status that is no end, defaults left out, numbers as texts, either spelling.
    """
    assert (expected,) == read_job(job)


def test_steps_of_a_node() -> None:
    """
    `process` is the share of a running node; a whole one is not believed before SUCCESS, one above
    1 is per cent, and a node without it merely runs. `finishedNodes` finishes nodes.
    """
    nodes = {
        "1": {"status": "RUNNING", "process": 0.25},
        "2": {"status": "RUNNING", "process": 1},
        "3": {"status": "RUNNING", "process": 40},
        "4": {"status": "RUNNING"},
        "5": {"status": "INIT"},
        "6": {},
    }
    item = {"status": "RUNNING", "nodes": nodes, "finishedNodes": {"7": True, "8": False}}
    seen = read_job({"status": "RUNNING", "runningInfo": {"workflowFinishItem": item}})

    assert [
        NodeSeen("1", NodeState.STARTED, 0.25, 1.0),
        NodeSeen("2", NodeState.STARTED),
        NodeSeen("3", NodeState.STARTED, 0.4, 1.0),
        NodeSeen("4", NodeState.STARTED),
        NodeSeen("5", NodeState.QUEUED),
        NodeSeen("7", NodeState.FINISHED),
    ] == [claim for claim in seen if isinstance(claim, NodeSeen)]


def test_running_node_of_the_sample() -> None:
    """
    Whole and node progress of a running job become events.
    """
    item = {
        "status": "RUNNING",
        "progress": 0.45,
        "nodes": {
            "5": {"id": "5", "status": "RUNNING", "process": 0.45},
            "6": {"id": "6", "status": "INIT"},
        },
    }

    assert [
        ev.JobStarted(JOB),
        ev.NodeStarted("5"),
        ev.NodeProgress("5", 0.45, 1.0),
        ev.JobProgress(0.45),
    ] == _events({"status": "RUNNING", "runningInfo": {"workflowFinishItem": item}})


@pytest.mark.parametrize(
    ("code", "transient"), [("FATAL_ERROR", False), ("TRANSITORY_ERROR", True)]
)
def test_failed_job_names_its_node(code: str, transient: bool) -> None:
    """
    The reason's node fails with the job; only a transitory error is worth another try.
    """
    info = {"reason": "node 5 KSampler: CUDA\n out of memory", "code": code}
    reason = "node 5 KSampler: CUDA out of memory"

    assert [
        ev.JobStarted(JOB),
        ev.NodeFailed("5", reason),
        ev.JobFailed(JOB, reason, "5", transient),
    ] == _events({"status": "FAILED", "failedInfo": info})


def test_cancelled_job() -> None:
    """
    CANCELED is an end.
    """
    assert [ev.JobCancelled(JOB)] == _events({"status": "CANCELED"})


def test_older_stage_results() -> None:
    """
    Results of the older form, under stages, are files too.
    """
    image = {"resourceImage": {"id": 12345678901234567890, "url": "http://b/o.png"}, "progress": 1}
    seen = read_job(
        {"status": "SUCCESS", "successInfo": {"stages": [{"processingImages": [image]}]}}
    )

    assert ["12345678901234567890"] == [
        claim.file.id for claim in seen if isinstance(claim, FileSeen)
    ]


@pytest.mark.parametrize("job_id", [JOB, int(JOB)])
def test_job_id_keeps_its_digits(
    tams: TamsTarget, submission: Submission, job_id: Any, converse: Any, answer: Any
) -> None:
    """
    The job id is a text, however it is written.
    """
    submitted, _ = converse(tams.submit(submission), answer({"job": {"id": job_id}}))

    assert JOB == submitted.ref.job_id


def test_job_id_as_a_fraction_is_refused(
    tams: TamsTarget, submission: Submission, converse: Any
) -> None:
    """
    An id that went through a double has lost digits and is none.
    """
    with pytest.raises(ProtocolError):
        converse(tams.submit(submission), HttpResponse(200, {}, b'{"job":{"id":6.8e17}}'))


def test_results_are_fetched_without_credentials(tams: TamsTarget, ref: JobRef) -> None:
    """
    A result's address is signed: no credential goes along, not even to the service itself.
    """
    for url in ("http://bucket.test/a.png?Signature=x", "https://tams.test/files/a.png"):
        request = tams.download(ref, ev.OutputFile(url, "a.png"))

        assert (url, {}) == (request.url, request.wire_headers())


def test_expired_address_is_asked_anew(
    tams: TamsTarget, ref: JobRef, converse: Any, answer: Any, seed: Any
) -> None:
    """
    The job's answer has a fresh address for a file; one that is gone is not found.
    """
    running = seed("tams_running")
    file = ev.OutputFile("http://old", "a.png", id="053dc46e-c432-4f55-9f0d-5c44ce264714")
    fresh, _ = converse(tams.refresh(ref, file), answer(running))

    assert "Signature=c2lnbmF0dXJlIHR3bw" in fresh.url
    with pytest.raises(NotFound):
        converse(tams.refresh(ref, ev.OutputFile("http://x", "b.png")), answer(running))


def test_the_fresh_address_is_of_the_same_file(
    tams: TamsTarget, ref: JobRef, converse: Any, answer: Any
) -> None:
    """
    Where addresses differ only in their query, the id says which is a file's own.
    """
    images = [{"id": name, "url": f"http://h/file?key={name}&fresh"} for name in "ab"]
    job = {"job": {"id": JOB, "status": "SUCCESS", "successInfo": {"images": images}}}
    for name in "ab":
        old = ev.OutputFile(f"http://h/file?key={name}", "file", id=name)
        fresh, _ = converse(tams.refresh(ref, old), answer(job))

        assert f"http://h/file?key={name}&fresh" == fresh.url


def test_credentials_are_needed() -> None:
    """
    Without a key, or with an unreadable key file, the target says what to set.
    """
    with pytest.raises(UsageError, match="no credentials"):
        get_target("tams", {})
    with pytest.raises(UsageError, match="cannot read"):
        get_target("tams", {"TAMS_APP_ID": "a", "TAMS_PRIVATE_KEY_FILE": "/nowhere/key.pem"})
