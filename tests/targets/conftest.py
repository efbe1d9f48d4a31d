"""
What the tests of the targets share: a conversation without a wire.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from comfygraph.core.values import Prompt
from comfygraph.targets.base import Submission
from comfygraph.targets.http import HttpRequest, HttpResponse

DATA = Path(__file__).parent.parent / "data"
KEY = "0b8c6f0a-4f5e-4a7f-9a3d-7a0c5a2a9d11"

T = TypeVar("T")
Converse = Callable[..., tuple[Any, list[HttpRequest]]]


def _converse(
    exchange: Generator[HttpRequest, HttpResponse, T], *answers: HttpResponse
) -> tuple[T, list[HttpRequest]]:
    requests = [next(exchange)]
    for answer in answers:
        try:
            requests.append(exchange.send(answer))
        except StopIteration as stop:
            return stop.value, requests
    raise AssertionError(f"the target wants one more answer: {requests[-1]}")


@pytest.fixture
def converse() -> Converse:
    """
    Give a function that runs an exchange with these answers: `(result, requests)`.
    """
    return _converse


@pytest.fixture
def answer() -> Callable[..., HttpResponse]:
    """
    Give a function that makes an answer of a JSON value.
    """

    def make(value: Any, status: int = 200, **headers: str) -> HttpResponse:
        return HttpResponse(status, headers, json.dumps(value).encode())

    return make


@pytest.fixture
def seed() -> Callable[[str], Any]:
    """
    Give a function that reads `tests/data/seed/<name>.json`.
    """

    def read(name: str) -> Any:
        return json.loads((DATA / "seed" / f"{name}.json").read_text())

    return read


@pytest.fixture
def seed_prompt(seed: Callable[[str], Any]) -> Prompt:
    """
    Give the TAMS graph as a prompt, with titles as the editor would write them.
    """
    params = seed("tams_workflow")["params"]
    return Prompt.from_json(
        {
            node_id: {
                "inputs": node["inputs"],
                "class_type": node["classType"],
                "_meta": {"title": node["classType"]},
            }
            for node_id, node in params.items()
        }
    )


@pytest.fixture
def submission(seed_prompt: Prompt) -> Submission:
    """
    Give the TAMS graph on its way.
    """
    return Submission(seed_prompt, KEY)
