"""
A hint that there is news, such as a webhook gives, makes the next poll come at once.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest
from jobs_world import FakeTarget, World, answer, submission

from comfygraph.emulator import DEV_TOKEN, Emulator, Faults
from comfygraph.jobs.conversation import Conversation
from comfygraph.jobs.effects import Nudged
from comfygraph.jobs.plan import Plan, make_submission
from comfygraph.jobs.sync_driver import Job
from comfygraph.targets import get_target
from comfygraph.targets.base import Policy
from comfygraph.targets.events import JobSucceeded


def test_a_nudge_is_a_poll_at_once() -> None:
    """
    Where the next poll is far away, a nudge brings it forward, and one poll answers it.
    """

    def service(request: Any, seconds: float) -> Any:
        if request.method == "POST":
            return answer({"id": "1"})
        return answer({"claims": [["end", "succeeded"]] if seconds >= 7 else []})

    world = World(service)
    target = FakeTarget(policy=Policy(poll_intervals=(5.0, 60.0)))
    conversation = Conversation(target, submission(), settings=world.settings())
    world._plan(world.time + 7.5, "us", Nudged())
    for _ in world.steps(conversation):
        pass

    assert [5.0, 7.5] == world.times("GET /jobs/1")


def test_a_nudge_before_the_submit_is_answered_changes_nothing() -> None:
    """
    Nothing is polled before there is a job.
    """

    def service(request: Any, seconds: float) -> Any:
        if request.method == "POST":
            return (3.0, answer({"id": "1"}))
        return answer({"claims": [["end", "succeeded"]]})

    world = World(service)
    conversation = Conversation(FakeTarget(), submission(), settings=world.settings())
    world._plan(world.time + 1.0, "us", Nudged())
    for _ in world.steps(conversation):
        pass

    assert ["POST /jobs", "GET /jobs/1"] == world.paths()


@pytest.mark.timeout(30)
def test_a_job_can_be_nudged_from_another_thread() -> None:
    """
    A job that would be polled once a minute ends soon when a thread, as a receiver of webhooks
    has one, passes the hint on.
    """
    graph = {
        "1": {"class_type": "EmptyImage",
              "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "n"}},
    }  # fmt: skip
    with Emulator(["tams"], speed=0, faults=Faults(qps=0, lag=0)) as emulator:
        config = {"TAMS_API_KEY": DEV_TOKEN, "TAMS_BASE_URL": emulator.url("tams")}
        policy = Policy(poll_intervals=(60.0,))
        plan = Plan(get_target("tams", config), make_submission(graph), policy=policy)
        with Job(plan) as job:
            job.start()
            timer = threading.Timer(0.2, job.nudge)
            timer.start()
            end = job.result()
            timer.join()

    assert isinstance(end, JobSucceeded)
