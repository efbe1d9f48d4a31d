"""
What the tests of the emulator share: running emulators, clients, and the recordings.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfygraph.emulator import DEV_TOKEN, Emulator, Faults

DATA = Path(__file__).parent.parent / "data"


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
    headers = {"Authorization": f"Bearer {DEV_TOKEN}"}
    with httpx.Client(base_url=emulator.url(), headers=headers, timeout=20) as one:
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
