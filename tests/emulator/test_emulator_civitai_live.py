"""
Civitai from end to end: our own target and both drivers against the emulated service, with all
that it may do wrong.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from emulation import client_of, sampler
from PIL import Image

from comfygraph.core.values import Prompt
from comfygraph.emulator import DEV_TOKEN, Emulator, Faults
from comfygraph.errors import AuthenticationError, Rejected
from comfygraph.jobs import asubmit, attach, submit
from comfygraph.targets import events as ev
from comfygraph.targets import get_target
from comfygraph.targets.base import LocalFile
from comfygraph.targets.events import Event
from comfygraph.targets.failures import GraphRejected
from comfygraph.targets.http import HttpResponse

AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
CUSTOM: dict[str, Any] = {"step": "customComfy"}
NODES = ["4", "5", "6", "3", "8", "9"]


def _prompt(steps: int = 4) -> Prompt:
    nodes = sampler(steps)
    nodes["4"]["inputs"]["ckpt_name"] = AIR
    return Prompt.from_json(nodes)


def _given(emulator: Emulator, **options: Any) -> dict[str, Any]:
    config = {"CIVITAI_API_TOKEN": DEV_TOKEN, "CIVITAI_API_URL": emulator.url()}
    return {"target": "civitai", "config": config, "options": options, "deadline": 60.0}


def _run(
    emulator: Emulator, prompt: Prompt | None = None, out: Path | None = None, **options: Any
) -> list[Event]:
    return list(submit(prompt or _prompt(), out=out, **_given(emulator, **options)))


def _of(kind: type[Event], events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def _nodes(events: list[Event]) -> tuple[list[str], list[str]]:
    started = [event.node_id for event in _of(ev.NodeStarted, events)]
    finished = [
        event.node_id
        for event in events
        if isinstance(event, ev.NodeFinished | ev.NodeCached | ev.NodeFailed)
    ]
    return started, finished


def test_nodes_are_told_while_the_run_goes_on(tmp_path: Path) -> None:
    """
    A `customComfy` run tells its nodes and their steps, in order and once, and its file is saved;
    both drivers tell the same.
    """
    with Emulator(speed=100) as emulator:
        events = _run(emulator, out=tmp_path / "sync", **CUSTOM)

        async def follow() -> list[Event]:
            job = asubmit(_prompt(), out=tmp_path / "async", **_given(emulator, **CUSTOM))
            return [event async for event in job]

        again = asyncio.run(follow())

    assert (NODES, NODES) == _nodes(events) == _nodes(again)
    assert [("3", n, 4) for n in (1, 2, 3, 4)] == [
        (event.node_id, event.value, event.max) for event in _of(ev.NodeProgress, events)
    ]
    assert isinstance(events[-1], ev.JobSucceeded)
    assert 1 == len(list((tmp_path / "sync").iterdir()))


@pytest.mark.parametrize(
    "faults",
    [
        {"broken_trace": 300},
        {"broken_trace": 2000, "late_trace": 1},
        {"late_trace": 2},
        {"trace_garbage": True, "trace_bursts": 0.05},
        {"capitalised": True, "untyped_blobs": True, "extra_fields": True},
        {"missing_fields": "*"},
        {"wait_bool": True},
        {"put_body": True, "spec_names": True, "opaque_ids": True, "late_blobs": True},
        {"stale_updates": True},
    ],
    ids=lambda faults: "+".join(faults),
)
def test_nodes_whatever_goes_wrong(faults: dict[str, Any]) -> None:
    """
    Broken, late and noisy traces, old servers and odd answers: every node is told once, in order.
    """
    with Emulator(speed=50, faults=Faults(**faults)) as emulator:
        events = _run(emulator, **CUSTOM)

    assert (NODES, NODES) == _nodes(events)
    assert isinstance(events[-1], ev.JobSucceeded)
    assert len(events[-1].files) == 1


def test_comfy_step_invents_no_nodes() -> None:
    """
    Of a `comfy` step nobody says anything about nodes: what is told is a guess, and marked so.
    """
    with Emulator(speed=20) as emulator:
        events = _run(emulator, _prompt(20), quantity=2)

    assert ([], []) == _nodes(events)
    progress = _of(ev.JobProgress, events)
    assert all(event.estimated for event in progress)
    assert len(progress) >= 1
    assert 2 == len(events[-1].files if isinstance(events[-1], ev.JobSucceeded) else ())


def test_failed_node_is_named() -> None:
    """
    The node at which a run failed is told before the end, which names it too.
    """
    with Emulator(speed=100, faults=Faults(fail_node="3")) as emulator:
        events = _run(emulator, **CUSTOM)
    failed = _of(ev.NodeFailed, events)

    assert ["3"] == [event.node_id for event in failed]
    assert isinstance(events[-1], ev.JobFailed)
    assert "3" == events[-1].node_id


def test_node_pack_is_installed_and_priced() -> None:
    """
    A run with a node pack goes through both steps; its price is told afterwards.
    """
    with Emulator(speed=100) as emulator:
        events = _run(emulator, **CUSTOM, node_packs=["kijai/comfyui-kjnodes@1.4.0"])
    end = events[-1]

    assert isinstance(end, ev.JobSucceeded)
    assert end.cost is not None
    assert end.cost >= 1
    assert (NODES, NODES) == _nodes(events)


def test_upload_reaches_both_kinds_of_steps(tmp_path: Path) -> None:
    """
    A picture that is uploaded is found by the run, as an address or as the AIR of its blob.
    """
    path = tmp_path / "cat.png"
    Image.new("RGB", (24, 16)).save(path)
    sizes = []
    with Emulator(speed=0) as emulator, client_of(emulator) as client:
        target = get_target("civitai", _given(emulator)["config"])
        upload = target.upload(LocalFile.of("cat.png", path.read_bytes()))
        assert upload is not None
        sent = next(upload)
        posted = client.post(sent.url, content=sent.body, headers=sent.wire_headers())
        with pytest.raises(StopIteration) as named:
            upload.send(HttpResponse(posted.status_code, {}, posted.content))
        name = named.value.value
        prompt = Prompt.from_json(
            {
                "1": {"class_type": "LoadImage", "inputs": {"image": name}},
                "2": {
                    "class_type": "SaveImage",
                    "inputs": {"images": ["1", 0], "filename_prefix": "x"},
                },
            }
        )
        for options in ({}, CUSTOM):
            end = _run(emulator, prompt, **options)[-1]
            assert isinstance(end, ev.JobSucceeded)
            sizes.append((end.files[0].width, end.files[0].height))

    assert [(24, 16)] * 2 == sizes


def test_withheld_files_and_money() -> None:
    """
    A run whose files are withheld succeeds and says so; without money nothing runs.
    """
    with Emulator(speed=0, faults=Faults(withheld=True)) as emulator:
        events = _run(emulator)
        released = _run(emulator, allow_mature=True)
    with Emulator(speed=0, faults=Faults(plain_forbidden=True)) as emulator:
        for status in (402, 403, 400):
            emulator.faults = Faults(plain_forbidden=True, money_status=status)
            with pytest.raises(Rejected, match="more Buzz"):
                _run(emulator)
        stats = emulator.stats()
    with (
        Emulator(speed=0, faults=Faults(no_scope=True)) as emulator,
        pytest.raises(AuthenticationError) as caught,
    ):
        _run(emulator)

    assert any("allow_mature" in event.message for event in _of(ev.Notice, events))
    assert isinstance(released[-1], ev.JobSucceeded)
    assert (0, 1) == (stats.submits.get("civitai", 0), len(released[-1].files))
    assert "scope" in (caught.value.hint or "")


def test_run_out_of_buzz_and_cold_start() -> None:
    """
    A run that the service cancelled for want of money says so; an expired one says what to do.
    """
    with Emulator(speed=50, faults=Faults(out_of_buzz=0.3)) as emulator:
        broke = _run(emulator, _prompt(900), **CUSTOM)
    with Emulator(speed=0, faults=Faults(expire_jobs=True)) as emulator:
        expired = _run(emulator, timeout="00:01:00")[-1]

    assert isinstance(broke[-1], ev.JobCancelled)
    assert any("run out" in event.message for event in _of(ev.Notice, broke))
    assert isinstance(expired, ev.JobFailed)
    assert "expired after 00:01:00, before the run began" in expired.message
    assert expired.transient


def test_refused_graph_names_its_node() -> None:
    """
    A graph that the service refuses is told by node and input; one that no worker could run is
    not even sent.
    """
    nodes = sampler(4)
    del nodes["3"]["inputs"]["model"]
    with Emulator(speed=0) as emulator:
        with pytest.raises(GraphRejected) as refused:
            _run(emulator, Prompt.from_json(nodes))
        with pytest.raises(GraphRejected) as unsent:
            _run(emulator, Prompt.from_json(sampler(4)), **CUSTOM)
        asked = emulator.stats().requests

    assert [("3", "model")] == [(it.node_id, it.input) for it in refused.value.complaints]
    assert [("4", "ckpt_name")] == [(it.node_id, it.input) for it in unsent.value.complaints]
    assert 1 == sum(asked.values())


def test_lost_answer_is_found_by_its_key() -> None:
    """
    A submit whose answer is lost runs once: the key finds the first workflow.
    """
    with Emulator(speed=0, faults=Faults(lost_answers=1, route="POST */workflows")) as emulator:
        events = _run(emulator)
        submits = emulator.stats().submits["civitai"]

    assert isinstance(events[-1], ev.JobSucceeded)
    assert 1 == submits


def test_job_is_taken_up_by_another_process() -> None:
    """
    A finished run that is attached to later ends at once: nobody waits for its trace.
    """
    with Emulator(speed=0) as emulator:
        given = _given(emulator, **CUSTOM)
        job = submit(_prompt(), **given)
        list(job)
        assert job.ref is not None
        events = list(attach(job.ref, config=given["config"], deadline=5.0))

    assert isinstance(events[-1], ev.JobSucceeded)
