"""
One suite for both drivers, against real servers: the emulator in every dialect, and small ones.
"""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jobs_servers import DROP, Seen, free_port, loopback
from jobs_world import FakeTarget, observations

from comfygraph.core.values import Prompt
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.server import Emulator
from comfygraph.errors import (
    AuthenticationError,
    JobError,
    ProtocolError,
    ServiceUnavailable,
    SubmissionUncertain,
    UsageError,
)
from comfygraph.jobs import asubmit, attach, submit
from comfygraph.jobs.async_machine import end_task
from comfygraph.jobs.limits import RateLimits
from comfygraph.jobs.settings import Settings
from comfygraph.targets import get_target
from comfygraph.targets.base import JobRef, LiveStream, Policy, StreamRequest, Target
from comfygraph.targets.events import (
    Event,
    JobCancelled,
    JobFailed,
    JobSucceeded,
    NodeFinished,
    NodePreview,
    NodeProgress,
    Notice,
    OutputReady,
)
from comfygraph.targets.http import Resend
from comfygraph.targets.observations import Observation

EXAMPLE = Path(__file__).parents[2] / "examples" / "hires.json"
PROMPT = Prompt.from_json(
    {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 32, "batch_size": 2,
                                                     "color": 0}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}},
    }
)  # fmt: skip
QUICK = Policy(
    poll_intervals=(0.05,),
    stream_poll_interval=0.3,
    backoff_base=0.02,
    backoff_cap=0.05,
    connect_timeout=5.0,
    deadline=30.0,
)

Runner = Callable[..., list[Event]]


def run_sync(prompt: Any, **options: Any) -> list[Event]:
    """
    Run a job with the driver for ordinary code.
    """
    return list(submit(prompt, **options))


def run_async(prompt: Any, **options: Any) -> list[Event]:
    """
    Run a job with the driver for asyncio.
    """

    async def collect() -> list[Event]:
        return [event async for event in asubmit(prompt, **options)]

    return asyncio.run(collect())


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Runner:
    """
    Give each driver in turn.
    """
    runner: Runner = request.param
    return runner


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator in all dialects, without pauses.
    """
    with Emulator(speed=200.0, faults=Faults(qps=0)) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_faults(emulator: Emulator) -> Iterator[None]:
    yield
    emulator.faults = Faults(qps=0)
    emulator.speed = 200.0


def target_of(emulator: Emulator, name: str) -> Target:
    """
    Give the target for a dialect of the emulator.
    """
    return get_target(
        name,
        {
            "COMFYUI_URL": emulator.url("comfyui"),
            "TAMS_BASE_URL": emulator.url("tams"),
            "TAMS_API_KEY": "emulator-token",
            "CIVITAI_API_URL": emulator.url("civitai"),
            "CIVITAI_API_TOKEN": "emulator-token",
        },
    )


def quick(target: Target) -> dict[str, Any]:
    """
    Give the options that keep a test short.
    """
    return {
        "target": target,
        "policy": replace(
            QUICK,
            stream_first=target.policy.stream_first,
            final_statuses=target.policy.final_statuses,
        ),
        "settings": Settings(limits=RateLimits(), chance=lambda: 0.5),
    }


def jobs_taken(emulator: Emulator) -> int:
    """
    Count the jobs that the emulator has taken so far.
    """
    return sum(emulator.stats().submits.values())


DIALECTS = ("comfyui", "tams", "civitai")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_ends_well(
    run: Runner, emulator: Emulator, dialect: str, tmp_path: Path
) -> None:
    """
    On every service a job is followed to its end, once, and its pictures are saved whole.
    """
    before = jobs_taken(emulator)
    events = run(PROMPT, out=tmp_path, **quick(target_of(emulator, dialect)))
    end = events[-1]
    assert isinstance(end, JobSucceeded)
    ready = [event.file.path for event in events if isinstance(event, OutputReady)]

    assert 1 == jobs_taken(emulator) - before
    assert 2 == len(end.files)
    assert sorted(ready) == sorted(file.path for file in end.files)
    assert sorted(ready) == sorted(str(path) for path in tmp_path.iterdir())
    assert all(Path(str(path)).read_bytes().startswith(b"\x89PNG") for path in ready)
    assert 1 == sum(isinstance(event, type(end)) for event in events)


def test_drivers_tell_the_same(emulator: Emulator) -> None:
    """
    Both drivers tell the same events, but for the id of the job.
    """
    stories = [
        [
            event.node_id if isinstance(event, NodeFinished) else type(event).__name__
            for event in runner(_seeded(seed), **quick(target_of(emulator, "comfyui")))
        ]
        for seed, runner in enumerate((run_sync, run_async))
    ]

    assert stories[0] == stories[1]
    assert ["1", "2", "3"] == [name for name in stories[0] if name.isdigit()]


def _seeded(seed: int) -> Prompt:
    """Give the prompt with another colour, since the server keeps results that it has."""
    plain = PROMPT.to_json()
    plain["1"]["inputs"]["color"] = seed + 1000
    return Prompt.from_json(plain)


def test_embedded_emulator(run: Runner, tmp_path: Path) -> None:
    """
    Without a service, one is started for the job and ended with it.
    """
    threads = threading.active_count()
    graph = json.loads(EXAMPLE.read_text())
    graph["7"]["inputs"]["steps"], graph["9"]["inputs"]["steps"] = 6, 3
    events = run(graph, target="emulator", out=tmp_path)
    steps = Counter(event.node_id for event in events if isinstance(event, NodeProgress))

    assert isinstance(events[-1], JobSucceeded)
    assert {"7": 6, "9": 3} == dict(steps)
    assert ["hires_00001_.png"] == [path.name for path in tmp_path.iterdir()]
    until = time.monotonic() + 30.0
    while threads < threading.active_count() and time.monotonic() < until:
        time.sleep(0.01)  # a thread that has given its answer may still be on its way out
    assert threads == threading.active_count()


@pytest.mark.parametrize(
    ("dialect", "faults"),
    [
        ("tams", Faults(qps=0, route="POST*", lost_answers=1)),
        ("civitai", Faults(qps=0, route="POST*", lost_answers=1)),
        ("comfyui", Faults(qps=0, route="POST /prompt", lost_answers=1)),
        ("comfyui", Faults(qps=0, route="POST /prompt", drops=1)),
        ("tams", Faults(qps=0, route="POST*", drops=2)),
        ("tams", Faults(qps=0, route="POST*", too_many=2, retry_after="0")),
        ("civitai", Faults(qps=0, route="POST*", too_many=1)),
        ("civitai", Faults(qps=0, route="POST*", errors=2)),
        ("tams", Faults(qps=0, route="GET*", errors=3)),
        ("tams", Faults(qps=0, route="GET*", pages=2)),
        ("tams", Faults(qps=0, route="GET*", drops=2)),
        ("comfyui", Faults(qps=0, route="GET /history*", cut_answers=2)),
        ("comfyui", Faults(qps=0, route="GET /history*", drops=2)),
        ("comfyui", Faults(qps=0, no_socket=True)),
        ("comfyui", Faults(qps=0, socket_drop_after=3)),
        ("comfyui", Faults(qps=0, duplicate_updates=True, reordered_updates=True)),
        ("comfyui", Faults(qps=0, route="GET /view*", drops=1)),
        ("comfyui", Faults(qps=0, route="GET /view*", cut_answers=1)),
        ("tams", Faults(qps=0, expired_urls=1)),
        ("civitai", Faults(qps=0, expired_urls=1)),
        ("tams", Faults(qps=0, stale_updates=True, lag=3)),
        ("civitai", Faults(qps=0, wait_bool=True, capitalised=True)),
    ],
    ids=lambda value: (
        value
        if isinstance(value, str)
        else " ".join(
            f"{name}={getattr(value, name)}"
            for name in value.__dataclass_fields__
            if getattr(value, name) != getattr(Faults(qps=0), name)
        )
    ),
)
def test_faults_are_survived(
    run: Runner, emulator: Emulator, dialect: str, faults: Faults, tmp_path: Path
) -> None:
    """
    Whatever goes wrong on the way, one job is made, it ends well, and its files are there.
    """
    before = jobs_taken(emulator)
    emulator.faults = faults
    unanswered = faults.route.startswith("POST") and (faults.drops or faults.lost_answers)
    lost_for_good = bool(
        unanswered and (dialect == "tams" or (dialect == "comfyui" and faults.drops))
    )
    try:
        events = run(PROMPT, out=tmp_path, **quick(target_of(emulator, dialect)))
    except SubmissionUncertain:
        # no answer, and nothing to be found: only the person can decide to send it again
        assert lost_for_good
        assert min(faults.lost_answers, 1) == jobs_taken(emulator) - before
        return

    assert not lost_for_good
    assert 1 == jobs_taken(emulator) - before
    assert isinstance(events[-1], JobSucceeded)
    assert 2 == len(list(tmp_path.iterdir()))
    finished = [event.node_id for event in events if isinstance(event, NodeFinished)]
    assert len(set(finished)) == len(finished)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_failing_node(run: Runner, emulator: Emulator, dialect: str) -> None:
    """
    A job that fails ends with what the service said, and where, if it said so.
    """
    emulator.faults = Faults(qps=0, fail_node="2", fail_message="out of paint")
    graph = _seeded(10 + (run is run_sync))
    end = run(graph, **quick(target_of(emulator, dialect)))[-1]

    assert isinstance(end, JobFailed)
    assert "out of paint" in end.message


@pytest.mark.parametrize("dialect", DIALECTS)
def test_cancel_sync(emulator: Emulator, dialect: str) -> None:
    """
    A cancel reaches the service while the job runs; the events tell that it worked.
    """
    emulator.speed = 4.0
    before = emulator.stats().requests
    job = submit(_seeded(1), **quick(target_of(emulator, dialect)))
    job.cancel()
    events = list(job)

    assert isinstance(events[-1], JobCancelled)
    assert Notice("asking the service to cancel the job") in events
    assert sum(emulator.stats().requests.values()) > sum(before.values())
    with pytest.raises(JobError):
        job.result()


def test_cancel_async(emulator: Emulator) -> None:
    """
    The same with asyncio, from another task while the job is awaited.
    """
    emulator.speed = 4.0

    async def main() -> list[Event]:
        job = asubmit(_seeded(2), **quick(target_of(emulator, "comfyui")))
        await job.start()
        asyncio.get_running_loop().call_later(0.2, job.ask_cancel)
        return [event async for event in job]

    events = asyncio.run(main())

    assert isinstance(events[-1], JobCancelled)


def test_cancel_from_another_thread(emulator: Emulator) -> None:
    """
    A thread that only watches can ask for the cancel.
    """
    emulator.speed = 4.0
    job = submit(_seeded(3), **quick(target_of(emulator, "comfyui")))
    timer = threading.Timer(0.2, job.cancel)
    timer.start()
    events = list(job)
    timer.join()

    assert isinstance(events[-1], JobCancelled)


def test_left_and_taken_up_again(emulator: Emulator, tmp_path: Path) -> None:
    """
    A job that is left runs on, and its reference is enough to follow it to its files.
    """
    target = target_of(emulator, "comfyui")
    with submit(_seeded(4), **quick(target)) as job:
        ref = job.ref
    assert ref is not None
    with attach(ref, target=target, policy=QUICK, out=tmp_path) as again:
        end = again.result()

    assert ref.job_id == end.job_id
    assert 2 == len(list(tmp_path.iterdir()))


def test_forgotten_job_is_let_go() -> None:
    """
    A job that nobody holds any more closes what it opened, its emulator too.
    """

    def ours() -> list[str]:
        return [
            thread.name
            for thread in threading.enumerate()
            if thread.name in ("comfygraph-stream", "comfygraph-emulator")
        ]

    before = ours()
    job = submit(PROMPT, target="emulator")
    during = ours()
    del job
    gc.collect()

    assert ["comfygraph-emulator", "comfygraph-stream"] == sorted(during[len(before) :])
    assert before == ours()


def test_result_keeps_the_events(emulator: Emulator) -> None:
    """
    Waiting for the result does not eat the events.
    """
    job = submit(_seeded(5), **quick(target_of(emulator, "comfyui")))
    end = job.result()

    assert end == list(job)[-1]
    assert job.end == end


def test_previews(run: Runner, emulator: Emulator) -> None:
    """
    Pictures of nodes at work are told where they are asked for.
    """
    plain = json.loads(EXAMPLE.read_text())
    plain["7"]["inputs"]["seed"] = 77 + (run is run_sync)
    events = run(plain, previews=True, **quick(target_of(emulator, "comfyui")))
    pictures = [event for event in events if isinstance(event, NodePreview)]

    assert pictures
    assert {"image/jpeg"} == {event.media_type for event in pictures}


def test_refused_graph(run: Runner, emulator: Emulator) -> None:
    """
    A graph that the service refuses is an error that says where, and there is no job.
    """
    from comfygraph.targets.failures import GraphRejected

    before = jobs_taken(emulator)
    bad = Prompt.from_json({"1": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}})
    with pytest.raises(GraphRejected) as caught:
        run(bad, **quick(target_of(emulator, "comfyui")))

    assert ["1"] == [complaint.node_id for complaint in caught.value.complaints]
    assert 0 == jobs_taken(emulator) - before


def test_wrong_credentials(run: Runner, emulator: Emulator) -> None:
    """
    Wrong credentials are told as such, and are not in the message.
    """
    target = get_target(
        "tams", {"TAMS_BASE_URL": emulator.url("tams"), "TAMS_API_KEY": "not-the-key"}
    )
    with pytest.raises(AuthenticationError) as caught:
        run(PROMPT, **quick(target))

    assert "not-the-key" not in repr(caught.value) + str(caught.value.hint)


# Small servers ---------------------------------------------------------------------------------


def shop(seen: Seen, *, file: Any = (200, {"Content-Type": "image/png"}, b"picture")) -> Any:
    """
    Be the service of `FakeTarget`.
    """
    body: Any = {"claims": [["file", "a.png", "/a.png"], ["end", "succeeded"]]}
    if seen.method == "POST":
        body = {"id": "1"}
    elif seen.path == "/a.png":
        return file
    return 200, {}, json.dumps(body).encode()


def fake(url: str, **options: Any) -> dict[str, Any]:
    """
    Give the options to run on a small server.
    """
    return quick(FakeTarget(base_url=url, policy=QUICK, **options))


def test_connection_refused(run: Runner) -> None:
    """
    Where nobody listens, that is the error.
    """
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ServiceUnavailable) as caught:
        run(PROMPT, **fake(url))

    assert f"no answer from {url}: connection refused" == caught.value.message


def test_unknown_host(run: Runner) -> None:
    """
    A name that leads nowhere is told in plain words.
    """
    with pytest.raises(ServiceUnavailable) as caught:
        run(PROMPT, **fake("http://nowhere.invalid"))

    assert "no answer from http://nowhere.invalid: the host name is not known" == (
        caught.value.message
    )


def test_answer_lost(run: Runner) -> None:
    """
    A connection that closes without an answer leaves a submit uncertain, sent once.
    """
    with (
        loopback(lambda seen: DROP if seen.method == "POST" else (200, {}, b"{}")) as server,
        pytest.raises(SubmissionUncertain),
    ):
        run(PROMPT, **fake(server.url, findable=False))

    assert ["POST /jobs"] == server.paths()


def test_same_key_goes_out_again(run: Runner) -> None:
    """
    With a key the same bytes are sent until an answer comes.
    """
    replies = [DROP, DROP]

    def answerer(seen: Seen) -> Any:
        return replies.pop() if replies and seen.method == "POST" else shop(seen)

    with loopback(answerer) as server:
        events = run(PROMPT, **fake(server.url, resend=Resend.SAME_KEY))

    assert isinstance(events[-1], JobSucceeded)
    assert 1 == len({seen.body for seen in server.seen if seen.method == "POST"})


def test_slow_answer(run: Runner) -> None:
    """
    A service that does not answer in time leaves a submit uncertain at the deadline.
    """
    release = threading.Event()
    answered: list[bool] = []

    def answerer(seen: Seen) -> Any:
        answered.append(release.wait(60))
        return DROP

    with loopback(answerer) as server:
        with pytest.raises(SubmissionUncertain) as caught:
            run(PROMPT, deadline=0.5, **fake(server.url, findable=False))
        before = list(answered)
        release.set()

    assert "no answer within 1 s" in caught.value.message
    assert [] == before


def test_web_page(run: Runner) -> None:
    """
    A web page in place of an answer is named as such.
    """
    page = (200, {"Content-Type": "text/html"}, b"<!doctype html><html>Welcome!</html>")
    with loopback(lambda seen: page) as server, pytest.raises(ProtocolError) as caught:
        run(PROMPT, **fake(server.url))

    assert "the answer is a web page, not JSON (HTTP 200)" == caught.value.message


def test_credentials_stay_at_home(run: Runner, tmp_path: Path) -> None:
    """
    A file on another host, reached through a redirect or named outright, is fetched without
    our credentials; redirects back home carry them again.
    """
    with loopback(lambda seen: (200, {"Content-Type": "image/png"}, b"picture")) as other:
        moved = (302, {"Location": f"{other.url}/b.png"}, b"")
        with loopback(lambda seen: shop(seen, file=moved)) as server:
            events = run(PROMPT, out=tmp_path, **fake(server.url))

    assert isinstance(events[-1], JobSucceeded)
    assert ["a.png"] == [path.name for path in tmp_path.iterdir()]
    assert {"Bearer s3cret"} == {seen.headers.get("authorization") for seen in server.seen}
    assert [None] == [seen.headers.get("authorization") for seen in other.seen]


def test_submit_is_not_redirected(run: Runner) -> None:
    """
    A redirected submit is not followed: the other host hears nothing.
    """
    with loopback(shop) as other:
        moved = (307, {"Location": f"{other.url}/jobs"}, b"")
        with loopback(lambda seen: moved) as server, pytest.raises(ProtocolError):
            run(PROMPT, **fake(server.url))

    assert [] == other.seen


@pytest.mark.parametrize(
    "name", ["../../evil.png", "/etc/cron.d/evil", "..\\..\\evil.png", "nul", ".profile", "a" * 999]
)
def test_files_stay_in_the_folder(run: Runner, tmp_path: Path, name: str) -> None:
    """
    Whatever the service calls its file, it lands in the folder.
    """
    out = tmp_path / "deep" / "out"

    def answerer(seen: Seen) -> Any:
        if seen.method == "POST":
            return shop(seen)
        if seen.path == "/a.png":
            return shop(seen)
        claims = [["file", name, "/a.png"], ["end", "succeeded"]]
        return 200, {}, json.dumps({"claims": claims}).encode()

    with loopback(answerer) as server:
        events = run(PROMPT, out=out, **fake(server.url))
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert isinstance(events[-1], JobSucceeded)
    assert 1 == len(everything)
    assert out == everything[0].parent
    assert str(everything[0]) == events[-1].files[0].path


def test_page_in_place_of_a_file(run: Runner, tmp_path: Path) -> None:
    """
    A login page is no picture: nothing is saved, and the person hears of it.
    """
    page = (200, {"Content-Type": "text/html"}, b"<html>please log in</html>")
    with loopback(lambda seen: shop(seen, file=page)) as server:
        events = run(PROMPT, out=tmp_path, **fake(server.url))

    assert [] == list(tmp_path.iterdir())
    assert Notice("`a.png` could not be fetched: there is a web page in its place") in events


def test_cut_file(run: Runner, tmp_path: Path) -> None:
    """
    A file that ends early is not kept, not even under a temporary name.
    """
    cut = (200, {"Content-Type": "image/png", "Content-Length": "1000"}, b"pict")

    with loopback(lambda seen: shop(seen, file=cut)) as server:
        events = run(PROMPT, out=tmp_path, **fake(server.url))
    said = f"`a.png` could not be fetched: no answer from {server.url}: the connection broke off"

    assert [] == list(tmp_path.iterdir())
    assert Notice(said) in events


def test_too_large_a_file(run: Runner, tmp_path: Path) -> None:
    """
    A file above the limit is left where it is.
    """
    from comfygraph.jobs.files import open_folder

    with loopback(shop) as server:
        events = run(PROMPT, out=open_folder(tmp_path, max_bytes=3), **fake(server.url))

    assert [] == list(tmp_path.iterdir())
    assert Notice("`a.png` could not be fetched: it is larger than 3 bytes") in events


def test_header_that_cannot_be_sent(run: Runner) -> None:
    """
    A key with a line break is refused before anything is sent, and is not in the message.
    """
    from comfygraph.targets.http import Secret, bearer

    with loopback(shop) as server, pytest.raises(UsageError) as caught:
        run(PROMPT, **fake(server.url, auth=bearer(Secret("key\nwith break"))))

    assert [] == server.seen
    assert "with break" not in str(caught.value)


class Lines:
    """
    Reads a byte stream of JSON lines, however it is cut.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, frame: str | bytes) -> tuple[Observation, ...]:
        """
        Take the next piece.
        """
        assert isinstance(frame, bytes)
        *lines, self._rest = (self._rest + frame).split(b"\n")
        return tuple(seen for line in lines for seen in observations(json.loads(line)))


class TracingTarget(FakeTarget):
    """
    A service that tells what happens in a file that grows.
    """

    def stream(self, ref: JobRef) -> LiveStream | None:
        """Give the file, once there is a job."""
        if not ref.job_id:
            return None
        url = f"{self.base_url}/trace"
        request = StreamRequest("bytes", url, auth=self.auth, home=self.base_url)
        return LiveStream(request, Lines())


def test_byte_stream(run: Runner) -> None:
    """
    A stream that is a growing file is read as it comes; when it ends the service is asked.
    """
    trace = b'[["node", "1", "started"]]\n[["node", "1", "finished"]]\n[["now"]]\n'
    polls: list[float] = []

    def answerer(seen: Seen) -> Any:
        if seen.path == "/trace":
            return 200, {"Content-Type": "application/octet-stream"}, trace
        if seen.method == "GET":
            polls.append(time.monotonic())
            over = [["end", "succeeded"]] if len(polls) > 1 else []
            return 200, {}, json.dumps({"claims": over}).encode()
        return shop(seen)

    with loopback(answerer) as server:
        options = fake(server.url)
        options["target"] = TracingTarget(base_url=server.url, policy=QUICK)
        options["policy"] = replace(QUICK, poll_intervals=(100.0,))
        events = run(PROMPT, **options)

    assert ["JobQueued", "JobStarted", "NodeStarted", "NodeFinished", "JobSucceeded"] == [
        type(event).__name__ for event in events
    ]
    assert {"Bearer s3cret"} == {seen.headers.get("authorization") for seen in server.seen}
    assert polls[-1] - polls[0] < 60


def test_byte_stream_that_is_late_and_then_whole(run: Runner) -> None:
    """
    A stream that is not there yet is asked for until it is; one that came to its end never again.
    """
    trace = b'[["node", "1", "started"]]\n[["node", "1", "finished"]]\n'
    asked: list[str] = []
    late = 7

    def answerer(seen: Seen) -> Any:
        if seen.path == "/trace":
            asked.append("trace")
            return (404, {}, b"") if asked.count("trace") <= late else (200, {}, trace)
        if seen.method == "GET":
            asked.append("poll")
            if asked.count("trace") > late:
                asked.append("poll after")
            over = [["end", "succeeded"]] if asked.count("poll after") > 5 else []
            return 200, {}, json.dumps({"claims": over}).encode()
        return shop(seen)

    with loopback(answerer) as server:
        options = fake(server.url)
        options["target"] = TracingTarget(base_url=server.url, policy=QUICK)
        events = run(PROMPT, **options)

    assert ["NodeStarted", "NodeFinished", "JobSucceeded"] == [
        type(event).__name__ for event in events[-3:]
    ]
    assert late + 1 == asked.count("trace")


def test_interrupt_leaves_the_job_whole(emulator: Emulator) -> None:
    """
    An interrupt in the middle of waiting loses nothing: the same job is iterated on.
    """
    import _thread

    emulator.speed = 10.0
    job = submit(_seeded(6), **quick(target_of(emulator, "comfyui")))
    timer = threading.Timer(0.15, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in job:
            pass
    timer.join()
    rest = list(job)

    assert isinstance(rest[-1], JobSucceeded)


def test_a_cancel_is_heard_while_a_task_ends() -> None:
    """
    A task of ours that takes a while to end does not swallow that we are cancelled ourselves.
    """

    async def scene() -> tuple[bool, bool]:
        left = asyncio.Event()

        async def slow() -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                await left.wait()

        task = asyncio.create_task(slow())
        await asyncio.sleep(0)
        ours = asyncio.create_task(end_task(task))
        await asyncio.sleep(0)
        ours.cancel()
        await asyncio.wait([ours], timeout=30)
        left.set()
        await asyncio.wait([task], timeout=30)
        return ours.cancelled(), task.cancelled()

    assert (True, True) == asyncio.run(scene())
