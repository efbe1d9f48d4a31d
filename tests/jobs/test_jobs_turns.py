"""
Requests leave at the pace of their service, also where the process is held up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from comfygraph.jobs.courier import Courier
from comfygraph.jobs.effects import News, Pause, Send, Talk
from comfygraph.jobs.limits import RateLimits
from comfygraph.jobs.settings import Settings
from comfygraph.targets.base import Exchange
from comfygraph.targets.http import HttpRequest, HttpResponse
from comfygraph.targets.policy import Policy

RATE, MOST = 4.5, 5


def ignore(news: News) -> Talk[None]:
    """
    Take no news in.
    """
    return
    yield


def asking() -> Exchange[HttpResponse]:
    """
    Ask for something, once.
    """
    return (yield HttpRequest("GET", "http://127.0.0.1/"))


def departures(count: int, stalls: dict[int, float]) -> list[float]:
    """
    Have so many requests wait for their turns in one process, which is held up now and then.

    Args:
        count: How many requests, all at once.
        stalls: Number of a step → seconds for which nothing goes on after it.

    Returns:
        When each left, in seconds.
    """
    clock = [0.0]
    now: Callable[[], float] = lambda: clock[0]  # noqa: E731  # one line says it
    settings = Settings(clock=now, chance=lambda: 0.5, limits=RateLimits())
    policy = Policy(requests_per_second=RATE, rate_key="one")
    left: list[float] = []
    sleeping: list[tuple[float, int, Any]] = []
    for number in range(count):
        courier = Courier(policy, settings, key="one", deadline=1e9, on_news=ignore)
        sleeping.append((0.0, number, courier.run(asking())))
    step = 0
    while sleeping:
        sleeping.sort(key=lambda item: item[:2])
        until, number, talk = sleeping.pop(0)
        clock[0] = max(clock[0], until)
        match next(talk):
            case Pause(seconds=seconds):
                assert seconds is not None
                sleeping.append((clock[0] + seconds, number, talk))
            case Send():
                left.append(clock[0])
                talk.close()
        clock[0] += stalls.get(step, 0.0)
        step += 1
    return left


@given(stalls=st.dictionaries(st.integers(0, 60), st.floats(0, 3), max_size=3))
def test_a_process_that_is_held_up(stalls: dict[int, float]) -> None:
    """
    However long nothing goes on meanwhile, no second sees more requests than the service takes.
    """
    left = departures(20, stalls)
    busiest = max(sum(begin <= moment < begin + 1 for moment in left) for begin in left)

    assert 20 == len(left)
    assert busiest <= MOST


def test_a_machine_that_is_always_late() -> None:
    """
    Where every turn is missed, requests leave all the same.
    """
    assert 20 == len(departures(20, dict.fromkeys(range(1000), 0.5)))
