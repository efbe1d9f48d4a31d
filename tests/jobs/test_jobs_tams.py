"""
Whole jobs on the emulated TAMS: local pictures, checks, private models, the shared rate limit.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfygraph.core.values import Prompt
from comfygraph.emulator import DEV_TOKEN, Emulator, Faults
from comfygraph.emulator.tams.submit import ACCESS_KEY
from comfygraph.emulator.tams.templates import IMAGE_TEMPLATE_ID, TEMPLATE_ID
from comfygraph.errors import Rejected
from comfygraph.jobs import asubmit, submit
from comfygraph.jobs.limits import RateLimits
from comfygraph.jobs.settings import Settings
from comfygraph.jobs.upload_cache import UploadCache
from comfygraph.references.web import Web
from comfygraph.targets import get_target
from comfygraph.targets.base import NodeComplaint
from comfygraph.targets.events import Event, JobFailed, JobSucceeded, Notice
from comfygraph.targets.failures import GraphRejected
from comfygraph.targets.tams import TamsTarget

Run = Callable[..., list[Event]]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulated TAMS without pauses.
    """
    with Emulator(["tams"], speed=0, faults=Faults(qps=0, lag=0)) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_faults(emulator: Emulator) -> Iterator[None]:
    yield
    emulator.faults = Faults(qps=0, lag=0)


def _sync(prompt: Any, **options: Any) -> list[Event]:
    return list(submit(prompt, **options))


def _async(prompt: Any, **options: Any) -> list[Event]:
    async def collect() -> list[Event]:
        return [event async for event in asubmit(prompt, **options)]

    return asyncio.run(collect())


@pytest.fixture(params=[_sync, _async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Run:
    """
    Give both drivers, one after the other.
    """
    driver: Run = request.param
    return driver


def tams(emulator: Emulator, **config: str) -> TamsTarget:
    """
    Give the target of the emulator.
    """
    base = {"TAMS_API_KEY": DEV_TOKEN, "TAMS_BASE_URL": emulator.url("tams")}
    target = get_target("tams", {**base, **config})
    assert isinstance(target, TamsTarget)
    return target


def quick(target: TamsTarget, **others: Any) -> dict[str, Any]:
    """
    Give the options that keep a test short.
    """
    policy = replace(
        target.policy, poll_intervals=(0.01,), backoff_base=0.01, requests_per_second=None
    )
    settings = Settings(limits=RateLimits(), uploads=UploadCache())
    return {"target": target, "policy": policy, "settings": settings, **others}


def scaled(image: str) -> dict[str, Any]:
    """
    Give a graph that makes a picture twice as large.
    """
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": image}},
        "2": {"class_type": "ImageScaleBy",
              "inputs": {"image": ["1", 0], "upscale_method": "bicubic", "scale_by": 2.0}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }  # fmt: skip


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Work in a folder with a picture in it.
    """
    Image.new("RGB", (24, 16), "teal").save(tmp_path / "p.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(emulator: Emulator, route: str) -> int:
    """
    Count the requests of a route.
    """
    return emulator.stats().requests.get(route, 0)


def test_a_local_picture_just_works(run: Run, emulator: Emulator, pictures: Path) -> None:
    """
    A path in LoadImage is uploaded, told, priced and used; the picture made has twice its size.
    """
    events = run(scaled("p.png"), **quick(tams(emulator), out=pictures / "out"))
    end = events[-1]
    size = (pictures / "p.png").stat().st_size

    assert isinstance(end, JobSucceeded)
    assert [
        Notice(f"uploading p.png ({size} bytes) for `image`", "1"),
        Notice("the job costs 0.1 credits"),
    ] == events[:2]
    with Image.open(str(end.files[0].path)) as made:
        assert (48, 32) == made.size


def test_a_picture_is_uploaded_once_in_a_process(emulator: Emulator, pictures: Path) -> None:
    """
    Later jobs of the same account find the first upload.
    """
    before = asked(emulator, "POST /v1/resource/image")
    options = quick(tams(emulator))
    for _ in range(2):
        _sync(scaled("p.png"), **options)
    once = asked(emulator, "POST /v1/resource/image") - before
    _sync(scaled("p.png"), **quick(tams(emulator), settings=options["settings"]))
    key = hashlib.sha256((pictures / "p.png").read_bytes()).hexdigest()
    known = options["settings"].uploads.get(options["policy"].rate_key, key, 0.0)

    assert 1 == once == asked(emulator, "POST /v1/resource/image") - before
    assert known is not None


def test_files_outside_are_not_sent(run: Run, emulator: Emulator, pictures: Path) -> None:
    """
    With no folder allowed nothing is read; the name goes out as it stands.
    """
    before = asked(emulator, "POST /v1/resource/image")
    events = run(scaled("p.png"), **quick(tams(emulator), upload_from=()))
    text = (
        "`image` is `p.png`: a graph from elsewhere names no local files; it is sent as it stands"
    )

    assert Notice(text, "1") == events[0]
    assert before == asked(emulator, "POST /v1/resource/image")


@pytest.mark.parametrize("style", ["status", "valid", "omitted"])
def test_a_bad_graph_is_not_handed_in(run: Run, emulator: Emulator, style: str) -> None:
    """
    Whichever way the check refuses: no job is asked for, and where the service says so, node and
    input are known.
    """
    emulator.faults = Faults(qps=0, check_style=style)
    before = emulator.stats()
    graph = {**scaled("9f0c1d2e-3b4a-4c5d-8e6f-7a8b9c0d1e2f")}
    graph["2"]["inputs"]["scale_by"] = -1.0
    with pytest.raises(Rejected) as caught:
        run(graph, **quick(tams(emulator)))
    complaints = getattr(caught.value, "complaints", ())

    assert before.submits == emulator.stats().submits
    assert before.requests.get("POST /v1/jobs/workflow", 0) == asked(
        emulator, "POST /v1/jobs/workflow"
    )
    assert (style == "status") == (
        NodeComplaint("1", "image not found", "image", "LoadImage") in complaints
    )


def test_without_a_check_the_submit_refuses(run: Run, emulator: Emulator) -> None:
    """
    `TAMS_CHECK=off` hands the graph in at once; the service's complaints are the same.
    """
    checks = asked(emulator, "POST /v1/jobs/workflow/params/check")
    with pytest.raises(GraphRejected) as caught:
        run(scaled(""), **quick(tams(emulator, TAMS_CHECK="off")))

    assert checks == asked(emulator, "POST /v1/jobs/workflow/params/check")
    assert ["1"] == [complaint.node_id for complaint in caught.value.complaints]


@pytest.mark.parametrize("place", ["inputs.accessKey", "accessKey"])
def test_private_models(emulator: Emulator, place: str) -> None:
    """
    With the key in the place that the service wants, a private model loads; elsewhere it does not.
    """
    model = "600423083519508503"
    emulator.faults = Faults(qps=0, lag=0, private_models=model, access_place=place)
    graph = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": model}},
        "2": {"class_type": "VAEEncode", "inputs": {"pixels": ["3", 0], "vae": ["1", 2]}},
        "3": {"class_type": "EmptyImage",
              "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "4": {"class_type": "VAEDecode", "inputs": {"samples": ["2", 0], "vae": ["1", 2]}},
        "5": {"class_type": "SaveImage", "inputs": {"images": ["4", 0], "filename_prefix": "x"}},
    }  # fmt: skip
    config = {"TAMS_ACCESS_KEYS": f"{model}={ACCESS_KEY}"}
    good = _sync(graph, **quick(tams(emulator, **config, TAMS_ACCESS_KEY_PLACE=place)))
    with pytest.raises(GraphRejected):
        _sync(graph, **quick(tams(emulator, **config, TAMS_ACCESS_KEY_PLACE="properties.key")))

    assert isinstance(good[-1], JobSucceeded)
    assert ACCESS_KEY not in repr(good)


@pytest.mark.parametrize(("knob", "transient"), [(False, False), (True, True)])
def test_transitory_and_fatal(emulator: Emulator, knob: bool, transient: bool) -> None:
    """
    The end says whether another try may help.
    """
    emulator.faults = Faults(qps=0, lag=0, fail_node="SaveImage", transient=knob)
    graph = {
        "1": {"class_type": "EmptyImage",
              "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "n"}},
    }  # fmt: skip
    end = _sync(graph, **quick(tams(emulator)))[-1]

    assert isinstance(end, JobFailed)
    assert (transient, "2") == (end.transient, end.node_id)


def test_a_template_runs(run: Run, emulator: Emulator, pictures: Path) -> None:
    """
    A template with a local picture in its field is uploaded for, checked, and run as one.
    """
    target = tams(emulator)
    web = Web(spacing=0.0)
    template = web.run(target.template(IMAGE_TEMPLATE_ID))
    plain = web.run(target.template(TEMPLATE_ID))
    web.close()
    nodes = template.to_prompt().to_json()
    nodes["25"]["inputs"]["image"] = "p.png"
    options = {"template_id": template.id}
    events = run(Prompt.from_json(nodes), **quick(target, options=options))
    end = events[-1]

    assert [("6", "text", "a harbour"), ("5", "width", 512), ("5", "height", 768)] == list(
        plain.fields
    )
    assert isinstance(end, JobSucceeded)
    assert [(48, 32)] == [(file.width, file.height) for file in end.files]


def test_five_requests_a_second_are_shared(emulator: Emulator) -> None:
    """
    Three jobs of one key at once stay under the limit of the service: it never asks for fewer.
    """
    emulator.faults = Faults(qps=5, lag=0)
    graph = {
        "1": {"class_type": "EmptyImage",
              "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "n"}},
    }  # fmt: skip
    settings = Settings(limits=RateLimits())
    ends: list[Event] = []
    notices: list[str] = []

    def work() -> None:
        target = tams(emulator)
        policy = replace(target.policy, poll_intervals=(0.01,))
        events = _sync(graph, target=target, policy=policy, settings=settings)
        ends.append(events[-1])
        notices.extend(event.message for event in events if isinstance(event, Notice))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [JobSucceeded] * 3 == [type(end) for end in ends]
    assert not [text for text in notices if "429" in text]


def test_keys_do_not_wait_for_each_other(emulator: Emulator) -> None:
    """
    The limit of one key leaves another free.
    """
    keys = [tams(emulator, TAMS_API_KEY=name).policy.rate_key for name in ("one", "two")]
    limits = RateLimits()
    waits = [limits.reserve(key, 4.5, 100.0) for key in (keys[0], keys[0], keys[1])]

    assert [0.0, pytest.approx(1 / 4.5), 0.0] == waits
