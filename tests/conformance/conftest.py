"""
One emulator for all tests of a worker, and another host that notes what it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from driving import plan_of
from graphs import picture
from jobs_servers import Loopback, Seen, loopback
from PIL import Image
from services import APP_ID, PLAIN, PUBLIC_KEY, SERVICES, TOKEN

from comfygraph.emulator import Emulator
from comfygraph.jobs.sync_driver import Job


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[Emulator]:
    """
    An emulator of all services that asks each of its clients for credentials.
    """
    with Emulator(
        speed=0,
        faults=PLAIN,
        token=TOKEN,
        comfyui_token=TOKEN,
        public_key=PUBLIC_KEY,
        app_id=APP_ID,
    ) as running:
        for service in SERVICES:
            # a list of jobs that is empty says more than one with others in it
            target = service.made_for(running)
            with Job(plan_of(target, picture(1), out=None, options=dict(service.options))) as job:
                job.result()
        yield running


@pytest.fixture
def emulator(shared_emulator: Emulator) -> Iterator[Emulator]:
    """
    The same, put back to its ordinary conduct afterwards.
    """
    yield shared_emulator
    shared_emulator.faults = PLAIN
    shared_emulator.speed = 0


@pytest.fixture(scope="session")
def other_host() -> Iterator[Loopback]:
    """
    A server that gives a picture for whatever it is asked.
    """
    data = BytesIO()
    Image.new("RGB", (4, 4), "teal").save(data, "PNG")

    def answer(seen: Seen) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "image/png"}, data.getvalue()

    with loopback(answer) as server:
        yield server
