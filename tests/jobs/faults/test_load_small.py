"""
The load of `scripts/load_test.py`, small enough for every day.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "scripts"))

from load_test import GROWTH, MOST_MEMORY, run_load


@pytest.mark.slow
def test_three_hundred_jobs(tmp_path: Path) -> None:
    """
    All jobs are handed in once and end well, and memory does not grow with them.
    """
    figures = run_load(300, tmp_path)
    first = next(iter(figures.memory.values()))

    assert (300, 300) == (figures.succeeded, figures.submits)
    assert figures.peak < max(GROWTH * first, MOST_MEMORY)


@pytest.mark.slow
def test_the_rate_limit_is_kept(tmp_path: Path) -> None:
    """
    A service that counts the requests of each second has hardly one to refuse, even where a busy
    machine lets them arrive in bursts; of forty jobs at once without a limit, half would be.
    """
    figures = run_load(40, tmp_path, target="tams", qps=20, concurrency=40, out=tmp_path / "out")

    assert (40, 40, 40) == (figures.succeeded, figures.submits, figures.files)
    assert figures.refused < 15
