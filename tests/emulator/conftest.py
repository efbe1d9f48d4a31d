"""
What the tests of the emulator share: running emulators, clients, and the recordings.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from emulation import DATA, client_of

from comfygraph.emulator import Emulator, Faults


@pytest.fixture(autouse=True)
def _no_stumbling() -> Iterator[None]:
    """
    No test makes the emulator run into a mistake of its own; it would answer 500 and log it.
    """
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]  # the least of a handler
    logger = logging.getLogger("comfygraph.emulator")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)

    assert [] == [record.getMessage() for record in records]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """
    A running emulator without pauses and without a limit of requests.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    """
    A client of that emulator, with the credential of TAMS and Civitai.
    """
    with client_of(emulator) as one:
        yield one


@pytest.fixture(scope="session")
def bare() -> Iterator[httpx.Client]:
    """
    A client without a credential, for whole addresses.
    """
    with httpx.Client(verify=False, timeout=60) as one:
        yield one


@pytest.fixture(scope="session")
def recording() -> Callable[[str], list[dict[str, Any]]]:
    """
    Reads a recording of a real ComfyUI by its name.
    """

    def read(name: str) -> list[dict[str, Any]]:
        lines = gzip.decompress((DATA / "comfyui_ws" / f"{name}.jsonl.gz").read_bytes())
        return [json.loads(line) for line in lines.splitlines()]

    return read


@pytest.fixture(scope="session")
def tams_workflow() -> dict[str, Any]:
    """
    The body of a TAMS workflow job: two LoRAs, a base pass, a latent upscale, a second pass.
    """
    body: dict[str, Any] = json.loads((DATA / "seed" / "tams_workflow.json").read_text())
    return body
