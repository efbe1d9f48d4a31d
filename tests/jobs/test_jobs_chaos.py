"""
Whatever a service does: one job is bought at most, and there is one end.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from jobs_world import BASE, LOST, REFUSED, FakeTarget, Reply, World, answer

from comfygraph.errors import ComfyGraphError
from comfygraph.jobs.effects import Stage
from comfygraph.jobs.files import Folder
from comfygraph.targets.events import JobEnd, OutputReady
from comfygraph.targets.http import HttpRequest, HttpResponse, Resend

_GOOD, _MOODS = 0, 9


class Shop:
    """
    A service that counts what it sold.

    Args:
        moods: How it takes each request; good when they are used up.
        keyed: Whether it knows a key that it has seen.
        steps: After how many polls a job is done.
    """

    def __init__(self, moods: list[int], keyed: bool, steps: int) -> None:
        self._moods = moods
        self._keyed = keyed
        self._left = steps
        self.keys: list[bytes] = []

    def __call__(self, request: HttpRequest, seconds: float) -> Reply:
        """Answer, in the next mood."""
        mood = self._moods.pop(0) if self._moods else _GOOD
        match mood:
            case 1:
                return REFUSED
            case 2:
                return LOST
            case 3:
                self._serve(request)
                return LOST
            case 4:
                return answer({}, 429, Retry_After="1")
            case 5:
                return answer({}, 503)
            case 6:
                self._serve(request)
                return answer({}, 502)
            case 7:
                self._serve(request)
                return HttpResponse(200, {}, b"<html>")
            case 8:
                return 40.0, self._serve(request)
            case _:
                return self._serve(request)

    def _serve(self, request: HttpRequest) -> HttpResponse:
        path = request.url.removeprefix(BASE)
        if request.method == "POST" and path == "/jobs":
            if not (self._keyed and request.body in self.keys):
                self.keys.append(request.body)
            return answer({"id": "1"})
        if request.method == "POST":
            return answer({"claims": [["end", "cancelled"]]})
        if path.startswith("/find"):
            return answer({"id": "1"} if self.keys else {})
        if path.startswith("/jobs/"):
            self._left -= 1
            files = [["file", "a.png", "/a.png"]]
            over = [["end", "succeeded"]] if self._left < 0 else []
            return answer({"claims": [["job", "started"], *files, *over]})
        return HttpResponse(200, {}, b"picture")


@settings(max_examples=400, deadline=None)
@given(
    moods=st.lists(st.sampled_from(range(_MOODS)), max_size=24),
    resend=st.sampled_from([Resend.NEVER, Resend.SAME_KEY]),
    steps=st.integers(0, 4),
    cancel_at=st.lists(st.floats(0, 60), max_size=2),
    chance=st.floats(0, 1),
    streaming=st.booleans(),
)
def test_bought_once_and_ended_once(
    moods: list[int],
    resend: Resend,
    steps: int,
    cancel_at: list[float],
    chance: float,
    streaming: bool,
) -> None:
    """
    For any sequence of lost, refused, repeated, broken and slow answers a job is bought at most
    once; the conversation ends with exactly one end, the last event, or with an error of ours;
    where it says that there surely is no job, there is none.
    """
    shop = Shop(list(moods), resend is Resend.SAME_KEY, steps)
    frames = [(2.0, [["node", "1", "started"]]), (5.0, "lost")] if streaming else []
    world = World(shop, chance=chance, cancel_at=cancel_at, frames=frames)
    target = FakeTarget(resend=resend, streaming=streaming)
    error: ComfyGraphError | None = None
    try:
        world.run(target, folder=Folder(Path("out")))
    except ComfyGraphError as exc:
        error = exc
    ends = [event for event in world.events if isinstance(event, JobEnd)]
    files = [event for event in world.events if isinstance(event, OutputReady)]

    assert len(shop.keys) <= 1
    assert len(files) <= 1
    assert (len(ends) == 1 and ends[0] is world.events[-1]) != (error is not None)
    if Stage.REFUSED in world.marks:
        assert [] == shop.keys
    if Stage.ACCEPTED in world.marks:
        assert 1 == len(shop.keys)
