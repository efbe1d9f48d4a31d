"""
The conversation about one job: every wait, retry and decision, in a world without I/O.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from jobs_world import (
    BASE,
    KEY,
    LOST,
    POLICY,
    REFUSED,
    FakeTarget,
    Reply,
    Service,
    World,
    answer,
    submission,
)

from comfygraph.errors import (
    AuthenticationError,
    DeadlinePassed,
    NotFound,
    ProtocolError,
    RateLimited,
    ServiceUnavailable,
    SubmissionUncertain,
)
from comfygraph.jobs.effects import Stage
from comfygraph.targets.base import JobRef, Policy
from comfygraph.targets.events import JobCancelled, JobQueued, JobSucceeded, NodeFinished, Notice
from comfygraph.targets.http import HttpRequest, HttpResponse, Resend

TAKEN = answer({"id": "1"})
RUNNING = answer({"claims": [["job", "started"]]})
DONE = answer({"claims": [["node", "2", "finished"], ["end", "succeeded"]]})
NOTHING = answer({})
FOUND = answer({"id": "1"})


def script(**replies: list[Reply] | Reply) -> Service:
    """
    Answer by route, in order, the last answer again and again: `submit`, `poll`, `cancel`, `find`,
    `refresh`, `file`.
    """
    lines = {name: given if isinstance(given, list) else [given] for name, given in replies.items()}
    lines = {"submit": [TAKEN], "poll": [DONE], "find": [NOTHING], "cancel": [NOTHING], **lines}

    def service(request: HttpRequest, seconds: float) -> Reply:
        path = request.url.removeprefix(BASE)
        match request.method, path:
            case "POST", "/jobs":
                line = lines["submit"]
            case "POST", "/refresh":
                line = lines["refresh"]
            case "POST", _:
                line = lines["cancel"]
            case _, _ if path.startswith("/find"):
                line = lines["find"]
            case _, _ if path.startswith("/jobs/"):
                line = lines["poll"]
            case _:
                line = lines["file"]
        return line.pop(0) if len(line) > 1 else line[0]

    return service


def test_plain_run() -> None:
    """
    A job is handed in, polled at growing intervals, and told to its end.
    """
    world = World(script(poll=[RUNNING, RUNNING, RUNNING, RUNNING, DONE]))
    world.run()

    assert [
        JobQueued("1"),
        world.events[1],
        NodeFinished("2"),
        JobSucceeded("1"),
    ] == world.events
    assert [Stage.INTENDED, Stage.ACCEPTED, Stage.ENDED] == world.marks
    # the pauses are 1 after news, then 2, 4, 4 while nothing happens
    assert [1.0, 2.0, 4.0, 8.0, 12.0] == world.times("GET /jobs/1")


def test_service_sets_the_pause() -> None:
    """
    A pause that the target asks for takes the place of the policy's.
    """
    world = World(script(poll=[answer({"claims": [], "next": 7.5}), DONE]))
    world.run()

    assert [1.0, 8.5] == world.times("GET /jobs/1")


def test_refused_connection_is_tried_again() -> None:
    """
    Where surely nothing was sent, even a submit that must not be sent twice is tried again.
    """
    world = World(script(submit=[REFUSED, REFUSED, TAKEN]))
    world.run()

    assert [0.0, 0.5, 1.5] == world.times("POST /jobs")
    assert "JobSucceeded" == world.names()[-1]


def test_service_down() -> None:
    """
    When nobody is there the job is surely not handed in, and the error says where nobody was.
    """
    world = World(script(submit=REFUSED))
    with pytest.raises(ServiceUnavailable) as caught:
        world.run()

    assert "no answer from http://service.test: connection refused" == caught.value.message
    assert [Stage.INTENDED, Stage.REFUSED] == world.marks
    assert 4 == len(world.times("POST /jobs"))


def test_lost_answer_is_looked_up() -> None:
    """
    A submit without a key at the service is never sent again; the job that it made is found.
    """
    world = World(script(submit=LOST, find=[NOTHING, FOUND]))
    world.run()

    assert 1 == world.paths().count("POST /jobs")
    assert [Stage.INTENDED, Stage.ACCEPTED, Stage.ENDED] == world.marks
    assert JobSucceeded("1") == world.events[-1]


@pytest.mark.parametrize(("findable", "looks"), [(True, 3), (False, 0)])
def test_lost_answer_stays_uncertain(findable: bool, looks: int) -> None:
    """
    Where nobody can tell whether a submit arrived, that is said, with the key to look for.
    """
    world = World(script(submit=LOST))
    with pytest.raises(SubmissionUncertain) as caught:
        world.run(FakeTarget(findable=findable))

    assert 1 == world.paths().count("POST /jobs")
    assert looks == world.paths().count(f"GET /find?key={KEY}")
    assert [Stage.INTENDED, Stage.UNCERTAIN] == world.marks
    assert KEY in (caught.value.hint or "")


def test_same_key_is_sent_again() -> None:
    """
    Where the service has an idempotency key, the very same bytes go out again.
    """
    world = World(script(submit=[LOST, HttpResponse(502), TAKEN]))
    world.run(FakeTarget(resend=Resend.SAME_KEY))
    bodies = [request.body for request in world.requests if request.method == "POST"]

    assert [f'{{"key": "{KEY}"}}'.encode()] * 3 == bodies
    assert "JobSucceeded" == world.names()[-1]


@pytest.mark.parametrize(
    ("refusal", "findable", "end", "marks"),
    [
        (400, True, "JobSucceeded", [Stage.INTENDED, Stage.ACCEPTED, Stage.ENDED]),
        (401, True, "JobSucceeded", [Stage.INTENDED, Stage.ACCEPTED, Stage.ENDED]),
        (400, False, "SubmissionUncertain", [Stage.INTENDED, Stage.UNCERTAIN]),
        (401, False, "SubmissionUncertain", [Stage.INTENDED, Stage.UNCERTAIN]),
    ],
)
def test_refusal_of_what_was_sent_again(
    refusal: int, findable: bool, end: str, marks: list[Stage]
) -> None:
    """
    A submit that is refused after a 502 may have been taken before: the job is looked for, and
    where that cannot be done it stays uncertain.
    """
    world = World(script(submit=[HttpResponse(502), answer({}, refusal)], find=FOUND))
    try:
        world.run(FakeTarget(resend=Resend.AFTER_ERROR, findable=findable))
        found = world.names()[-1]
    except SubmissionUncertain as exc:
        found = type(exc).__name__

    assert (end, marks) == (found, list(dict.fromkeys(world.marks)))
    assert 2 == world.paths().count("POST /jobs")


def test_server_error_on_submit_is_not_sent_again() -> None:
    """
    A 5xx may come after the job was made: it is looked up once, and else the error is told.
    """
    world = World(script(submit=answer({}, 503)))
    with pytest.raises(ServiceUnavailable) as caught:
        world.run()

    assert "in trouble (503)" == caught.value.message
    assert ["POST /jobs", f"GET /find?key={KEY}"] == world.paths()


def test_server_error_with_a_job_behind_it() -> None:
    """
    A gateway's 504 hides a job that was made: it is adopted.
    """
    world = World(script(submit=answer({}, 504), find=FOUND))
    world.run()

    assert 1 == world.paths().count("POST /jobs")
    assert JobSucceeded("1") == world.events[-1]


def test_web_page_on_submit() -> None:
    """
    A web page in place of an answer is a clear error, after a look whether there is a job.
    """
    page = HttpResponse(200, {}, b"<!DOCTYPE html><html>hello</html>")
    world = World(script(submit=page))
    with pytest.raises(ProtocolError) as caught:
        world.run()

    assert "the answer is a web page, not JSON (HTTP 200)" == caught.value.message
    assert [Stage.INTENDED, Stage.REFUSED] == world.marks


def test_wrong_credentials_end_at_once() -> None:
    """
    401 is told at once; nothing is tried again or looked up.
    """
    world = World(script(submit=answer({}, 401)))
    with pytest.raises(AuthenticationError):
        world.run()

    assert ["POST /jobs"] == world.paths()


def test_retry_after_is_honoured() -> None:
    """
    429 is waited out as long as the service asks, and said, even where nothing may be sent twice.
    """
    world = World(script(submit=[answer({}, 429, Retry_After="17"), TAKEN]))
    world.run()

    assert [0.0, 17.0] == world.times("POST /jobs")
    assert (
        Notice("the service asks for fewer requests (HTTP 429), trying again in 17 s")
        == world.events[0]
    )


def test_retry_after_too_long() -> None:
    """
    A pause longer than our patience is an error at once.
    """
    world = World(script(submit=answer({}, 429, Retry_After="600")))
    with pytest.raises(RateLimited):
        world.run()

    assert ["POST /jobs"] == world.paths()


def test_retry_after_holds_all_jobs_of_the_key() -> None:
    """
    What one job is told to wait, another job of the same account waits as well.
    """
    first = World(script(submit=[answer({}, 429, Retry_After="17"), TAKEN]))
    steps = first.steps(_conversation(first, FakeTarget()))  # stop it where it begins to wait
    while first.paths().count("POST /jobs") < 1 or not first.events:
        next(steps)
    second = World(script(), limits=first.limits)
    second.run()

    assert [17.0] == second.times("POST /jobs")


def test_rate_limit_is_shared() -> None:
    """
    Requests of all jobs of a key together stay inside the service's rate.
    """
    policy = Policy(poll_intervals=(0.1,), requests_per_second=2.0, rate_key="k")
    first = World(script(poll=[RUNNING] * 4 + [DONE]))
    first.run(FakeTarget(policy=policy))
    second = World(script(), limits=first.limits, time=first.time)
    second.run(FakeTarget(policy=policy))
    times = sorted(when for when, _ in first.sent + second.sent)

    assert 8 == len(times)
    assert 0.5 == min(b - a for a, b in itertools.pairwise(times))


def test_deadline() -> None:
    """
    At the deadline following ends, to the second, and the error says that the job may run on.
    """
    world = World(script(poll=RUNNING))
    with pytest.raises(DeadlinePassed) as caught:
        world.run(deadline=30)

    assert "the deadline of 30 s passed, job `1` may still run" == caught.value.message
    assert 130.0 == world.time


def test_outage_while_the_job_runs() -> None:
    """
    A service that is away for a while is asked again; the person hears of it once.
    """
    world = World(script(poll=[RUNNING, *[REFUSED] * 9, DONE]))
    world.run()

    assert [
        "no answer from http://service.test: connection refused; the job may run on, asking again",
        "the service answers again",
    ] == [
        event.message
        for event in world.events
        if isinstance(event, Notice) and "trying again in" not in event.message
    ]
    assert "JobSucceeded" == world.names()[-1]


def test_outage_without_end() -> None:
    """
    Patience with a service that stays away has an end.
    """
    world = World(script(poll=REFUSED))
    with pytest.raises(ServiceUnavailable):
        world.run(patience=60.0)

    assert 161 < world.time < 175


def test_unreadable_answers_are_forgiven_for_a_while() -> None:
    """
    A proxy's page now and then is no end; page after page is.
    """
    page = HttpResponse(200, {}, b"<html>")
    world = World(script(poll=[page, page, DONE]))
    world.run()
    hopeless = World(script(poll=page))
    with pytest.raises(ProtocolError):
        hopeless.run()

    assert "JobSucceeded" == world.names()[-1]
    assert 4 == len(hopeless.times("GET /jobs/1"))


def test_newborn_job_may_be_unknown() -> None:
    """
    Right after its submit a job may be unknown to a part of the service; later it is gone.
    """
    world = World(script(poll=[answer({}, 404), DONE]))
    world.run()
    gone = World(script(poll=[RUNNING] * 5 + [answer({}, 404)]))
    with pytest.raises(NotFound):
        gone.run()

    assert [] == [event for event in world.events if isinstance(event, Notice)]
    assert "JobSucceeded" == world.names()[-1]


def test_attach() -> None:
    """
    A job that was handed in before is followed by its reference, and nothing is sent twice.
    """
    world = World(script())
    world.run(job=JobRef("fake", BASE, "1", KEY))

    assert ["GET /jobs/1"] == world.paths()
    assert JobSucceeded("1") == world.events[-1]


def test_cancel_once() -> None:
    """
    However often somebody asks, the service is asked once; the end is what polls then tell.
    """
    stopped = answer({"claims": [["end", "cancelled"]]})
    world = World(script(poll=[RUNNING, RUNNING, stopped]), cancel_at=[1.5, 1.6, 1.7])
    world.run()

    assert [1.5] == world.times("POST /jobs/1/cancel")
    assert JobCancelled("1") == world.events[-1]
    # the service is asked soon whether it has stopped
    assert [1.0, 1.5, 1.6] == world.times("GET /jobs/1")


def test_cancel_does_not_wait_for_a_long_poll() -> None:
    """
    A poll that the service holds is dropped for a cancel.
    """
    stopped = answer({"claims": [["end", "cancelled"]]})
    world = World(script(poll=[(20.0, RUNNING), stopped]), cancel_at=[3.0])
    world.run()

    assert [3.0] == world.times("POST /jobs/1/cancel")
    assert JobCancelled("1") == world.events[-1]


def test_cancel_before_anything_was_sent() -> None:
    """
    While a submit waits to be tried again, a cancel ends it; nothing is bought.
    """
    world = World(script(submit=[answer({}, 429, Retry_After="50"), TAKEN]), cancel_at=[5.0])
    world.run()

    assert 1 == world.paths().count("POST /jobs")
    assert [Stage.INTENDED, Stage.REFUSED] == world.marks
    assert JobCancelled("") == world.events[-1]


def test_cancel_while_the_submit_is_on_its_way() -> None:
    """
    A submit that may have arrived is waited for, and then the job is cancelled.
    """
    stopped = answer({"claims": [["end", "cancelled"]]})
    world = World(script(submit=(4.0, TAKEN), poll=stopped), cancel_at=[1.0])
    world.run()

    assert [4.0] == world.times("POST /jobs/1/cancel")
    assert JobCancelled("1") == world.events[-1]


def test_cancel_that_fails() -> None:
    """
    A service that does not take the cancel is no reason to lose the job.
    """
    world = World(script(poll=[RUNNING, DONE], cancel=answer({}, 401)), cancel_at=[1.5])
    world.run()

    assert Notice("the service did not take the cancel: wrong credentials") in world.events
    assert "JobSucceeded" == world.names()[-1]


def test_cancel_too_late() -> None:
    """
    A job that is over already ends as it did.
    """
    too_late = answer({"accepted": False, "claims": [["end", "succeeded"]]})
    world = World(script(poll=RUNNING, cancel=too_late), cancel_at=[1.5])
    world.run()

    assert JobSucceeded("1") == world.events[-1]


STREAMING = Policy(
    poll_intervals=(1.0, 2.0, 4.0), stream_poll_interval=10.0, stream_first=True, deadline=1000.0
)


def test_stream_comes_first() -> None:
    """
    A stream that repeats nothing is opened before the submit; what it tells early comes after
    the news that the job is taken.
    """
    frames: list[Any] = [(0.5, [["node", "1", "started"]]), (3.0, [["node", "1", "finished"]])]
    world = World(script(submit=(1.0, TAKEN), poll=[RUNNING, DONE]), frames=frames)
    world.run(FakeTarget(policy=STREAMING, streaming=True))

    assert [0.0] == world.opened
    assert ["JobQueued", "JobStarted", "NodeStarted", "NodeFinished"] == world.names()[:4]
    assert [1.0, 1.0, 1.0, 3.0] == world.told_at[:4]
    # the stream is heard, so polls are rare
    assert [2.0, 12.0] == world.times("GET /jobs/1")


def test_stream_says_look_now() -> None:
    """
    When the stream says that the job is over, the service is asked at once, and soon again.
    """
    world = World(script(poll=[RUNNING, RUNNING, RUNNING, DONE]), frames=[(5.0, [["now"]])])
    world.run(FakeTarget(policy=STREAMING, streaming=True))

    assert [1.0, 5.0, 5.1, 5.3] == world.times("GET /jobs/1")


def test_stream_that_fails_to_open() -> None:
    """
    Without a stream polling carries the job; opening is tried a few times.
    """
    world = World(script(poll=[RUNNING] * 30 + [DONE]), stream_opens=False)
    world.run(FakeTarget(policy=STREAMING, streaming=True))

    assert [0.0, 0.5, 1.5, 3.5, 7.5] == world.opened
    assert [1.0, 2.0, 4.0, 8.0, 12.0] == world.times("GET /jobs/1")[:5]
    assert "JobSucceeded" == world.names()[-1]


def test_stream_that_is_lost() -> None:
    """
    When a stream breaks the service is asked at once, which fills the gap, and it is opened again.
    """
    frames: list[Any] = [(3.3, "lost")]
    world = World(script(poll=[RUNNING, RUNNING, DONE]), frames=frames)
    world.run(FakeTarget(policy=STREAMING, streaming=True))

    assert [0.0, 3.8] == world.opened[:2]
    assert [1.0, 3.3] == world.times("GET /jobs/1")[:2]


def test_stream_that_is_silent() -> None:
    """
    A stream on which nothing comes does not keep us from polling at the usual pace.
    """
    world = World(script(poll=[RUNNING] * 12 + [DONE]))
    world.run(FakeTarget(policy=STREAMING, streaming=True))

    assert [1.0, 11.0, 21.0, 25.0, 29.0] == world.times("GET /jobs/1")[:5]


def _conversation(world: World, target: FakeTarget) -> Any:
    from comfygraph.jobs.conversation import Conversation

    return Conversation(target, submission(), settings=world.settings(), policy=POLICY)
