"""
The tracker: one story that only moves forward, whatever the service says.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from comfygraph.targets import events as ev
from comfygraph.targets.events import OutputFile
from comfygraph.targets.observations import (
    CostSeen,
    FileSeen,
    JobEnded,
    JobPhase,
    JobSeen,
    NodeSeen,
    NodeState,
    NoticeSeen,
    Observation,
    Outcome,
    PollNow,
    PreviewSeen,
    ProgressSeen,
)
from comfygraph.targets.tracker import Tracker

_ENDS = (ev.JobSucceeded, ev.JobFailed, ev.JobCancelled)
_NODE_ENDS = (ev.NodeFinished, ev.NodeCached, ev.NodeFailed)

_ids = st.sampled_from(["1", "2", "3", "12:4"])
_numbers = st.one_of(st.none(), st.floats(), st.integers(-3, 30).map(float))
_files = st.builds(
    OutputFile,
    url=st.sampled_from(["http://h/a.png?s=1", "http://h/a.png?s=2", "/view?filename=a", "b"]),
    name=st.just("a.png"),
    node_id=st.one_of(st.none(), _ids),
    id=st.sampled_from([None, "x", "y"]),
)
_claims: st.SearchStrategy[Observation] = st.one_of(
    st.builds(JobSeen, st.sampled_from(JobPhase), st.one_of(st.none(), st.integers(-2, 9))),
    st.builds(NodeSeen, _ids, st.sampled_from(NodeState), _numbers, _numbers),
    st.builds(FileSeen, _files),
    st.builds(ProgressSeen, st.floats(), st.booleans()),
    st.builds(CostSeen, st.floats()),
    st.builds(PreviewSeen, st.one_of(st.none(), _ids), st.just(b"\xff"), st.just("image/jpeg")),
    st.builds(NoticeSeen, st.sampled_from(["left out", "blocked"])),
    st.just(PollNow()),
)
_end_claims = st.builds(
    JobEnded,
    st.sampled_from(Outcome),
    st.text(max_size=3),
    st.one_of(st.none(), _ids),
    st.booleans(),
)
_answers = st.lists(
    st.lists(st.one_of(*[_claims] * 12, _end_claims), max_size=6), min_size=1, max_size=25
)


def _story(answers: list[list[Observation]]) -> list[ev.Event]:
    tracker = Tracker("j", previews=True)
    return [event for answer in answers for event in tracker.feed(answer)]


@settings(max_examples=150)
@given(_answers)
def test_end_comes_once_and_last(answers: list[list[Observation]]) -> None:
    """
    There is one end exactly when one was claimed, and it is the last event.
    """
    story = _story(answers)
    claimed = any(isinstance(seen, JobEnded) for answer in answers for seen in answer)

    assert int(claimed) == sum(isinstance(event, _ENDS) for event in story)
    assert not claimed or isinstance(story[-1], _ENDS)


@settings(max_examples=150)
@given(_answers)
def test_nodes_only_move_forward(answers: list[list[Observation]]) -> None:
    """
    A node starts at most once, its progress grows strictly within 0 to 1, it ends at most once and
    is silent from then on; no node is told that was not claimed.
    """
    story = _story(answers)
    ended: set[str] = set()
    started: set[str] = set()
    fractions: dict[str, float] = {}
    for event in story:
        match event:
            case ev.NodeStarted(node_id=node_id):
                assert node_id not in started | ended
                started.add(node_id)
            case ev.NodeProgress(node_id=node_id, value=value, max=maximum):
                assert node_id in started - ended
                assert fractions.get(node_id, 0.0) < value / maximum <= 1
                fractions[node_id] = value / maximum
            case ev.NodeFinished() | ev.NodeCached() | ev.NodeFailed():
                assert event.node_id not in ended
                ended.add(event.node_id)
            case _:
                pass
    claimed = {
        seen.node_id
        for answer in answers
        for seen in answer
        if isinstance(seen, NodeSeen | JobEnded)
    }

    assert (started | ended) <= claimed


@settings(max_examples=150)
@given(_answers)
def test_job_only_moves_forward(answers: list[list[Observation]]) -> None:
    """
    Queued comes before started, started comes once, positions shrink, shares of the whole grow,
    and nothing of a node is told before the job has started.
    """
    story = _story(answers)
    starts = [index for index, event in enumerate(story) if isinstance(event, ev.JobStarted)]
    queued = [index for index, event in enumerate(story) if isinstance(event, ev.JobQueued)]
    places = [event.position for event in story if isinstance(event, ev.JobQueued)]
    known = [place for place in places if place is not None]
    shares = [event.fraction for event in story if isinstance(event, ev.JobProgress)]
    nodes = [
        index
        for index, event in enumerate(story)
        if isinstance(event, ev.NodeStarted | ev.NodeProgress | ev.NodeFinished | ev.NodeCached)
    ]

    assert len(starts) <= 1
    assert all(index < start for start in starts for index in queued)
    assert sorted(set(known), reverse=True) == known
    assert sorted(set(shares)) == shares
    assert all(0 < share <= 1 for share in shares)
    assert not nodes or starts[0] < nodes[0]


@settings(max_examples=150)
@given(_answers)
def test_files_are_told_once(answers: list[list[Observation]]) -> None:
    """
    No id is told twice, and the end lists every file that was told.
    """
    story = _story(answers)
    told = [event.file for event in story if isinstance(event, ev.OutputReady)]
    ids = Counter(file.id for file in told if file.id)

    assert all(count == 1 for count in ids.values())
    if story and isinstance(story[-1], _ENDS):
        assert [file.name for file in told] == [file.name for file in story[-1].files]


@settings(max_examples=150)
@given(_answers)
def test_repetition_adds_nothing(answers: list[list[Observation]]) -> None:
    """
    Hearing an answer again at once tells nothing new, but for pictures.
    """
    tracker = Tracker("j")
    for answer in answers:
        tracker.feed(answer)
        again = tracker.feed(answer)

        # of two claims about one node in one answer, the later may be news to the earlier
        assert [] == [e for e in again if not isinstance(e, ev.NodeProgress | ev.JobProgress)]


def test_an_answer_that_says_everything_at_once() -> None:
    """
    A job heard of only when it is over tells its nodes, files and end, and invents no start.
    """
    file = OutputFile("/view?filename=a.png", "a.png", node_id="9")
    tracker = Tracker("j", order=("3", "9"))
    events = tracker.feed(
        [
            JobEnded(Outcome.SUCCEEDED),
            NodeSeen("9", NodeState.FINISHED),
            NodeSeen("3", NodeState.FINISHED),
            FileSeen(file),
            CostSeen(2.4),
        ]
    )

    assert [
        ev.JobStarted("j"),
        ev.NodeFinished("3"),
        ev.NodeFinished("9", (file,)),
        ev.OutputReady(file),
        ev.JobSucceeded("j", (file,), 2.4),
    ] == events
    assert [] == tracker.feed([NodeSeen("4", NodeState.FINISHED)])


def test_success_finishes_what_ran() -> None:
    """
    A node that was seen running is finished when the job succeeds; one only queued stays untold.
    """
    tracker = Tracker("j")
    tracker.feed([NodeSeen("3", NodeState.STARTED), NodeSeen("4", NodeState.QUEUED)])

    assert [ev.NodeFinished("3"), ev.JobSucceeded("j")] == tracker.feed(
        [JobEnded(Outcome.SUCCEEDED)]
    )


def test_failure_names_its_node() -> None:
    """
    A job that fails at a node fails the node first.
    """
    tracker = Tracker("j")

    assert [
        ev.JobStarted("j"),
        ev.NodeFailed("3", "out of memory"),
        ev.JobFailed("j", "out of memory", "3", transient=True),
    ] == tracker.feed([JobEnded(Outcome.FAILED, "out of memory", "3", transient=True)])


def test_newest_address_of_a_file_wins() -> None:
    """
    A file with the same path under a new signature is the same file, and the end has the new one.
    """
    tracker = Tracker("j")
    old = OutputFile("http://h/a.png?Expires=1", "a.png", node_id="9", width=8)
    new = OutputFile("http://h/a.png?Expires=2", "a.png")

    assert [ev.OutputReady(old)] == tracker.feed([FileSeen(old)])
    assert [] == tracker.feed([FileSeen(new)])
    assert (OutputFile(new.url, "a.png", node_id="9", width=8),) == tracker.files
