"""
Frames of groups: what stands in them, what does not, and what cannot be.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from comfygraph.workflow.arrange import Wire, arrange
from comfygraph.workflow.clusters import DEEPEST, Arranged, arrange_groups

NAMES = st.sampled_from([None, "a", "b", "a/x", "a/x/y", "a/y", "b/x", "", "/", "a//b"])


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[Wire], list[str | None]]:
    sizes = draw(st.lists(st.tuples(st.integers(150, 400), st.integers(40, 500)), max_size=14))
    ends = st.integers(0, max(0, len(sizes) - 1))
    links = draw(st.lists(st.tuples(ends, ends), max_size=30 if sizes else 0))
    groups = draw(st.lists(NAMES, min_size=len(sizes), max_size=len(sizes)))
    return sizes, [Wire(one, other, 20, 30) for one, other in links], groups


def _above(made: Arranged, number: int) -> set[int]:
    found = {number}
    while made.frames[number].parent >= 0:
        number = made.frames[number].parent
        found.add(number)
    return found


@given(_graphs())
def test_frames_hold_their_own_and_no_others(
    graph: tuple[list[tuple[int, int]], list[Wire], list[str | None]],
) -> None:
    """
    Boxes and frames lie within the frames that they belong to, and touch no other.
    """
    sizes, wires, groups = graph
    made = arrange_groups(sizes, wires, groups)
    home = {node: number for number, frame in enumerate(made.frames) for node in frame.nodes}
    things = [
        ((x, y, x + width, y + height), _above(made, home[node]) if node in home else set(), None)
        for node, ((x, y), (width, height)) in enumerate(zip(made.places, sizes, strict=True))
    ]
    frames = [
        ((f.x, f.y, f.x + f.width, f.y + f.height), _above(made, number), number)
        for number, f in enumerate(made.frames)
    ]

    for number, frame in enumerate(made.frames):
        right, bottom = frame.x + frame.width, frame.y + frame.height
        for (x, y, x2, y2), around, own in [*things, *frames]:
            if number in around:
                assert frame.x <= x <= x2 <= right
                assert frame.y <= y <= y2 <= bottom
            elif own not in _above(made, number):
                assert x2 <= frame.x or right <= x or y2 <= frame.y or bottom <= y
    assert {node for node, name in enumerate(groups) if name} == set(home)
    assert made == arrange_groups(sizes, wires, groups)


def test_without_groups_nothing_changes() -> None:
    """
    Boxes stand where `arrange` puts them.
    """
    sizes, wires = [(200, 100)] * 3, [Wire(0, 1, 20, 30), Wire(1, 2, 20, 30)]

    assert Arranged(arrange(sizes, wires), []) == arrange_groups(sizes, wires, [None] * 3)


def test_titles_and_parents() -> None:
    """
    Each frame has the last part of its name, and comes after the one around it.
    """
    made = arrange_groups([(200, 100)] * 3, [], ["a/b", "c", "a"])

    assert [("a", -1, (2,)), ("b", 0, (0,)), ("c", -1, (1,))] == [
        (frame.title, frame.parent, frame.nodes) for frame in made.frames
    ]


def test_depth_is_limited() -> None:
    """
    A name of very many parts gives few frames; the last one keeps the rest in its title.
    """
    made = arrange_groups([(200, 100)], [], ["/".join("x" * 50_000)])

    assert DEEPEST == len(made.frames)
    assert made.frames[-1].title.startswith("x/x/x")
