"""
Ledgers to test: the same suite for every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from postgres_server import database

from comfygraph.core.values import Prompt
from comfygraph.jobs.ledger import Intent, Ledger, new_id, open_ledger
from comfygraph.targets.base import Submission

ENGINES = ("sqlite", "postgres")

PROMPT = Prompt.from_json(
    {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 32, "batch_size": 1,
                                                     "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
    }
)  # fmt: skip

Open = Callable[..., Ledger]


@pytest.fixture(params=ENGINES)
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """
    Give a function that opens a ledger: the same one each time.
    """
    with ExitStack() as stack:
        place: Path | str = tmp_path / "ledger.db"
        if request.param == "postgres":
            place = stack.enter_context(database(request.getfixturevalue("postgres_port")))

        def opener(**options: Any) -> Ledger:
            ledger = open_ledger(place, **options)
            stack.callback(ledger.close)
            return ledger

        yield opener


def intent(job: str = "", *, key: str = "", **others: Any) -> Intent:
    """
    Give an intent of a small graph.
    """
    job = job or new_id()
    values = {"target": "fake", "base_url": "http://service.test", **others}
    submission = values.pop("submission", None) or Submission(PROMPT, key or f"key-{job}")
    return Intent(job, submission=submission, **values)
