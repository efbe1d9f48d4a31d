"""
Real answers of every service, cut and changed, in any order: never an exception other than ours,
never a state that goes backwards.
"""

from __future__ import annotations

import copy
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from driving import broken_laws
from graphs import BIG_SEED, long, several
from hypothesis import given, settings
from hypothesis import strategies as st
from services import PLAIN, SERVICES, Service

from comfygraph.emulator import Emulator, Faults
from comfygraph.errors import TargetError
from comfygraph.jobs.plan import make_submission
from comfygraph.targets.base import Exchange, JobRef, Target
from comfygraph.targets.events import Event
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.tracker import Tracker

T = TypeVar("T")
Answers = list[HttpResponse]
ODD: list[Any] = [None, True, -1, 1e308, BIG_SEED, "", "x", "SUCCESS", "failed", "\ud800", [], {}]


@pytest.fixture(scope="module")
def recorded(
    shared_emulator: Emulator,
) -> dict[str, tuple[Target, JobRef, list[Answers]]]:
    """
    For each service its target, a job, and what the service said at each poll of two jobs: one
    that ended well, and one that failed.
    """
    found: dict[str, tuple[Target, JobRef, list[Answers]]] = {}
    with httpx.Client(verify=False, timeout=60) as client:
        for service in SERVICES:
            target = service.made_for(shared_emulator)
            polls: list[Answers] = []
            for number, faults in enumerate((PLAIN, replace(PLAIN, fail_node="2"))):
                shared_emulator.faults, shared_emulator.speed = faults, 100
                ref, answers = _followed(client, target, service, number, faults)
                polls += answers
            found[service.name] = (target, ref, polls)
    shared_emulator.faults, shared_emulator.speed = PLAIN, 0
    return found


def _followed(
    client: httpx.Client, target: Target, service: Service, number: int, faults: Faults
) -> tuple[JobRef, list[Answers]]:
    graph = {**several(900 + number), **long(910 + number)}
    key = f"0b5a5d0e-4a7c-4b1f-9d65-00000000000{number}"
    submission = make_submission(graph, key=key, options=dict(service.options))
    submitted, _ = _converse(client, target.submit(submission))
    tracker = Tracker(submitted.ref.job_id)
    polls: list[Answers] = []
    for _ in range(6000):
        try:
            answer, said = _converse(client, target.poll(submitted.ref))
        except TargetError:
            continue
        polls.append(said)
        tracker.feed(answer.observations)
        if tracker.end is not None:
            break
        time.sleep(0.02)

    assert tracker.end is not None
    return submitted.ref, polls[:: max(1, len(polls) // 12)] + polls[-1:]


def _converse(client: httpx.Client, exchange: Exchange[T]) -> tuple[T, Answers]:
    said: Answers = []
    try:
        request = next(exchange)
        while True:
            answer = client.request(
                request.method, request.url, headers=request.wire_headers(), content=request.body
            )
            said.append(HttpResponse(answer.status_code, dict(answer.headers), answer.content))
            request = exchange.send(said[-1])
    except StopIteration as stop:
        return stop.value, said


@st.composite
def changed(draw: st.DrawFn, answer: HttpResponse) -> HttpResponse:
    """
    Give an answer as it is, cut, or with some of its values changed or gone.
    """
    how = draw(st.sampled_from(["whole", "whole", "cut", "changed", "changed", "changed"]))
    if how == "whole":
        return answer
    if how == "cut":
        return replace(answer, body=answer.body[: draw(st.integers(0, len(answer.body)))])
    document = json.loads(answer.body)
    for _ in range(draw(st.integers(1, 4))):
        place: Any = document
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
                if draw(st.booleans()):
                    place[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
                else:
                    del place[key]
                break
            place = place[key]
    return replace(answer, body=json.dumps(document).encode())


@pytest.mark.parametrize("name", [service.name for service in SERVICES])
@settings(max_examples=40)
@given(data=st.data())
def test_no_state_goes_backwards(
    name: str, data: st.DataObject, recorded: dict[str, tuple[Target, JobRef, list[Answers]]]
) -> None:
    """
    However answers come and whatever became of them on their way, the story only moves forward.
    """
    target, ref, polls = recorded[name]
    tracker = Tracker(ref.job_id)
    events: list[Event] = []
    messages: list[str] = []
    for number in data.draw(st.lists(st.integers(0, len(polls) - 1), min_size=1, max_size=8)):
        exchange = target.poll(ref)
        try:
            next(exchange)
            for answer in [*polls[number], *polls[number][-1:] * 3]:
                exchange.send(data.draw(changed(answer)))
        except StopIteration as stop:
            events += tracker.feed(stop.value.observations)
        except TargetError as error:
            messages.append(error.message)

    assert all("\n" not in message and len(message) < 2000 for message in messages)
    assert [] == broken_laws(events, Path("nowhere"))
