"""
The list of jobs that newer ComfyUI servers keep.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from comfygraph.errors import NotFound, UsageError
from comfygraph.targets.comfyui import ComfyUITarget
from comfygraph.targets.comfyui.listing import ServerJob, read_api_job, read_page
from comfygraph.targets.events import JobCancelled, JobFailed, JobSucceeded
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.observations import JobEnded, JobPhase, JobSeen, Outcome
from comfygraph.targets.tracker import Tracker

RECORDINGS = Path(__file__).parent.parent / "data" / "comfyui_ws"


def _calls(name: str, path: str) -> list[Any]:
    with gzip.open(RECORDINGS / f"{name}.jsonl.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    return [
        line["response"]
        for line in lines
        if line.get("path", "").startswith(path) and line.get("status") == 200
    ]


def test_page_of_a_real_server(converse: Any, answer: Any) -> None:
    """
    A recorded page is read whole, times in seconds.
    """
    page = _calls("queue", "/api/jobs?status=pending")[0]
    listed, [request] = converse(
        ComfyUITarget().jobs(["pending", "in_progress"], limit=2), answer(page)
    )

    assert request.url.endswith("/api/jobs?status=pending%2Cin_progress&limit=2&offset=0")
    assert (5, True) == (listed.total, listed.more)
    assert (
        ServerJob("6712a32a-6cd8-4381-90bb-f6686a223e77", "pending", 1795253917.813),
        ServerJob("1c686b1d-c679-4109-9571-feca91cdcef9", "pending", 1795253917.798),
    ) == listed.jobs


def test_ended_jobs_of_a_real_server() -> None:
    """
    Jobs that are over have all times and their number of outputs.
    """
    page = read_page(_calls("queue", "/api/jobs?limit=3")[0])

    assert [("cancelled", 0), ("completed", 1), ("completed", 1)] == [
        (job.status, job.outputs) for job in page.jobs
    ]
    assert all(job.started and job.ended and job.started < job.ended for job in page.jobs)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("simple", JobSucceeded),
        ("sd15_error", JobFailed),
        ("sd15_interrupted", JobCancelled),
        ("expand_cycle", JobFailed),
        ("blocked", JobSucceeded),
    ],
)
def test_job_of_a_real_server(name: str, end: type) -> None:
    """
    The server calls a job with a dependency cycle "completed"; its messages say that it failed.
    """
    tracker = Tracker("j")
    tracker.feed(read_api_job(_calls(name, "/api/jobs/")[0]))

    assert end is type(tracker.end)


def test_files_are_those_of_the_history() -> None:
    """
    Both places list the same files.
    """
    [history] = _calls("simple", "/history/")[0].values()
    [job] = _calls("simple", "/api/jobs/")
    told = []
    for document in (job, {"status": "completed", "outputs": history["outputs"]}):
        tracker = Tracker("j")
        tracker.feed(read_api_job(document))
        told.append({file.id for file in tracker.files})

    assert told[0] == told[1] != set()


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({"status": "pending"}, JobSeen(JobPhase.QUEUED)),
        ({"status": "in_progress"}, JobSeen(JobPhase.STARTED)),
        ({"status": "cancelled"}, JobEnded(Outcome.CANCELLED)),
        (None, JobSeen(JobPhase.QUEUED)),
    ],
)
def test_states(job: Any, expected: Any) -> None:
    """
    States without messages are believed.
    """
    assert (expected,) == read_api_job(job)


def test_refusals(converse: Any) -> None:
    """
    A status that is none is refused before anything is sent; an old server has no list.
    """
    with pytest.raises(UsageError):
        ComfyUITarget().jobs(["done"])
    with pytest.raises(NotFound):
        converse(ComfyUITarget().jobs(), HttpResponse(404))
