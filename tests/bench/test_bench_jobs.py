"""
What jobs of a batch cost the client: linear in their number. `pytest -s` prints the figures.

`scripts/load_test.py` carries ten thousand out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from load_test import run_load

FEW, MANY = 60, 600


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_times_the_jobs_cost_ten_times_as_much(tmp_path: Path) -> None:
    """
    A job of a large batch takes about as much of the processor as one of a small batch, and no
    more memory is held for it.
    """
    few = run_load(FEW, tmp_path / "few")
    many = run_load(MANY, tmp_path / "many")
    each = few.cpu / FEW, many.cpu / MANY
    print(f"{each[0] * 1000:.1f} and {each[1] * 1000:.1f} ms a job", few.memory, many.memory)

    assert (FEW, MANY) == (few.succeeded, many.succeeded)
    assert each[1] < 1.6 * each[0]
