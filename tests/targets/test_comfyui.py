"""
A ComfyUI server: what is sent, partial acceptance, cancel by state, files.
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
    UsageError,
)
from comfygraph.targets import get_target, target_names
from comfygraph.targets.base import CancelAnswer, JobRef, Submission
from comfygraph.targets.comfyui import ComfyUITarget
from comfygraph.targets.comfyui.frames import ComfyFrameReader
from comfygraph.targets.comfyui.target import prompt_id_for
from comfygraph.targets.events import OutputFile
from comfygraph.targets.http import HttpResponse, Resend
from comfygraph.targets.observations import (
    JobEnded,
    JobPhase,
    JobSeen,
    NodeSeen,
    NodeState,
    NoticeSeen,
    Outcome,
    PollNow,
    PreviewSeen,
)

BASE = "http://127.0.0.1:8188"
ID = "0b8c6f0a-4f5e-4a7f-9a3d-7a0c5a2a9d11"
EMPTY_QUEUE = {"queue_running": [], "queue_pending": []}
RUNNING = {"queue_running": [[1, ID, {}, {}, []]], "queue_pending": []}
PENDING = {"queue_running": [], "queue_pending": [[5, "x", {}, {}, []], [-1.5, ID, {}, {}, []]]}
DONE = {ID: {"status": {"messages": [["execution_success", {"prompt_id": ID}]]}, "outputs": {}}}
OK = HttpResponse(200)


@pytest.fixture
def server() -> ComfyUITarget:
    """
    Give a server without a proxy.
    """
    target = get_target("comfyui")
    assert isinstance(target, ComfyUITarget)
    return target


@pytest.fixture
def ref() -> JobRef:
    """
    Give the reference of a job.
    """
    return JobRef("comfyui", BASE, ID, ID, extra={"client_id": ID})


def test_registry_names() -> None:
    """
    Five targets can be had; the emulator is the ComfyUI dialect at a given address.
    """
    emulator = get_target("emulator", {"COMFYUI_URL": "http://127.0.0.1:9/"})

    assert ("civitai", "comfyapi", "comfyui", "emulator", "tams") == target_names()
    assert ("emulator", "http://127.0.0.1:9") == (emulator.name, emulator.base_url)
    with pytest.raises(UsageError, match="no target `comfy`"):
        get_target("comfy")


def test_submit_body(
    server: ComfyUITarget, submission: Submission, seed_prompt: Prompt, converse: Any, answer: Any
) -> None:
    """
    The graph goes out as it is, with a job id and a client id of ours; it is never sent again.
    """
    taken = answer({"prompt_id": ID, "number": 4, "node_errors": {}})
    submitted, [request] = converse(server.submit(submission), taken)

    assert ("POST", f"{BASE}/prompt") == (request.method, request.url)
    assert {
        "prompt": seed_prompt.to_json(),
        "client_id": ID,
        "prompt_id": ID,
    } == json.loads(request.body)
    assert Resend.NEVER is request.resend
    assert (ID, (JobSeen(JobPhase.QUEUED),)) == (submitted.ref.job_id, submitted.observations)
    assert submitted.ref == server.reference(submission)


def test_submit_options(server: ComfyUITarget, submission: Submission) -> None:
    """
    Previews, place in the queue, the editor's document and a part of the outputs are passed on.
    """
    options = {"previews": True, "front": True, "number": 3, "workflow": {"nodes": []}}
    asked = replace(submission, options=options, partial_targets=("9",))
    body = json.loads(next(server.submit(asked)).body)

    assert {
        "extra_data": {"preview_method": "auto", "extra_pnginfo": {"workflow": {"nodes": []}}},
        "front": True,
        "number": 3,
        "partial_execution_targets": ["9"],
    } == {key: value for key, value in body.items() if key not in ("prompt", *_IDS)}
    with pytest.raises(UsageError, match="no option `tags`"):
        server.submit(replace(submission, options={"tags": []}))


_IDS = ("client_id", "prompt_id")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"number": "abc"}, "`number` takes a number, not `abc`"),
        ({"number": [1]}, "`number` takes a number"),
        ({"front": "no"}, "`front` takes true or false, not `no`"),
    ],
)
def test_options_that_the_server_would_misread(
    server: ComfyUITarget, submission: Submission, option: dict[str, Any], said: str
) -> None:
    """
    The server stumbles over a number that is none and takes any text for true: both are refused
    before anything is sent.
    """
    with pytest.raises(UsageError, match=said):
        server.submit(replace(submission, options=option))


def test_account_key_is_sent_and_never_shown(submission: Submission) -> None:
    """
    The key for API nodes travels in the body and is blotted out where a person looks.
    """
    target = get_target("comfyui", {"COMFY_API_KEY": "comfyui-s3cret"})
    request = next(target.submit(submission))

    assert "comfyui-s3cret" == json.loads(request.body)["extra_data"]["api_key_comfy_org"]
    assert "***" == request.masked()["body"]["extra_data"]["api_key_comfy_org"]
    assert "s3cret" not in f"{request!r} {json.dumps(request.masked())}"


def test_password_in_the_address_becomes_a_header(submission: Submission) -> None:
    """
    User and password of the address go into a header, to this origin alone, and nowhere else.
    """
    target = get_target("comfyui", {"COMFYUI_URL": "http://me:p%40ss@box.test:81/comfy/"})
    request = next(target.submit(submission))
    stream = target.stream(target.reference(submission))
    elsewhere = target.download(target.reference(submission), OutputFile("https://cdn.test/a", "a"))

    assert "http://box.test:81/comfy/prompt" == request.url
    assert "Basic bWU6cEBzcw==" == request.wire_headers()["Authorization"]
    assert "Authorization" not in elsewhere.wire_headers()
    assert stream is not None
    assert f"ws://box.test:81/comfy/ws?clientId={ID}" == stream.request.url
    assert "Basic bWU6cEBzcw==" == stream.request.wire_headers()["Authorization"]
    assert "p@ss" not in repr(target.reference(submission).to_json())


@pytest.mark.parametrize("key", ["run-7", "0B8C6F0A-4F5E-4A7F-9A3D-7A0C5A2A9D11", ""])
def test_keys_that_are_no_job_ids(key: str) -> None:
    """
    The server takes only lower-case hyphenated UUIDs: another key gives the same one each time.
    """
    made = prompt_id_for(key)

    assert made == prompt_id_for(key) != key
    assert prompt_id_for(made) == made


def test_partial_acceptance_is_told(
    server: ComfyUITarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    A server that takes a graph of which one branch is invalid says so with 200; it is told.
    """
    error = {
        "type": "value_bigger_than_max",
        "message": "Value 20000 bigger than max of 10000",
        "details": "steps",
        "extra_info": {"input_name": "steps"},
    }
    errors = {"17": {"errors": [error], "dependent_outputs": ["9"], "class_type": "KSampler"}}
    taken = answer({"prompt_id": ID, "number": 4, "node_errors": errors})
    submitted, _ = converse(server.submit(submission), taken)

    assert (
        JobSeen(JobPhase.QUEUED),
        NoticeSeen("left out by the server: `steps`: Value 20000 bigger than max of 10000", "17"),
    ) == submitted.observations


def test_older_server_chooses_the_id(
    server: ComfyUITarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    A server that ignores our id answers with its own, which the reference then has.
    """
    submitted, _ = converse(
        server.submit(submission), answer({"prompt_id": "other", "number": 1, "node_errors": []})
    )

    assert "other" == submitted.ref.job_id


def test_poll_looks_into_history_then_queue(
    server: ComfyUITarget, ref: JobRef, converse: Any, answer: Any
) -> None:
    """
    A finished job takes one request, a waiting one two; its place counts lower numbers, not order.
    """
    done, first = converse(server.poll(ref), answer(DONE))
    waiting, both = converse(server.poll(ref), answer({}), answer(PENDING))
    running, _ = converse(server.poll(ref), answer({}), answer(RUNNING))

    assert (JobEnded(Outcome.SUCCEEDED),) == done.observations
    assert [f"{BASE}/history/{ID}"] == [request.url for request in first]
    assert [f"{BASE}/history/{ID}", f"{BASE}/queue"] == [request.url for request in both]
    assert (JobSeen(JobPhase.QUEUED, 0),) == waiting.observations
    assert (JobSeen(JobPhase.STARTED),) == running.observations


def test_job_that_ends_between_two_looks(
    server: ComfyUITarget, ref: JobRef, converse: Any, answer: Any
) -> None:
    """
    A job that leaves the queue just before we look is found in the history after all; one in
    neither is gone.
    """
    late, _ = converse(server.poll(ref), answer({}), answer(EMPTY_QUEUE), answer(DONE))

    assert (JobEnded(Outcome.SUCCEEDED),) == late.observations
    with pytest.raises(NotFound):
        converse(server.poll(ref), answer({}), answer(EMPTY_QUEUE), answer({}))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"status_str": "success", "messages": []}, JobEnded(Outcome.SUCCEEDED)),
        ({"status_str": "error", "messages": []}, JobEnded(Outcome.FAILED)),
        (None, JobEnded(Outcome.SUCCEEDED)),
    ],
)
def test_history_without_messages(
    server: ComfyUITarget,
    ref: JobRef,
    status: Any,
    expected: JobEnded,
    converse: Any,
    answer: Any,
) -> None:
    """
    Only where there are no messages is `status_str` believed.
    """
    polled, _ = converse(server.poll(ref), answer({ID: {"status": status, "outputs": {}}}))

    assert expected == polled.observations[-1]


Steps = list[tuple[Any, str]]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (
            [(PENDING, "/queue"), (OK, "/queue"), (EMPTY_QUEUE, "/queue"), ({}, f"/history/{ID}")],
            CancelAnswer(True, (JobEnded(Outcome.CANCELLED),)),
        ),
        ([(RUNNING, "/queue"), (OK, "/interrupt")], CancelAnswer(accepted=True)),
        (
            [(PENDING, "/queue"), (OK, "/queue"), (RUNNING, "/queue"), (OK, "/interrupt")],
            CancelAnswer(accepted=True),
        ),
        (
            [(EMPTY_QUEUE, "/queue"), (DONE, f"/history/{ID}")],
            CancelAnswer(False, (JobEnded(Outcome.SUCCEEDED),)),
        ),
        ([(EMPTY_QUEUE, "/queue"), ({}, f"/history/{ID}")], CancelAnswer(accepted=False)),
    ],
    ids=["waiting", "running", "begins meanwhile", "done", "unknown"],
)
def test_cancel_by_state(
    server: ComfyUITarget,
    ref: JobRef,
    steps: Steps,
    expected: CancelAnswer,
    converse: Any,
    answer: Callable[..., HttpResponse],
) -> None:
    """
    A waiting job is deleted from the queue, a running one interrupted by its id, one that is over
    is left alone.
    """
    answers = [it if isinstance(it, HttpResponse) else answer(it) for it, _ in steps]
    cancelled, requests = converse(server.cancel(ref), *answers)
    bodies = [json.loads(request.body) for request in requests if request.method == "POST"]

    assert expected == cancelled
    assert [path for _, path in steps] == [request.url.removeprefix(BASE) for request in requests]
    assert all(body in ({"delete": [ID]}, {"prompt_id": ID}) for body in bodies)


def test_find_by_key(server: ComfyUITarget, ref: JobRef, converse: Any, answer: Any) -> None:
    """
    A job whose submit was not answered is looked for in queue and history.
    """
    waiting, _ = converse(server.find(ref), answer(PENDING))
    done, _ = converse(server.find(ref), answer(EMPTY_QUEUE), answer(DONE))
    nowhere, _ = converse(server.find(ref), answer(EMPTY_QUEUE), answer({}))

    assert (ref, ref, None) == (waiting, done, nowhere)


def test_catalog_requests(server: ComfyUITarget, converse: Any, answer: Any) -> None:
    """
    `/object_info` is fetched whole or for one class.
    """
    whole, [everything] = converse(server.catalog(), answer({"A": {}}))
    _, [one] = converse(server.catalog("a/b"), answer({}))

    assert {"A": {}} == whole
    assert [f"{BASE}/object_info", f"{BASE}/object_info/a%2Fb"] == [everything.url, one.url]


def test_file_address(server: ComfyUITarget, ref: JobRef, converse: Any, answer: Any) -> None:
    """
    Odd file names survive the way into the address; files that are no output are previews.
    """
    images = [
        {"filename": "a b&c.png", "subfolder": "x/y", "type": "output"},
        {"filename": "t.mp4", "subfolder": "", "type": "temp"},
        {"name": "no file"},
        "text",
    ]
    entry = {"outputs": {"9": {"images": images, "text": ["hello"]}, "8": None}}
    polled, _ = converse(server.poll(ref), answer({ID: entry}))
    files = [seen.file for seen in polled.observations if hasattr(seen, "file")]

    assert [
        ("/view?filename=a+b%26c.png&subfolder=x%2Fy&type=output", "image", False),
        ("/view?filename=t.mp4&subfolder=&type=temp", "video", True),
    ] == [(file.url, file.kind, file.preview) for file in files]
    assert f"{BASE}{files[0].url}" == server.download(ref, files[0]).url


def test_frames_of_others_claim_nothing() -> None:
    """
    Broadcast frames of another job, and frames that cannot be read, claim nothing.
    """
    reader = ComfyFrameReader(ID)
    other = {"prompt_id": "other", "node": "3", "nodes": {"3": {"state": "running"}}}
    frames: list[str | bytes] = [
        json.dumps({"type": kind, "data": other})
        for kind in ("executing", "progress_state", "progress", "executed", "execution_error")
    ]
    frames += ["", "[]", "{", "null", '{"type": 3}', b"", b"\0\0\0\x01", b"\0\0\0\x63abcdefgh"]
    frames += [b"\0\0\0\x04\xff\xff\xff\xff{}", b"\0\0\0\x03\0\0\0\x012hello", "[" * 100_000]

    assert [()] * len(frames) == [reader.feed(frame) for frame in frames]


def test_frames_of_reconnect() -> None:
    """
    After a reconnect the server names the running node without a job; a node inside an expanded
    one stands for it; the last `executing` asks for a poll.
    """
    reader = ComfyFrameReader(ID)

    assert [
        (NodeSeen("3", NodeState.STARTED),),
        (PollNow(),),
    ] == [
        reader.feed(json.dumps({"type": "executing", "data": data}))
        for data in ({"node": "3.0.0.1"}, {"node": None, "prompt_id": ID})
    ]


def test_png_preview() -> None:
    """
    A preview without metadata belongs to the node at work, and says its own type.
    """
    reader = ComfyFrameReader(ID)
    reader.feed(json.dumps({"type": "executing", "data": {"node": "7", "prompt_id": ID}}))

    assert (PreviewSeen("7", b"\x89PNG", "image/png"),) == reader.feed(
        b"\0\0\0\x01\0\0\0\x02\x89PNG"
    )
