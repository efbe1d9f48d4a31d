"""
Where the nodes of a prompt are set.
"""

from __future__ import annotations

from collections.abc import Callable

from counting import growth
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.workflow.arrange import ROW_GAP, Wire, arrange

SIZES = st.tuples(st.integers(1, 500), st.integers(1, 700))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[Wire]]:
    """
    Boxes with links in any direction: cycles, self loops, repeated links.
    """
    sizes = draw(st.lists(SIZES, max_size=14))
    if not sizes:
        return [], []
    ends = st.integers(0, len(sizes) - 1)
    heights = st.integers(0, 300)
    return sizes, draw(st.lists(st.builds(Wire, ends, ends, heights, heights), max_size=30))


def overlaps(sizes: list[tuple[int, int]], places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """
    Give the pairs of boxes that touch: those sorted by x that begin before another one ends.
    """
    order = sorted(range(len(sizes)), key=lambda i: places[i])
    found = []
    for at, one in enumerate(order):
        for two in order[at + 1 :]:
            if places[two][0] > places[one][0] + sizes[one][0]:
                break
            above, below = sorted((one, two), key=lambda i: places[i][1])
            if places[above][1] + sizes[above][1] >= places[below][1]:
                found.append((one, two))
    return found


@given(graphs())
def test_no_boxes_overlap(graph: tuple[list[tuple[int, int]], list[Wire]]) -> None:
    """
    Whatever the graph, no box touches another, and none stands left of or above the origin.
    """
    sizes, wires = graph
    places = arrange(sizes, wires)

    assert [] == overlaps(sizes, places)
    assert all(x >= 0 and y >= 0 for x, y in places)


@given(graphs())
def test_links_run_to_the_right(graph: tuple[list[tuple[int, int]], list[Wire]]) -> None:
    """
    Without cycles, every link ends to the right of the box that it starts from.
    """
    sizes, drawn = graph
    wires = [wire for wire in drawn if wire.origin < wire.target]
    places = arrange(sizes, wires)

    assert [] == [
        wire
        for wire in wires
        if places[wire.origin][0] + sizes[wire.origin][0] >= places[wire.target][0]
    ]


def test_a_chain_is_level() -> None:
    """
    Links between boxes of a chain run level, from slot to slot.
    """
    sizes = [(200, 100), (250, 300), (100, 50)]
    wires = [Wire(0, 1, 44, 64), Wire(1, 2, 44, 24)]
    places = arrange(sizes, wires)

    ends = [(places[w.origin][1] + w.origin_y, places[w.target][1] + w.target_y) for w in wires]
    assert [(ends[0][0],) * 2, (ends[1][0],) * 2] == ends


def test_a_loader_stands_next_to_what_it_feeds() -> None:
    """
    A node without inputs moves along to the column before its first consumer.
    """
    sizes = [(100, 100)] * 5
    wires = [Wire(0, 1, 0, 0), Wire(1, 2, 0, 0), Wire(2, 3, 0, 0), Wire(4, 3, 0, 0)]
    places = arrange(sizes, wires)

    assert places[2][0] == places[4][0]


def test_high_columns_are_broken() -> None:
    """
    A hundred nodes that one node feeds do not make one column of a hundred.
    """
    sizes = [(200, 200)] * 101
    wires = [Wire(0, node, 0, 0) for node in range(1, 101)]
    places = arrange(sizes, wires)

    assert [] == overlaps(sizes, places)
    assert max(y for _, y in places) < 100 * (200 + ROW_GAP) / 4


def test_thousands_of_nodes() -> None:
    """
    Deep chains, wide layers and a node that feeds everything are placed with ten times
    the calls of a tenth of them.
    """
    count = 3_000
    shapes = {
        "chain": lambda size: [Wire(i, i + 1, 0, 0) for i in range(size - 1)],
        "star": lambda size: [Wire(0, i, 0, 0) for i in range(1, size)],
        "fed chain": lambda size: (
            [Wire(i, i + 1, 0, 0) for i in range(1, size - 1)]
            + [Wire(0, i, 0, 0) for i in range(1, size)]
        ),
        "loop": lambda size: [Wire(i, (i + 1) % size, 0, 0) for i in range(size)],
        "nothing": lambda size: [],
    }

    def work(size: int, wires: list[Wire]) -> Callable[[], object]:
        return lambda: arrange([(200, 100)] * size, wires)

    grown = {
        name: growth(work(count, shape(count)), work(count // 10, shape(count // 10)))
        for name, shape in shapes.items()
    }

    assert {} == {name: times for name, times in grown.items() if times > 15}
