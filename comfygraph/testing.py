"""
Help for the tests of programs that use comfygraph or talk to its services.

A pytest fixture that starts an emulator for a test, and stops it afterwards:

    # conftest.py
    from comfygraph.testing import emulator

    # test_mine.py
    def test_my_program(emulator):
        run_my_program(server=emulator.url("comfyui"))

        assert 1 == emulator.stats().jobs["succeeded"]

The emulator makes no pauses. Let it do things wrong with `emulator.faults = Faults(drops=1)`.
Needs pytest and the extra `emulator`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comfygraph.emulator import DEV_TOKEN, Emulator, Faults, Stats

__all__ = ["DEV_TOKEN", "Emulator", "Faults", "Stats", "emulator"]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """
    Give a running emulator of all services, on a free port of loopback.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as running:
        yield running
