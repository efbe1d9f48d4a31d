"""
Civitai: the trace of a run, read live and in pieces, and how polls go along with it.
"""

from __future__ import annotations

import gzip
import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygraph.targets import events as ev
from comfygraph.targets.base import JobRef
from comfygraph.targets.civitai import CivitaiTarget
from comfygraph.targets.civitai.trace import LONGEST_FRAME, Frames, Trace
from comfygraph.targets.events import Event
from comfygraph.targets.http import Secret, bearer
from comfygraph.targets.observations import (
    CostSeen,
    JobEnded,
    NodeSeen,
    NodeState,
    NoticeSeen,
    Observation,
    Outcome,
    PollNow,
    PreviewSeen,
    ProgressSeen,
)
from comfygraph.targets.tracker import Tracker

DATA = Path(__file__).parent.parent / "data" / "comfyui_ws"
BASE = "https://orchestration.civitai.com"
JOB = "1234567-20261002101530123"
URL = f"{BASE}/v2/consumer/streaming-blobs/k.bin?sig=x"
REF = JobRef("civitai", BASE, JOB, "k")


def _frame(opcode: int, payload: bytes, direction: int = 0) -> bytes:
    return struct.pack(">qBBI", 1_700_000_000_000, direction, opcode, len(payload)) + payload


def _message(kind: str, **data: Any) -> bytes:
    body = {"type": kind, "data": {"prompt_id": "worker", **data}}
    return _frame(1, json.dumps(body).encode())


def _recorded(name: str) -> bytes:
    """
    What a worker would trace of a recorded run of a real ComfyUI.
    """
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    return b"".join(
        _frame(1, json.dumps(line["msg"]).encode()) for line in lines if line["kind"] == "ws_json"
    )


RUN = b"".join(
    [
        _message("execution_start"),
        _message("execution_cached", nodes=["4"]),
        _message("executing", node="3"),
        _message("progress", node="3", value=1, max=2),
        _frame(2, b"\xff\xd8jpeg"),
        _message("progress", node="3", value=2, max=2),
        _message("executing", node="9"),
        _frame(2, b"\x89PNGpng"),
        _message(
            "executed", node="9", output={"images": [{"filename": "w.png", "type": "output"}]}
        ),
        _message("execution_success"),
    ]
)
TOLD: list[Event] = [
    ev.JobStarted(JOB),
    ev.NodeCached("4"),
    ev.NodeStarted("3"),
    ev.NodeProgress("3", 1, 2),
    ev.NodeProgress("3", 2, 2),
    ev.NodeFinished("3"),
    ev.NodeStarted("9"),
    ev.NodeFinished("9"),
]


def _events(pieces: list[bytes], trace: Trace | None = None) -> list[Event]:
    reader = (trace or Trace()).reader()
    tracker = Tracker(JOB)
    return [event for piece in pieces for event in tracker.feed(reader.feed(piece))]


def _cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def test_trace_tells_nodes_and_no_files() -> None:
    """
    Nodes are told as the worker runs them; its files, which nobody can fetch, are not.
    """
    trace = Trace()
    seen = trace.reader().feed(RUN)
    previews = [it for it in seen if isinstance(it, PreviewSeen)]

    assert TOLD == Tracker(JOB).feed(seen)
    assert [("3", b"\xff\xd8jpeg", "image/jpeg"), ("9", b"\x89PNGpng", "image/png")] == [
        (it.node_id, it.image, it.media_type) for it in previews
    ]
    assert PollNow() == seen[-1]
    assert (True, True, len(RUN)) == (trace.finished, trace.tells_nodes, trace.received)


@given(places=st.lists(st.integers(0, 10_000), max_size=40))
def test_frames_may_be_cut_anywhere(places: list[int]) -> None:
    """
    However the stream is cut, the same is told.
    """
    assert TOLD == _events(_cut(RUN, places))


@settings(max_examples=60)
@given(
    name=st.sampled_from(["simple", "sd15", "expand", "blocked"]),
    places=st.lists(st.integers(0, 10**6), max_size=30),
)
def test_recorded_runs_in_pieces(name: str, places: list[int]) -> None:
    """
    A real run, in whatever pieces, is told as it is in one.
    """
    data = _recorded(name)

    assert _events([data]) == _events(_cut(data, places)) != []


@given(breaks=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 50)), max_size=5))
def test_broken_stream_repeats_nothing(breaks: list[tuple[int, int]]) -> None:
    """
    A stream that breaks off starts at its first byte again: what was read is passed over, also
    where the new one breaks off earlier than the old.
    """
    trace = Trace()
    tracker = Tracker(JOB)
    events: list[Event] = []
    for length, size in [*breaks, (len(RUN), 7)]:
        reader = trace.reader()
        for piece in _cut(RUN[:length], [size * n for n in range(1, 9)]):
            events += tracker.feed(reader.feed(piece))

    assert TOLD == events
    assert len(RUN) == trace.received


def test_garbage_claims_nothing() -> None:
    """
    Unknown opcodes are skipped by their length, broken JSON and other shapes are dropped, and what
    follows is read.
    """
    garbage = [
        _frame(9, b"x" * 500),
        _frame(0, b""),
        _frame(1, b"{"),
        _frame(1, b"[]"),
        _frame(1, b'{"type": 3, "data": []}'),
        _frame(1, b"\xff\xfe"),
        _frame(2, b""),
        _message("logs", entries=[{"t": "x", "m": "\x1b[31mred"}]),
        _message("status", status={}),
        _message("progress_text", nodeId="3", text="x"),
        _frame(
            1, json.dumps({"type": "executing", "data": {"node": "1", "prompt_id": "q"}}).encode()
        ),
    ]
    mixed = _message("execution_start") + b"".join(garbage) + RUN

    assert TOLD == _events([mixed])


def test_long_frames_are_passed_over_and_not_kept() -> None:
    """
    A frame that claims gigabytes costs no memory; the stream goes on behind a long one.
    """
    frames = Frames()
    head = struct.pack(">qBBI", 0, 0, 1, LONGEST_FRAME + 3)
    first = list(frames.feed(head + b"x" * 1000))
    rest = list(frames.feed(b"x" * (LONGEST_FRAME + 3 - 1000) + _frame(1, b"{}")))
    endless = Frames()
    for _ in range(3):
        list(endless.feed(struct.pack(">qBBI", 0, 0, 5, 2**32 - 1) + b"y" * 100_000))

    assert ([], [(1, b"{}")]) == (first, rest)
    assert 0 == len(endless._pending)


@settings(max_examples=200)
@given(data=st.data())
def test_any_bytes(data: st.DataObject) -> None:
    """
    Bytes of any kind, mutated, cut and repeated, never raise, never end a job, and no node goes
    back from its end.
    """
    raw = bytearray(data.draw(st.sampled_from([RUN, _recorded("simple")])))
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))] + data.draw(st.binary(max_size=40))
    trace, tracker = Trace(), Tracker(JOB)
    ended: set[str] = set()
    for piece in _cut(bytes(raw), data.draw(st.lists(st.integers(0, 10**6), max_size=6))):
        for event in tracker.feed(trace.read(piece)):
            match event:
                case ev.NodeStarted(node_id=name) | ev.NodeProgress(node_id=name):
                    assert name not in ended
                case ev.NodeFinished(node_id=name) | ev.NodeFailed(node_id=name):
                    assert name not in ended
                    ended.add(name)
                case _:
                    pass

    assert tracker.end is None
    assert () == trace.reader().feed("text")


@pytest.fixture
def civitai() -> CivitaiTarget:
    """
    Give the target with a token.
    """
    return CivitaiTarget(auth=bearer(Secret("t-secret")))


def _workflow(status: str, url: str | None = URL, **step: Any) -> dict[str, Any]:
    output = {"traceUrl": url} if url else {}
    custom = {"$type": "customComfy", "name": "run", "input": {"trace": "binary"}}
    return {
        "id": JOB,
        "status": status,
        "steps": [{**custom, "status": status, "output": {**output, **step}}],
    }


def _ends(seen: tuple[Observation, ...]) -> list[JobEnded]:
    return [it for it in seen if isinstance(it, JobEnded)]


def test_stream_is_there_once_a_poll_has_told(
    civitai: CivitaiTarget, converse: Any, answer: Any
) -> None:
    """
    There is no stream before its address is known, none of a finished trace, and the token never
    goes along with it.
    """
    before = civitai.stream(REF)
    converse(civitai.poll(REF), answer(_workflow("processing"), 202))
    live = civitai.stream(REF)
    assert live is not None
    live.reader.feed(RUN)

    assert (None, None) == (before, civitai.stream(REF))
    assert ("bytes", URL, {}) == (live.request.kind, live.request.url, live.request.wire_headers())


def test_end_waits_for_the_rest_of_the_trace(
    civitai: CivitaiTarget, converse: Any, answer: Any
) -> None:
    """
    While somebody reads the trace, the end is kept back until the trace is told, and the node that
    failed is named; the guess from the clock is no longer told.
    """
    converse(civitai.poll(REF), answer(_workflow("processing"), 202))
    live = civitai.stream(REF)
    assert live is not None
    error = _message("execution_error", node_id="3", exception_message="no memory")
    live.reader.feed(_message("execution_start") + _message("executing", node="3"))
    running = _workflow("processing")
    running["steps"][0]["estimatedProgressRate"] = 0.5
    guess, _ = converse(civitai.poll(REF), answer(running, 202))
    kept, _ = converse(civitai.poll(REF), answer(_workflow("failed")))
    live.reader.feed(error)
    told, _ = converse(civitai.poll(REF), answer(_workflow("failed")))

    assert [] == [it for it in guess.observations if isinstance(it, ProgressSeen)]
    assert ([], 0.5) == (_ends(kept.observations), kept.next_poll)
    assert [JobEnded(Outcome.FAILED, "", node_id="3")] == _ends(told.observations)


def test_trace_of_another_try_is_read_from_its_start(
    civitai: CivitaiTarget, converse: Any, answer: Any
) -> None:
    """
    The trace of a step that the service tries again is another one, and told from its first byte;
    another signature of the same trace is not.
    """
    for url in (URL, f"{URL}2"):
        converse(civitai.poll(REF), answer(_workflow("processing", url), 202))
        live = civitai.stream(REF)
        assert live is not None
        half = live.reader.feed(RUN[: len(RUN) // 2])
    converse(civitai.poll(REF), answer(_workflow("processing", URL.replace("k.bin", "l.bin")), 202))
    live = civitai.stream(REF)
    assert live is not None

    assert () == half
    assert TOLD == [it for piece in [RUN] for it in Tracker(JOB).feed(live.reader.feed(piece))]


@pytest.mark.parametrize("url", ["http://[bad", "//[::1", "http://a:b/x", "ftp://a/b", "http://"])
def test_address_of_a_trace_that_is_none(
    civitai: CivitaiTarget, converse: Any, answer: Any, url: str
) -> None:
    """
    A trace whose address cannot be taken apart is not there.
    """
    converse(civitai.poll(REF), answer(_workflow("processing", url), 202))

    assert civitai.stream(REF) is None


@pytest.mark.parametrize(
    ("url", "listened", "polls"), [(URL, True, 11), (None, True, 5), (URL, False, 1)]
)
def test_end_does_not_wait_forever(
    civitai: CivitaiTarget, converse: Any, answer: Any, url: str | None, listened: bool, polls: int
) -> None:
    """
    A trace that never comes keeps the end back for some seconds only; nobody who listens, none.
    """
    if listened:
        civitai.stream(REF)
    count = 0
    ends: list[JobEnded] = []
    while not ends:
        polled, _ = converse(civitai.poll(REF), answer(_workflow("succeeded", url)))
        ends = _ends(polled.observations)
        count += 1

    assert polls == count


def test_run_that_the_service_cancelled(civitai: CivitaiTarget, converse: Any, answer: Any) -> None:
    """
    A run that was cancelled by nobody here, after it had cost something, has run out of money.
    """
    used = _workflow("canceled", None, usage={"estimatedCost": 42, "runtimeSeconds": 41.7})
    lost, _ = converse(civitai.poll(REF), answer(used))
    converse(civitai.cancel(REF), answer(used))
    ours, _ = converse(civitai.poll(REF), answer(used))

    assert [True, False] == [
        any(isinstance(it, NoticeSeen) and "run out" in it.message for it in polled.observations)
        for polled in (lost, ours)
    ]
    assert CostSeen(42.0) in lost.observations


def test_failed_node_has_its_words() -> None:
    """
    The error of a node is told with its message.
    """
    trace = Trace()
    error = _message(
        "execution_error", node_id="3", exception_message="no\nmemory", exception_type="OOM"
    )
    seen = trace.read(_message("execution_start") + error)

    assert NodeSeen("3", NodeState.FAILED, message="no memory", exception_type="OOM") in seen
    assert "3" == trace.failed_node


def test_log_of_a_run_is_no_trace(civitai: CivitaiTarget, converse: Any, answer: Any) -> None:
    """
    With `trace: "logs"` the service gives a text, which is not read as frames.
    """
    logged = _workflow("processing")
    logged["steps"][0]["input"] = {"trace": "logs"}
    converse(civitai.poll(REF), answer(logged, 202))

    assert civitai.stream(REF) is None
