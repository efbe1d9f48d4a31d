"""
The story of a job: forward only, one end, whatever was lost, repeated or out of order.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jobs_world import observations

from comfygraph.jobs.ledger.story import Story, compact
from comfygraph.targets.events import (
    JobFailed,
    JobSucceeded,
    NodeStarted,
    OutputFile,
    OutputReady,
)
from comfygraph.targets.observations import Observation
from comfygraph.targets.tracker import Tracker

_ENDS = {"JobSucceeded", "JobFailed", "JobCancelled"}
_NODE_ENDS = {"NodeFinished", "NodeCached", "NodeFailed"}

UPDATES: list[Any] = [
    ["job", "queued"], ["job", "started"], ["node", "1", "started"], ["step", "1", 1, 4],
    ["step", "1", 3, 4], ["node", "1", "finished"], ["node", "2", "cached"],
    ["node", "3", "failed"], ["file", "a.png", "/a.png"], ["file", "b.png", "/b.png"],
    ["end", "succeeded"], ["end", "failed"], ["end", "cancelled"],
]  # fmt: skip
answers = st.lists(st.lists(st.sampled_from(UPDATES), max_size=6), max_size=12)
"""Any updates in any order, lost, repeated, in answers of any length."""


def told(followings: list[list[list[Any]]]) -> list[dict[str, Any]]:
    """
    Follow a job several times, as one process after the other does; give the story that is kept.
    """
    kept: list[dict[str, Any]] = []
    for answers_of_one in followings:
        story, tracker = Story(kept), Tracker("7")
        for claims in answers_of_one:
            seen: tuple[Observation, ...] = observations(claims)
            for event in tracker.feed(seen):
                admitted = story.admit(event)
                if admitted is not None:
                    assert admitted[0] == len(kept)
                    kept.append(admitted[1])
    return kept


@given(st.lists(answers, max_size=4))
def test_a_story_moves_forward_and_ends_once(followings: list[list[list[Any]]]) -> None:
    """
    Queued, started, each node at most once begun and once ended, each file once, one end, last.
    """
    story = told(followings)
    kinds = [body["type"] for body in story]
    ends = [place for place, kind in enumerate(kinds) if kind in _ENDS]
    for kind in ("JobQueued", "JobStarted"):
        assert kinds.count(kind) <= 1
    if "JobQueued" in kinds and "JobStarted" in kinds:
        assert kinds.index("JobQueued") < kinds.index("JobStarted")
    for node in {body["node_id"] for body in story if "node_id" in body}:
        own = [body["type"] for body in story if body.get("node_id") == node]
        assert own.count("NodeStarted") <= 1
        assert sum(kind in _NODE_ENDS for kind in own) <= 1
        if "NodeStarted" in own:
            assert 0 == own.index("NodeStarted")
    files = [body["file"]["id"] for body in story if body["type"] == "OutputReady"]

    assert len(files) == len(set(files))
    assert ends in ([], [len(story) - 1])


@given(answers)
def test_following_again_adds_nothing(updates: list[list[Any]]) -> None:
    """
    A job that is followed once more to the same point has the same story.
    """
    assert told([updates]) == told([updates, updates])


def test_signed_addresses_are_not_kept() -> None:
    """
    The query of an address lets in whoever reads it; one below the service's own is no secret.
    """
    signed = OutputFile("https://cdn.test/a.png?Signature=s3cret", "a.png", path="/out/a.png")
    plain = OutputFile("/view?filename=a.png", "a.png")

    assert "https://cdn.test/a.png" == compact(OutputReady(signed))["file"]["url"]
    assert "/view?filename=a.png" == compact(OutputReady(plain))["file"]["url"]
    assert {"type": "JobSucceeded", "job_id": "7"} == compact(JobSucceeded("7", (signed,)))


def test_a_story_is_taken_up_where_it_was_left() -> None:
    """
    Numbers go on; what was told is not told again; nothing follows an end.
    """
    first = Story()
    begun = first.admit(NodeStarted("1"))
    assert begun is not None
    second = Story([begun[1]])

    assert (0, None) == (begun[0], second.admit(NodeStarted("1")))
    end = second.admit(JobFailed("7", "broken"))
    assert (1, "broken") == ((end or (0, {}))[0], (end or (0, {}))[1]["message"])
    assert None is second.admit(NodeStarted("2"))
