"""
Help for the tests of programs that use comfygraph or talk to its services: pytest fixtures with
local stand-ins of ComfyUI, TAMS, Civitai, Novita and Comfy API, over real HTTP on loopback.

    # conftest.py
    from comfygraph.testing import *   # or only what you need

    # test_mine.py
    from comfygraph.testing import Faults

    def test_my_program(emulator):
        run_my_program(server=emulator.url("comfyui"))

        assert 1 == emulator.stats().jobs["succeeded"]
        assert b"a red fox" in emulator.received()[0].body

    def test_a_bad_day(emulator):
        emulator.faults = Faults(route="POST *", lost_answers=1)
        run_my_program(server=emulator.url("tams"))

        assert 1 == sum(emulator.stats().submits.values())     # and not two

    def test_what_is_configured_by_environment(emulated):
        run_my_program()                                       # finds it in COMFYUI_URL and others

`emulator` is new for each test, `shared_emulator` is one for all of them, put back to its ordinary
conduct after each. Neither makes pauses nor limits requests. `comfygraph emulate --fault help`
explains every fault. Needs pytest and the extra `emulator`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comfygraph.emulator import DEV_TOKEN, Emulator, Faults, Received, Stats
from comfygraph.targets import URL_SETTINGS

__all__ = [
    "DEV_TOKEN",
    "Emulator",
    "Faults",
    "Received",
    "Stats",
    "emulated",
    "emulator",
    "session_emulator",
    "settings_for",
    "shared_emulator",
]

_CALM = Faults(qps=0)
_TOKENS = ("TAMS_API_KEY", "CIVITAI_API_TOKEN", "NOVITA_API_KEY", "COMFY_API_TOKEN")


def settings_for(emulator: Emulator) -> dict[str, str]:
    """
    Give the settings, by the names of the environment, with which every target finds an emulator.

        get_target("tams", settings_for(emulator))
    """
    return {
        **dict.fromkeys(URL_SETTINGS.values(), emulator.url(emulator.dialects[0])),
        "NOVITA_BASE_URL": emulator.url(emulator.dialects[0]),
        **dict.fromkeys(_TOKENS, DEV_TOKEN),
    }


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """
    Give a running emulator of all services, on a free port of loopback; new for each test.
    """
    with Emulator(speed=0, faults=_CALM) as running:
        yield running


@pytest.fixture(scope="session")
def session_emulator() -> Iterator[Emulator]:
    """
    Give one running emulator for all tests, as they leave it.
    """
    with Emulator(speed=0, faults=_CALM) as running:
        yield running


@pytest.fixture
def shared_emulator(session_emulator: Emulator) -> Iterator[Emulator]:
    """
    Give the emulator of the session, without the faults and the speed of the test before.
    """
    session_emulator.faults = _CALM
    session_emulator.speed = 0
    yield session_emulator
    session_emulator.faults = _CALM
    session_emulator.speed = 0


@pytest.fixture
def emulated(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """
    Give an emulator that the environment names as the address of every service.
    """
    for name, value in settings_for(emulator).items():
        monkeypatch.setenv(name, value)
    return emulator
