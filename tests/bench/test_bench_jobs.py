"""
What jobs of a batch cost the client: linear in their number.

With `--benchmark-enable` a thousand jobs are compared with ten thousand, which takes minutes; else
fewer, in seconds. `scripts/load_test.py` carries any number out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from load_test import run_load
from measure import Compare


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_times_the_jobs_cost_ten_times_as_much(compare: Compare, tmp_path: Path) -> None:
    """
    A job of a large batch takes about as much of the processor as one of a small batch, and no
    more memory is held for it.
    """
    few = 1_000 if compare.measuring else 30
    many = 10 * few
    small = run_load(few, tmp_path / "few")
    large = run_load(many, tmp_path / "many")
    print(f"\n{small}\n{large}")

    assert (few, many) == (small.succeeded, large.succeeded)
    assert large.peak < 1.3 * small.peak
    if compare.measuring:
        compare.hold((large.cpu / many) / (small.cpu / few), 1.3)
