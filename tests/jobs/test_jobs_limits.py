"""
Rate limits shared by jobs.
"""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from comfygraph.jobs.limits import RateLimits


@given(
    gaps=st.lists(st.floats(0, 2), min_size=2, max_size=50),
    rate=st.floats(0.5, 50),
    holds=st.dictionaries(st.integers(0, 49), st.floats(0, 5), max_size=3),
)
def test_departures_keep_their_distance(
    gaps: list[float], rate: float, holds: dict[int, float]
) -> None:
    """
    However requests come, they leave at least `1 / rate` apart, none before it came, and none
    while the service wants quiet.
    """
    limits = RateLimits()
    now, quiet = 0.0, 0.0
    departures: list[float] = []
    for index, gap in enumerate(gaps):
        now += gap
        if index in holds:
            quiet = max(quiet, now + holds[index])
            limits.hold("key", now + holds[index])
        leave = now + limits.reserve("key", rate, now)
        assert leave >= max(now, quiet) - 1e-9
        departures.append(leave)
    distances = [b - a for a, b in itertools.pairwise(departures)]

    assert all(distance >= 1 / rate - 1e-9 for distance in distances)


def test_keys_do_not_share() -> None:
    """
    Accounts do not wait for each other, and where there is no limit nobody waits.
    """
    limits = RateLimits()
    waits = [
        limits.reserve("a", 1.0, 0.0),
        limits.reserve("b", 1.0, 0.0),
        limits.reserve("a", 1.0, 0.0),
        limits.reserve("c", None, 0.0),
        limits.reserve("c", None, 0.0),
    ]

    assert [0.0, 0.0, 1.0, 0.0, 0.0] == waits
