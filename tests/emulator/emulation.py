"""
Graphs, clients and waits that the tests of the emulator share.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from comfygraph.emulator import DEV_TOKEN, Emulator

DATA = Path(__file__).parent.parent / "data"


def client_of(emulator: Emulator, token: str | None = DEV_TOKEN) -> httpx.Client:
    """A client of an emulator, with a credential. It reads no certificates, which is slow."""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return httpx.Client(base_url=emulator.url(), headers=headers, timeout=60, verify=False)


def graph(**changes: Any) -> dict[str, Any]:
    """A picture that is made, enlarged and saved."""
    made = {"width": 64, "height": 32, "batch_size": 1, "color": 0, **changes}
    return {
        "1": {"class_type": "EmptyImage", "inputs": made},
        "2": {
            "class_type": "SaveImage",
            "inputs": {"images": ["1", 0], "filename_prefix": "t/pic"},
            "_meta": {"title": "Keep"},
        },
    }


def sampler(steps: int = 10_000) -> dict[str, Any]:
    """A sampler that runs for long."""
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
        "5": {
            "class_type": "EmptyLatentImage",
            "inputs": {"width": 64, "height": 64, "batch_size": 1},
        },
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "x", "clip": ["4", 1]}},
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": 1, "steps": steps, "cfg": 8, "sampler_name": "euler",
                "scheduler": "normal", "denoise": 1, "model": ["4", 0], "positive": ["6", 0],
                "negative": ["6", 0], "latent_image": ["5", 0],
            },
        },
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {
            "class_type": "SaveImage",
            "inputs": {"images": ["8", 0], "filename_prefix": "pic"},
        },
    }  # fmt: skip


def finish(client: httpx.Client, prompt_id: str) -> dict[str, Any]:
    """Wait for a job, and give its entry in the history."""
    for _ in range(12_000):
        found = client.get(f"/history/{prompt_id}").json()
        if found:
            entry: dict[str, Any] = found[prompt_id]
            return entry
        time.sleep(0.005)
    raise AssertionError(prompt_id)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is about to happen."""
    for _ in range(12_000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError
