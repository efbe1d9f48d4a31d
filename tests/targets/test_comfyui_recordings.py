"""
Recordings of a real server (ComfyUI 0.33.0), read to exact lists of events.

A recording holds what went over the websocket and over HTTP in the order of time; previews are
recorded without their pixels. `pytest --update` rewrites the golden lists.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comfygraph.core.values import Prompt
from comfygraph.targets import get_target
from comfygraph.targets.base import JobRef, Submission
from comfygraph.targets.comfyui import ComfyUITarget
from comfygraph.targets.comfyui.frames import ComfyFrameReader
from comfygraph.targets.comfyui.history import read_history
from comfygraph.targets.events import Event, NodePreview, OutputReady, event_to_json
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.observations import Observation
from comfygraph.targets.tracker import Tracker

RECORDINGS = Path(__file__).parent.parent / "data" / "comfyui_ws"
SINGLE = sorted(
    path.name.removesuffix(".jsonl.gz")
    for path in RECORDINGS.glob("*.gz")
    if not path.name.startswith(("queue", "rest_misc"))
)
QUEUED = {
    "c7de707e-0cf2-4db9-b6de-c3bdc3d468f6": "A",
    "cce42c77-2f04-4dd6-af83-254e53cd6971": "B",
    "1c686b1d-c679-4109-9571-feca91cdcef9": "B",
}


def _lines(name: str) -> list[dict[str, Any]]:
    with gzip.open(RECORDINGS / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def _frame(line: dict[str, Any]) -> str | bytes:
    if line["kind"] == "ws_json":
        return json.dumps(line["msg"])
    head = line["event"].to_bytes(4, "big")
    if line["event"] == 3:
        node = line["node_id"].encode()
        return head + len(node).to_bytes(4, "big") + node + line["text"].encode()
    if line["event"] == 1:
        return head + line["image_type"].to_bytes(4, "big") + b"\xff\xd8" + bytes(8)
    metadata = json.dumps(line["metadata"]).encode()
    return head + len(metadata).to_bytes(4, "big") + metadata + b"\xff\xd8" + bytes(8)


def _target() -> ComfyUITarget:
    target = get_target("comfyui")
    assert isinstance(target, ComfyUITarget)
    return target


def _ref(prompt_id: str) -> JobRef:
    return JobRef("comfyui", "http://127.0.0.1:8188", prompt_id, prompt_id)


def _claims(name: str, converse: Callable[..., Any]) -> Iterator[tuple[str, list[Observation]]]:
    target = _target()
    reader = ComfyFrameReader("")
    ref = _ref("")
    for line in _lines(name):
        if line["kind"].startswith("ws_") and line["kind"] not in ("ws_open", "ws_send"):
            yield "stream", list(reader.feed(_frame(line)))
        elif line.get("path") == "/prompt" and line["method"] == "POST":
            body = line["body"]
            submission = Submission(Prompt.from_json(body["prompt"]), line["response"]["prompt_id"])
            answer = HttpResponse(200, {}, json.dumps(line["response"]).encode())
            submitted, _ = converse(target.submit(submission), answer)
            ref = submitted.ref
            reader = ComfyFrameReader(ref.job_id)
            yield "submit", list(submitted.observations)
        elif line.get("path") == f"/history/{ref.job_id}":
            answer = HttpResponse(200, {}, json.dumps(line["response"]).encode())
            polled, _ = converse(target.poll(ref), answer)
            yield "poll", list(polled.observations)


def _story(name: str, converse: Callable[..., Any], sources: set[str]) -> list[Event]:
    job = next(line for line in _lines(name) if line.get("path") == "/prompt")
    tracker = Tracker(job["response"]["prompt_id"], previews=True)
    return [
        event
        for source, claims in _claims(name, converse)
        if source in sources
        for event in tracker.feed(claims)
    ]


def _written(events: list[Event]) -> str:
    return "".join(f"{json.dumps(event_to_json(event))}\n" for event in events)


def _compare(golden: Path, events: list[Event], update: bool) -> None:
    if update:
        golden.write_text(_written(events))

    assert golden.read_text() == _written(events)


@pytest.mark.parametrize("name", SINGLE)
def test_recording(name: str, converse: Any, request: pytest.FixtureRequest) -> None:
    """
    A recorded job, followed over websocket and history, gives exactly these events.
    """
    events = _story(name, converse, {"submit", "stream", "poll"})

    _compare(RECORDINGS / f"{name}.events.jsonl", events, request.config.getoption("--update"))


@pytest.mark.parametrize("name", SINGLE)
def test_history_alone_tells_the_same_end(name: str, converse: Any) -> None:
    """
    Without a websocket the end and the files are the same.
    """
    live = _story(name, converse, {"submit", "stream", "poll"})
    polled = _story(name, converse, {"submit", "poll"})
    told = {
        source: {event.file.id for event in events if isinstance(event, OutputReady)}
        for source, events in (("live", live), ("polled", polled))
    }

    assert told["live"] == told["polled"]
    assert type(live[-1]) is type(polled[-1])


@pytest.mark.parametrize("name", SINGLE)
def test_websocket_alone_never_ends_a_job(name: str, converse: Any) -> None:
    """
    The stream informs, the poll decides: without the poll there is no end, and with a dropped
    frame nothing that was told is different.
    """
    live = _story(name, converse, {"submit", "stream"})
    whole = _story(name, converse, {"submit", "stream", "poll"})

    assert live == whole[: len(live)]
    assert all(event.__class__.__name__ not in ("JobSucceeded", "JobFailed") for event in live)


@pytest.mark.parametrize("prompt_id", QUEUED)
def test_jobs_sharing_a_server(
    prompt_id: str, converse: Any, request: pytest.FixtureRequest
) -> None:
    """
    Three jobs of two clients, one deleted, one interrupted, one socket opened anew: each job's
    events are its own. This server's `progress_state` was left out of the recording, as older
    servers have none.
    """
    target, ref, client = _target(), _ref(prompt_id), QUEUED[prompt_id]
    tracker, reader = Tracker(prompt_id), ComfyFrameReader(prompt_id)
    events: list[Event] = []
    for line in _lines("queue"):
        if line["kind"] == "ws_json" and line["client"].startswith(client):
            events += tracker.feed(reader.feed(_frame(line)))
        elif line.get("path") == "/queue" and line["method"] == "GET":
            queue = HttpResponse(200, {}, json.dumps(line["response"]).encode())
            gone = not any(prompt_id in str(item) for item in line["response"].values())
            if not gone:
                empty = HttpResponse(200, {}, b"{}")
                polled, _ = converse(target.poll(ref), empty, queue)
                events += tracker.feed(polled.observations)
        elif line["kind"] == "history" and line["id"] == prompt_id:
            events += tracker.feed(read_history(line, prompt_id))

    golden = RECORDINGS / f"queue_{prompt_id[:4]}.events.jsonl"
    _compare(golden, events, request.config.getoption("--update"))


def test_previews_name_their_node(converse: Any) -> None:
    """
    Pictures without metadata belong to the node that runs, those with metadata say theirs.
    """
    for name in ("sd15_preview_nofeatures", "sd15_partial_cache_preview_features"):
        events = _story(name, converse, {"submit", "stream"})
        shown = [event for event in events if isinstance(event, NodePreview)]

        assert [("3", "image/jpeg")] * 3 == [(event.node_id, event.media_type) for event in shown]
