"""
Ledgers to test: the same suite for every engine. An engine of its own is added to `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from comfygraph.core.values import Prompt
from comfygraph.jobs.ledger import Intent, Ledger, new_id
from comfygraph.jobs.ledger.engine import Engine
from comfygraph.jobs.ledger.sqlite import SqliteEngine
from comfygraph.targets.base import Submission

ENGINES: dict[str, Callable[[Path, str], Engine]] = {
    "sqlite": lambda folder, name: SqliteEngine(folder / f"{name}.db"),
}
"""Engine → gives one for a folder and a name; the same two give the same database."""

PROMPT = Prompt.from_json(
    {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 32, "batch_size": 1,
                                                     "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
    }
)  # fmt: skip

Open = Callable[..., Ledger]


@pytest.fixture(params=list(ENGINES))
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """
    Give a function that opens a ledger: the same one each time, for the same name.
    """
    make = ENGINES[request.param]
    with ExitStack() as stack:

        def opener(name: str = "ledger", **options: Any) -> Ledger:
            ledger = Ledger(make(tmp_path, name), **options)
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
