"""
Jobs of our own, followed on an emulated ComfyUI through everything that it can do wrong; and what
its knobs do.
"""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from emulation import finish, graph, sampler, until
from PIL import Image

from comfygraph.emulator import Emulator, Faults
from comfygraph.errors import NotFound, TargetError
from comfygraph.jobs.api import attach, submit
from comfygraph.jobs.settings import Settings
from comfygraph.targets.events import (
    Event,
    JobCancelled,
    JobFailed,
    JobStarted,
    JobSucceeded,
    NodeFailed,
    NodeStarted,
    Notice,
)

SITUATIONS = {
    "plain": Faults(),
    "429 at once": Faults(too_many=1, retry_after="0", route="POST /prompt"),
    "429 without a hint": Faults(too_many=1, route="POST /prompt"),
    "429 for polls": Faults(too_many=2, retry_after="0", route="GET /history/*"),
    "503 for polls": Faults(errors=2, route="GET /history/*"),
    "web page": Faults(pages=1, route="GET /history/*"),
    "dropped before": Faults(drops=1, route="GET /history/*"),
    "dropped during": Faults(cut_answers=1, route="GET /history/*"),
    "dropped after": Faults(lost_answers=1, route="GET /history/*"),
    "submit unanswered": Faults(lost_answers=1, route="POST /prompt"),
    "submit cut": Faults(cut_answers=1, route="POST /prompt"),
    "slow start": Faults(slow_start=0.3),
    "no websocket": Faults(no_socket=True),
    "websocket breaks": Faults(socket_drop_after=4),
    "duplicates": Faults(duplicate_updates=True),
    "reordered": Faults(reordered_updates=True),
    "gaps": Faults(missing_fields="*"),
    "unknown fields": Faults(extra_fields=True),
    "late history": Faults(empty_history=3),
    "download fails": Faults(errors=1, route="GET /view"),
    "download breaks": Faults(drops=1, route="GET /view"),
}


def _config(emulator: Emulator) -> dict[str, str]:
    return {"COMFYUI_URL": emulator.url()}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_followed_through(emulator: Emulator, tmp_path: Path, situation: str) -> None:
    """
    Whatever the server does wrong on the way, the job runs once, ends once, and its picture
    arrives whole.
    """
    emulator.faults = SITUATIONS[situation]
    with submit(sampler(5), target="comfyui", config=_config(emulator), out=tmp_path) as job:
        events = list(job)
    end = events[-1]

    assert isinstance(end, JobSucceeded)
    pictures = [BytesIO(Path(file.path or "").read_bytes()) for file in end.files]
    assert [(64, 64)] == [Image.open(picture).size for picture in pictures]
    assert 1 == emulator.stats().submits["comfyui"]


@pytest.mark.parametrize("lie", [True, False])
def test_failed_node(emulator: Emulator, lie: bool) -> None:
    """
    A failed node is named and says where it raised, also where `status_str` says success.
    """
    emulator.faults = Faults(fail_node="KSampler", fail_message="no memory", false_success=lie)
    events = list(submit(sampler(4), target="comfyui", config=_config(emulator)))

    assert [("3", "no memory")] == [
        (event.node_id, event.message) for event in events if isinstance(event, NodeFailed)
    ]
    assert isinstance(events[-1], JobFailed)


def test_restarted_server(emulator: Emulator) -> None:
    """
    A server that is started anew forgets the job: that is an error which says so, and not a wait
    without end.
    """
    emulator.faults = Faults(slow_start=60)
    quick = Settings(clock=lambda: 30 * time.monotonic())
    with submit(graph(), target="comfyui", config=_config(emulator), settings=quick) as job:
        emulator.faults = Faults(restarts=1)
        with pytest.raises(NotFound, match="no job"):
            job.result()


def test_restart_forgets(emulator: Emulator, client: httpx.Client) -> None:
    """
    After a restart queue, history and results are gone, and the server works as before.
    """
    first = client.post("/prompt", json={"prompt": graph()}).json()["prompt_id"]
    finish(client, first)
    emulator.faults = Faults(restarts=1, route="GET /queue")
    queue = client.get("/queue").json()
    history = client.get("/history").json()
    again = client.post("/prompt", json={"prompt": graph()}).json()["prompt_id"]
    entry = finish(client, again)

    assert {"queue_running": [], "queue_pending": []} == queue
    assert {} == history
    assert [[]] == [data["nodes"] for kind, data in entry["status"]["messages"]
                    if kind == "execution_cached"]  # fmt: skip


def test_gaps(emulator: Emulator, client: httpx.Client) -> None:
    """
    Named fields are left out of answers about jobs, and of nothing else; one request may ask for
    that itself.
    """
    job = client.post("/prompt", json={"prompt": graph()}).json()["prompt_id"]
    whole = finish(client, job)
    header = {"x-emulator-faults": "missing_fields=meta,status_str"}
    entry = client.get(f"/history/{job}", headers=header).json()[job]
    info = client.get("/object_info/KSampler", headers={"x-emulator-faults": "missing_fields=*"})

    assert {"meta"} == whole.keys() - entry.keys()
    assert "status_str" not in entry["status"]
    assert "input" in info.json()["KSampler"]


def test_cancel_hits_no_other_job() -> None:
    """
    A waiting job that is cancelled leaves the queue; the one that runs is another's and runs on.
    """
    with Emulator(["comfyui"], speed=100) as emulator:
        config = _config(emulator)
        with (
            submit(sampler(60), target="comfyui", config=config) as running,
            submit(sampler(61), target="comfyui", config=config) as waiting,
        ):
            waiting.cancel()
            mine: list[Event] = list(waiting)
            other = running.result()

    assert isinstance(mine[-1], JobCancelled)
    assert not any(isinstance(event, JobStarted) for event in mine)
    assert isinstance(other, JobSucceeded)
    assert {"succeeded": 1} == emulator.stats().jobs


def test_partial_acceptance(emulator: Emulator) -> None:
    """
    A graph of which one branch is invalid runs, and the part that was left out is told.
    """
    bad = {"2x": {"class_type": "ImageInvert", "inputs": {"image": ["1", 7]}},
           "3": {"class_type": "PreviewImage", "inputs": {"images": ["2x", 0]}}}  # fmt: skip
    events = list(submit({**graph(), **bad}, target="comfyui", config=_config(emulator)))
    notes = [event for event in events if isinstance(event, Notice)]

    assert isinstance(events[-1], JobSucceeded)
    assert ["2x"] == [note.node_id for note in notes]
    assert notes[0].message.startswith("left out by the server: ")


def test_part_of_a_graph(emulator: Emulator) -> None:
    """
    Only the named output node runs.
    """
    other = {"3": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}}
    with submit(
        {**graph(), **other}, target="comfyui", config=_config(emulator), partial_targets=("3",)
    ) as job:
        end = job.result()

    assert ["3"] == [file.node_id for file in end.files]


def test_taken_up_again(emulator: Emulator, tmp_path: Path) -> None:
    """
    A job that another process handed in and left is followed to its picture; so is one whose
    socket was broken meanwhile.
    """
    emulator.faults = Faults(slow_start=0.1)
    job = submit(graph(), target="comfyui", config=_config(emulator))
    ref = job.ref
    job.close()
    assert ref is not None
    emulator.faults = Faults(socket_drop_after=1)
    with attach(ref, config=_config(emulator), out=tmp_path) as again:
        end = again.result()

    assert 1 == len(end.files)
    until(lambda: emulator.stats().jobs.get("succeeded") == 1)


def test_token_of_a_proxy(tmp_path: Path) -> None:
    """
    Behind a proxy the token goes along with every request, the websocket and the upload; a wrong
    one is an error of ours that does not show it.
    """
    Image.new("RGB", (24, 16)).save(tmp_path / "photo.png")
    loads = {"1": {"class_type": "LoadImage", "inputs": {"image": "photo.png"}},
             "2": {"class_type": "SaveImage",
                   "inputs": {"images": ["1", 0], "filename_prefix": "x"}}}  # fmt: skip
    with Emulator(["comfyui"], speed=0, comfyui_token="s3cret-token") as emulator:
        config = {**_config(emulator), "COMFYUI_TOKEN": "s3cret-token"}
        with submit(loads, target="comfyui", config=config, upload_from=tmp_path) as job:
            events = list(job)
        with pytest.raises(TargetError) as caught:
            submit(graph(), target="comfyui", config={**config, "COMFYUI_TOKEN": "wrong-token"})
        stats = emulator.stats()

    assert isinstance(events[-1], JobSucceeded)
    assert any(isinstance(event, NodeStarted) for event in events)
    assert 1 == stats.requests["POST /upload/image"]
    assert "wrong-token" not in f"{caught.value} {caught.value.hint}"
