"""
Real frames of a ComfyUI server, lost, repeated, cut, changed and out of order; and the bodies
that the server is sent.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from comfygraph.core.values import Prompt
from comfygraph.targets import get_target
from comfygraph.targets.base import Submission
from comfygraph.targets.comfyui.frames import BLOCKED, ComfyFrameReader
from comfygraph.targets.comfyui.history import read_history
from comfygraph.targets.events import (
    Event,
    JobCancelled,
    JobFailed,
    JobQueued,
    JobStarted,
    JobSucceeded,
    NodeCached,
    NodeFailed,
    NodeFinished,
    NodeProgress,
    NodeStarted,
    Notice,
    OutputReady,
)
from comfygraph.targets.observations import NodeSeen, NodeState, NoticeSeen
from comfygraph.targets.tracker import Tracker

RECORDINGS = Path(__file__).parent.parent / "data" / "comfyui_ws"
NAMES = sorted(path.name.removesuffix(".jsonl.gz") for path in RECORDINGS.glob("*.gz"))
JOBS = [name for name in NAMES if not name.startswith(("queue", "rest_misc"))]
BODY = Draft202012Validator(
    {
        "type": "object",
        "required": ["prompt", "client_id", "prompt_id"],
        "additionalProperties": False,
        "properties": {
            "prompt": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": ["class_type", "inputs"],
                    "properties": {"class_type": {"type": "string"}, "inputs": {"type": "object"}},
                },
            },
            "client_id": {"type": "string", "minLength": 1},
            "prompt_id": {
                "type": "string",
                "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
            },
            "number": {"type": "number"},
            "front": {"const": True},
            "partial_execution_targets": {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"type": "string"},
            },
            "extra_data": {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "properties": {
                    "preview_method": {"enum": ["auto", "latent2rgb", "taesd", "none"]},
                    "extra_pnginfo": {
                        "type": "object",
                        "required": ["workflow"],
                        "properties": {"workflow": {"type": "object"}},
                    },
                    "api_key_comfy_org": {"type": "string", "minLength": 1},
                },
            },
        },
    }
)


def _lines(name: str) -> list[dict[str, Any]]:
    with gzip.open(RECORDINGS / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def _frame(line: dict[str, Any]) -> str | bytes:
    if line["kind"] == "ws_json":
        return json.dumps(line["msg"])
    head = int(line["event"]).to_bytes(4, "big")
    picture = b"\xff\xd8" + bytes(8)
    if line["event"] == 1:
        return head + int(line["image_type"]).to_bytes(4, "big") + picture
    first = (line["node_id"] if line["event"] == 3 else json.dumps(line["metadata"])).encode()
    rest = line["text"].encode() if line["event"] == 3 else picture
    return head + len(first).to_bytes(4, "big") + first + rest


def _recorded(name: str) -> tuple[str, list[str | bytes]]:
    lines = _lines(name)
    job = next(line for line in lines if line.get("path") == "/prompt")
    frames = [_frame(line) for line in lines if line["kind"] in ("ws_json", "ws_binary")]
    return job["response"]["prompt_id"], frames


FRAMES = {name: _recorded(name) for name in JOBS}
HISTORIES = {
    name: entry
    for name in JOBS
    for line in _lines(name)
    if (entry := (line.get("response") or {}).get(FRAMES[name][0]))
    and str(line.get("path", "")).startswith("/history/")
}


def _goes_forward(events: Sequence[Event]) -> None:
    """
    Fail where a story does not move forward.
    """
    started: set[str] = set()
    over: set[str] = set()
    shares: dict[str, float] = {}
    files: set[str | None] = set()
    for place, event in enumerate(events):
        match event:
            case JobQueued():
                assert not any(isinstance(it, JobStarted) for it in events[:place])
            case NodeStarted(node_id=node):
                assert node not in started | over
                started.add(node)
            case NodeProgress(node_id=node, value=value, max=maximum):
                assert node in started - over
                assert shares.get(node, 0.0) < value / maximum <= 1.0
                shares[node] = value / maximum
            case NodeFinished(node_id=node) | NodeCached(node_id=node) | NodeFailed(node_id=node):
                assert node not in over
                over.add(node)
            case OutputReady(file=file):
                assert file.id not in files
                files.add(file.id)
            case JobSucceeded() | JobFailed() | JobCancelled():
                assert event is events[-1]
            case _:
                pass


def test_every_recording_is_read() -> None:
    """
    All fifteen recordings are here; each job has a golden list of its events.
    """
    golden = {path.name.removesuffix(".events.jsonl") for path in RECORDINGS.glob("*.events.jsonl")}

    assert 15 == len(NAMES)
    assert set(JOBS) | {"queue_1c68", "queue_c7de", "queue_cce4"} == golden


@settings(max_examples=150)
@given(data=st.data())
def test_any_order_of_real_frames(data: st.DataObject) -> None:
    """
    With frames of a real run lost, repeated and in any order, and the history at any time or
    never, the story only moves forward, and it ends as the recorded one did, or not at all.
    """
    name = data.draw(st.sampled_from(JOBS))
    prompt_id, frames = FRAMES[name]
    chosen = data.draw(st.lists(st.integers(0, len(frames) - 1), max_size=60))
    if data.draw(st.booleans()):
        chosen.sort()
    reader, tracker = ComfyFrameReader(prompt_id), Tracker(prompt_id, previews=True)
    events = [event for place in chosen for event in tracker.feed(reader.feed(frames[place]))]
    _goes_forward(events)
    assert tracker.end is None

    if name in HISTORIES:
        events += tracker.feed(read_history(HISTORIES[name], prompt_id))
        events += [event for place in chosen for event in tracker.feed(reader.feed(frames[place]))]
        golden = (RECORDINGS / f"{name}.events.jsonl").read_text().splitlines()[-1]
        _goes_forward(events)
        assert json.loads(golden)["type"] == type(events[-1]).__name__


@settings(max_examples=200)
@given(data=st.data())
def test_damaged_frames(data: st.DataObject) -> None:
    """
    Frames that are cut, or have bytes changed, raise nothing, end nothing, and turn nothing back.
    """
    name = data.draw(st.sampled_from(JOBS))
    prompt_id, frames = FRAMES[name]
    reader, tracker = ComfyFrameReader(prompt_id), Tracker(prompt_id, previews=True)
    events: list[Event] = []
    first = data.draw(st.integers(0, len(frames) - 1))
    for frame in frames[first : first + 25]:
        raw = bytearray(frame.encode() if isinstance(frame, str) else frame)
        for _ in range(data.draw(st.integers(0, 2))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        del raw[data.draw(st.integers(0, len(raw))) if data.draw(st.booleans()) else len(raw) :]
        damaged = raw.decode(errors="replace") if isinstance(frame, str) else bytes(raw)
        events += tracker.feed(reader.feed(damaged))

    _goes_forward(events)
    assert tracker.end is None


@pytest.mark.parametrize("name", sorted(HISTORIES))
def test_reconnect_misses_nothing(name: str) -> None:
    """
    A socket that breaks after any message: what the second one and the history tell is, together
    with the first, every failure, every file and the end of the job. Only a blocked node is not
    told of again: the server's history does not keep it.
    """
    prompt_id, frames = FRAMES[name]
    golden = [
        json.loads(line) for line in (RECORDINGS / f"{name}.events.jsonl").read_text().splitlines()
    ]
    ends = ("NodeFailed", "OutputReady", "JobSucceeded", "JobFailed", "JobCancelled")
    wanted = {
        _key(event)
        for event in golden
        if event["type"] in ends and event.get("exception_type") != BLOCKED
    }
    for broken in range(0, len(frames), 3):
        tracker = Tracker(prompt_id, previews=True)
        events: list[Event] = []
        for part in (frames[:broken], frames[broken + 4 :]):
            reader = ComfyFrameReader(prompt_id)
            events += [event for frame in part for event in tracker.feed(reader.feed(frame))]
        events += tracker.feed(read_history(HISTORIES[name], prompt_id))
        told = {_key({"type": type(event).__name__, **_fields(event)}) for event in events}

        _goes_forward(events)
        assert set() == wanted - told


def _key(event: dict[str, Any]) -> str:
    file = event.get("file") or {}
    return f"{event['type']} {event.get('node_id')} {file.get('id')}"


def _fields(event: Event) -> dict[str, Any]:
    match event:
        case OutputReady(file=file):
            return {"file": {"id": file.id}}
        case JobFailed(node_id=node_id) | NodeFailed(node_id=node_id):
            return {"node_id": node_id}
        case _:
            return {}


TRACE = [
    '  File "/opt/ComfyUI/execution.py", line 545, in execute\n    await x()\n',
    '  File "/opt/ComfyUI/custom_nodes/my-pack/nodes.py", line 7, in run\n    go()\n',
    '  File "/usr/lib/python3/site-packages/torch/nn/conv.py", line 9, in forward\n',
]
OWN = "custom_nodes/my-pack/nodes.py:7 in run"


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (TRACE, "raised at torch/nn/conv.py:9 in forward, called from " + OWN),
        (TRACE[:2], f"raised at {OWN}"),
        (TRACE[:1], "raised at execution.py:545 in execute"),
        (['  File "C:\\ComfyUI\\nodes.py", line 3, in f\n'], "raised at nodes.py:3 in f"),
        (['  File "/x/y/z.py", line 3, in f\n', None, 7, "gibberish"], "raised at y/z.py:3 in f"),
    ],
)
def test_traceback_is_shortened(trace: list[Any], expected: str) -> None:
    """
    Of a traceback, the last frame and the node's own are told.
    """
    data = {"prompt_id": "p", "node_id": "3", "exception_message": "m", "traceback": trace}
    frame = json.dumps({"type": "execution_error", "data": data})

    assert NoticeSeen(expected, "3") == ComfyFrameReader("p").feed(frame)[-1]


@pytest.mark.parametrize("trace", [None, [], ["gibberish"], {"a": 1}, "text"])
def test_no_traceback(trace: Any) -> None:
    """
    Without a readable traceback there is only the failure.
    """
    data = {"prompt_id": "p", "node_id": "3", "exception_message": "m", "traceback": trace}
    frame = json.dumps({"type": "execution_error", "data": data})

    assert 1 == len(ComfyFrameReader("p").feed(frame))


@settings(max_examples=100)
@given(
    key=st.uuids().map(str) | st.text(max_size=20),
    previews=st.sampled_from([None, False, True, "taesd"]),
    front=st.sampled_from([None, False, True]),
    number=st.none() | st.integers(-5, 5) | st.floats(-1, 1),
    workflow=st.sampled_from([None, {"nodes": []}]),
    partial=st.sampled_from([(), ("9",), ("9", "3:4")]),
    api_key=st.sampled_from(["", "comfyui-key"]),
)
def test_bodies(
    key: str,
    previews: Any,
    front: bool | None,
    number: float | None,
    workflow: Any,
    partial: tuple[str, ...],
    api_key: str,
) -> None:
    """
    Whatever is asked for, the body of a submit is one that the server reads.
    """
    prompt = Prompt.from_json({"9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}}})
    wanted = {"previews": previews, "front": front, "number": number, "workflow": workflow}
    options = {name: value for name, value in wanted.items() if value is not None}
    target = get_target("comfyui", {"COMFY_API_KEY": api_key})
    request = next(target.submit(Submission(prompt, key, options, partial)))

    assert [] == [error.message for error in BODY.iter_errors(json.loads(request.body))]


def test_text_of_another_job() -> None:
    """
    Text progress goes to everybody and names no job: it is ours only from the node that runs.
    """
    frame = (3).to_bytes(4, "big") + (1).to_bytes(4, "big") + b"3" + b"half way"
    running = {"type": "executing", "data": {"node": "3", "display_node": "3", "prompt_id": "p"}}
    reader, tracker = ComfyFrameReader("p"), Tracker("p")
    before = tracker.feed(reader.feed(frame))
    tracker.feed(reader.feed(json.dumps(running)))

    assert [] == before
    assert [Notice("half way", "3")] == tracker.feed(reader.feed(frame))


def test_text_of_an_expanded_node() -> None:
    """
    Text of a node that a node has expanded into is told as of the node of the graph.
    """
    inner = {"node": "3.0.0.1", "display_node": "3", "prompt_id": "p"}
    frame = (3).to_bytes(4, "big") + (7).to_bytes(4, "big") + b"3.0.0.1half way"
    reader, tracker = ComfyFrameReader("p"), Tracker("p")
    tracker.feed(reader.feed(json.dumps({"type": "executing", "data": inner})))

    assert [Notice("half way", "3")] == tracker.feed(reader.feed(frame))


def test_previews_of_another_job() -> None:
    """
    A preview without metadata names no job, and those of a job without client go to everybody: it
    is ours only while a node of ours runs.
    """
    frame = b"\0\0\0\x01\0\0\0\x01\xff\xd8"
    reader = ComfyFrameReader("p")
    told = []
    for node in ("3", None):
        told.append(len(reader.feed(frame)))
        data = {"node": node, "display_node": node, "prompt_id": "p"}
        reader.feed(json.dumps({"type": "executing", "data": data}))
        told.append(len(reader.feed(frame)))

    assert [0, 1, 1, 0] == told


def test_inner_nodes_without_their_graph_node() -> None:
    """
    Where the server does not say which node of the graph an inner one stands for, its id does.
    """
    entry = {"value": 1, "max": 2, "state": "running"}
    data = {"prompt_id": "p", "nodes": {"3.0.0.1": entry}}
    frame = json.dumps({"type": "progress_state", "data": data})

    assert (NodeSeen("3", NodeState.STARTED),) == ComfyFrameReader("p").feed(frame)
