"""
What may have been bought already: a submit that follows an earlier one, answers that gateways
give in place of the service, machines that sleep.
"""

from __future__ import annotations

import pytest
from jobs_world import (
    KEY,
    LOST,
    REFUSED,
    FakeTarget,
    Reply,
    World,
    answer,
    submission,
)
from test_jobs_conversation import DONE, FOUND, NOTHING, RUNNING, TAKEN, script

from comfygraph.errors import ComfyGraphError
from comfygraph.jobs.batch.pacing import Pace
from comfygraph.jobs.conversation import Conversation
from comfygraph.jobs.effects import Pause, Send, Stage
from comfygraph.jobs.recovery import Doubt
from comfygraph.targets.base import Policy
from comfygraph.targets.events import JobCancelled
from comfygraph.targets.http import HttpResponse, Resend

HOURS = 3 * 3600.0


def doubt(**others: object) -> Doubt:
    """
    Give a submission that may have been sent before.
    """
    return Doubt(submission(), FakeTarget().reference(submission()), **others)  # type: ignore[arg-type]  # as named


def end_of(world: World, target: FakeTarget, job: Doubt | None = None) -> str:
    """
    Have a conversation; give the name of its last event, or of what ended it early.
    """
    conversation = Conversation(target, job or submission(), settings=world.settings())
    try:
        for _ in world.steps(conversation):
            pass
    except ComfyGraphError as exc:
        return type(exc).__name__
    return world.names()[-1]


@pytest.mark.parametrize(
    ("forced", "submit", "end"),
    [
        (True, REFUSED, "ServiceUnavailable"),
        (True, answer({}, 401), "AuthenticationError"),
        (True, answer({}, 503), "ServiceUnavailable"),
        (False, answer({}, 400), "Rejected"),
    ],
)
def test_a_second_submit_that_fails_says_nothing_of_the_first(
    forced: bool, submit: Reply, end: str
) -> None:
    """
    What was sent before and is sent again on trust stays uncertain when the second one is refused:
    the first may have made a job.
    """
    policy = Policy(key_memory=0.0 if forced else 1000.0)
    world = World(script(submit=submit))
    found = end_of(world, FakeTarget(policy=policy), doubt(age=10.0, force=forced))

    assert (end, [Stage.INTENDED, Stage.UNCERTAIN]) == (found, world.marks)


def test_a_second_submit_that_is_left_says_nothing_of_the_first() -> None:
    """
    A cancel that comes before the second submit leaves it uncertain too.
    """
    world = World(script(submit=[answer({}, 429, Retry_After="50"), TAKEN]), cancel_at=[5.0])
    found = end_of(world, FakeTarget(), doubt(force=True))

    assert ("SubmissionUncertain", Stage.UNCERTAIN) == (found, world.marks[-1])
    assert 1 == world.paths().count("POST /jobs")


def test_where_an_older_job_vouches_there_surely_is_none() -> None:
    """
    A service that still knows an older job would know this one: refused then, it is no job.
    """
    witness = FakeTarget().reference(submission("older"))
    world = World(script(submit=answer({}, 401), find=[NOTHING, NOTHING, FOUND]))
    found = end_of(world, FakeTarget(), doubt(witnesses=(witness,)))

    assert ("AuthenticationError", Stage.REFUSED) == (found, world.marks[-1])


def test_a_cancel_does_not_trust_a_list() -> None:
    """
    A job that is looked for only to be cancelled is not crossed out because a list lacks it, though
    the service would know its key.
    """
    world = World(script())
    target = FakeTarget(policy=Policy(key_memory=1000.0))
    found = end_of(world, target, doubt(age=10.0, send=False))

    assert ("SubmissionUncertain", [Stage.UNCERTAIN]) == (found, world.marks)
    assert JobCancelled("") not in world.events


@pytest.mark.parametrize("status", [502, 504, 520, 524])
@pytest.mark.parametrize("found", [NOTHING, FOUND])
def test_a_gateway_that_heard_nothing_is_a_lost_answer(status: int, found: HttpResponse) -> None:
    """
    Behind a gateway the service may be at work on the submit: the job is looked for until it would
    have shown, and else is uncertain.
    """
    world = World(script(submit=answer({}, status), find=[NOTHING, NOTHING, found]))
    end = end_of(world, FakeTarget())
    expected = (
        ("JobSucceeded", Stage.ENDED)
        if found is FOUND
        else ("SubmissionUncertain", Stage.UNCERTAIN)
    )

    assert expected == (end, world.marks[-1])
    assert 3 == world.paths().count(f"GET /find?key={KEY}")
    assert 1 == world.paths().count("POST /jobs")


def test_a_lost_answer_is_not_made_good_by_a_busy_service() -> None:
    """
    The first submit is lost, the next ones are refused for now: what the first did is unknown.
    """
    world = World(script(submit=[LOST, answer({}, 503)]))
    end = end_of(world, FakeTarget(resend=Resend.SAME_KEY))

    assert ("SubmissionUncertain", Stage.UNCERTAIN) == (end, world.marks[-1])


def test_what_is_sent_is_written_down_after_all_waiting() -> None:
    """
    Between the note and the bytes nothing is waited for: whoever takes the job over while we wait
    is seen before we send.
    """
    policy = Policy(requests_per_second=0.1, rate_key="k")
    world = World(script(submit=[answer({}, 429, Retry_After="30"), REFUSED, TAKEN]))
    world.limits.hold("k", world.time + 20.0)
    end = end_of(world, FakeTarget(policy=policy))

    assert "JobSucceeded" == end
    assert [20.0, 50.0, 60.0] == world.intended
    assert world.intended == world.times("POST /jobs")


def slept(world: World, conversation: Conversation, kind: type, count: int) -> None:
    """
    Have a conversation, and let the machine sleep for hours in one of its waits.
    """
    waits = 0
    for effect in world.steps(conversation):
        if isinstance(effect, kind):
            waits += 1
            if waits == count:
                world.time += HOURS


@pytest.mark.parametrize("kind", [Pause, Send])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_machine_that_sleeps_misses_no_deadline(kind: type, count: int) -> None:
    """
    A laptop that was closed for hours follows the job when it is opened again: that time counts
    against no deadline.
    """
    world = World(script(poll=[RUNNING, RUNNING, RUNNING, DONE]))
    conversation = Conversation(
        FakeTarget(), submission(), settings=world.settings(), deadline=60.0
    )
    slept(world, conversation, kind, count)

    assert "JobSucceeded" == world.names()[-1]
    assert 1 == world.paths().count("POST /jobs")


def test_a_machine_that_sleeps_keeps_its_patience() -> None:
    """
    A line that is not up yet when the machine wakes is waited for as ever.
    """
    world = World(script(poll=[RUNNING, *[REFUSED] * 12, DONE]))
    conversation = Conversation(FakeTarget(), submission(), settings=world.settings(patience=120.0))
    slept(world, conversation, Pause, 6)

    assert "JobSucceeded" == world.names()[-1]


def test_a_batch_does_not_learn_from_a_sleep() -> None:
    """
    One job in which the machine slept for hours makes no others wait to be asked for.
    """
    pace = Pace(Policy(poll_intervals=(1.0, 5.0)), concurrency=4)
    for seconds in (2.0, 2.0, HOURS):
        pace.took(seconds)

    assert max(pace.intervals()[:7]) < 5.0


def test_limits_survive_a_sleep() -> None:
    """
    Another job of the account, which began after the sleep, neither waits for hours nor hastens.
    """
    policy = Policy(poll_intervals=(1.0,), requests_per_second=2.0, rate_key="k")
    first = World(script(poll=[RUNNING, RUNNING, RUNNING, answer({}, 429, Retry_After="9"), DONE]))
    conversation = Conversation(FakeTarget(policy=policy), submission(), settings=first.settings())
    slept(first, conversation, Pause, 2)
    second = World(script(), limits=first.limits, time=first.time)
    second.run(FakeTarget(policy=policy))

    assert "JobSucceeded" == first.names()[-1]
    assert [0.5] == second.times("POST /jobs")
