"""
Seven things that the recorded answer of TAMS shows and that a naive client gets wrong.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from comfygraph.core.values import Prompt
from comfygraph.jobs.progress import Progress
from comfygraph.targets import events as ev
from comfygraph.targets.base import JobRef
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.tams import TamsTarget
from comfygraph.targets.tams.job import read_job
from comfygraph.targets.tracker import Tracker

JOB = "683082404926062625"


@pytest.fixture
def running(seed: Callable[[str], Any]) -> dict[str, Any]:
    """
    Give the recorded job.
    """
    job: dict[str, Any] = copy.deepcopy(seed("tams_running")["job"])
    return job


def item_of(job: dict[str, Any]) -> dict[str, Any]:
    """
    Give what the job says of its graph.
    """
    item: dict[str, Any] = job["runningInfo"]["workflowFinishItem"]
    return item


def events_of(*jobs: Any, order: tuple[str, ...] = ()) -> list[ev.Event]:
    """
    Give the events of answers, one after the other.
    """
    tracker = Tracker(JOB, order=order)
    return [event for job in jobs for event in tracker.feed(read_job(job))]


def finished(events: list[ev.Event]) -> list[str]:
    """
    Give the nodes that are done.
    """
    return [event.node_id for event in events if isinstance(event, ev.NodeFinished)]


def test_trap_1_nodes_are_partial(running: dict[str, Any], seed_prompt: Prompt) -> None:
    """
    Five of eleven nodes are listed though all are done. The others are not told as done, waiting
    or failed, and once the job has succeeded the progress is whole all the same.
    """
    done = {"id": JOB, "status": "SUCCESS", "successInfo": running["runningInfo"]}
    events = events_of(running, done)
    progress = Progress(seed_prompt, runs=frozenset(seed_prompt), clock=lambda: 0.0)
    shares = []
    for event in events:
        progress.feed(event)
        shares.append(progress.fraction)
    told = {getattr(event, "node_id", None) for event in events} - {None}

    assert (11, {"3", "9", "16", "17", "18"}) == (len(seed_prompt), told)
    assert sorted(shares) == shares
    assert 1.0 == shares[-1]


def test_trap_2_process_is_missing_on_nodes_that_are_done(running: dict[str, Any]) -> None:
    """
    A node that is done is done, with a `process` or without; a running one without it merely
    runs, and no share is made up.
    """
    nodes = item_of(running)["nodes"]
    assert {"3", "17"} == {key for key, node in nodes.items() if "process" in node}
    events = events_of(running)
    nodes["3"] = {"id": "3", "status": "RUNNING"}
    indeterminate = events_of(running)

    assert ["16", "17", "18", "3", "9"] == finished(events)
    assert ev.NodeStarted("3") in indeterminate
    assert not any(isinstance(event, ev.NodeProgress) for event in indeterminate)


def test_trap_3_the_job_runs_while_its_graph_is_done(running: dict[str, Any]) -> None:
    """
    `workflowFinishItem` says SUCCESS and the job RUNNING: files are told early, the end is not.
    """
    events = events_of(running)

    assert ("RUNNING", "SUCCESS") == (running["status"], item_of(running)["status"])
    assert 2 == sum(isinstance(event, ev.OutputReady) for event in events)
    assert not any(isinstance(event, ev.JobEnd) for event in events)


def test_trap_4_addresses_are_plain_http_and_expire(
    running: dict[str, Any], converse: Any, answer: Any
) -> None:
    """
    `http:` addresses are fetched, without our key, and a stale one is asked for anew by the id
    of the picture.
    """
    from comfygraph.targets.http import Secret, bearer

    target = TamsTarget(auth=bearer(Secret("k")), base_url="https://tams.test")
    ref = JobRef("tams", "https://tams.test", JOB, "k")
    stale = next(event.file for event in events_of(running) if isinstance(event, ev.OutputReady))
    again = json.loads(json.dumps({"job": running}).replace("Expires=", "Expires=9"))
    fresh, [request] = converse(target.refresh(ref, stale), answer(again))
    fetched = target.download(ref, fresh)

    assert f"https://tams.test/v1/jobs/{JOB}" == request.url
    assert stale.url.startswith("http://")
    assert (stale.id, stale.url.replace("Expires=", "Expires=9")) == (fresh.id, fresh.url)
    assert (fresh.url, {}) == (fetched.url, fetched.wire_headers())


def test_trap_5_more_pictures_than_the_graph_gives(
    running: dict[str, Any], seed_prompt: Prompt
) -> None:
    """
    A batch of one gave two pictures: both are told, with the node that made them.
    """
    assert 1 == seed_prompt["5"].inputs["batch_size"]
    files = [event.file for event in events_of(running) if isinstance(event, ev.OutputReady)]

    assert ["9", "9"] == [file.node_id for file in files]
    assert 2 == len({file.id for file in files})


@pytest.mark.parametrize("turn", [False, True])
def test_trap_6_the_order_of_the_map_means_nothing(running: dict[str, Any], turn: bool) -> None:
    """
    Nodes are told in the order of the graph, however the map is ordered.
    """
    item = item_of(running)
    item["nodes"] = dict(sorted(item["nodes"].items(), reverse=turn))
    order = ("4", "5", "10", "14", "6", "7", "3", "16", "17", "18", "9")

    assert ["3", "16", "17", "18", "9"] == finished(events_of(running, order=order))


@pytest.mark.parametrize("spelling", ['"683082404926062625"', "683082404926062625"])
def test_trap_7_ids_are_texts_and_keep_their_digits(spelling: str, converse: Any) -> None:
    """
    An id beyond what a float can hold is the same whether it comes as a text or as a number.
    """
    from comfygraph.targets.base import Submission
    from comfygraph.targets.http import Secret, bearer

    assert int(JOB) != int(float(JOB))
    target = TamsTarget(auth=bearer(Secret("k")), base_url="https://tams.test")
    body = f'{{"job":{{"id":{spelling},"status":"CREATED"}}}}'.encode()
    prompt = Prompt.from_json({"1": {"class_type": "A", "inputs": {}}})
    submitted, _ = converse(target.submit(Submission(prompt, "k")), HttpResponse(200, {}, body))

    assert JOB == submitted.ref.job_id
