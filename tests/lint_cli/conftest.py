"""
What the tests of the lint command share: a way to run it, and a graph to break.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from comfygraph.cli import run as run_cli


class Run(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Runner = Callable[..., Run]


def graph(**inputs: Any) -> dict[str, Any]:
    """
    Give a clean graph of two nodes, with more inputs in its first node.
    """
    first = {"width": 64, "height": 64, "batch_size": 1, "color": 0, **inputs}
    return {
        "1": {"class_type": "EmptyImage", "inputs": first},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
    }


def write(path: Path, value: Any, *, indent: int | None = 2) -> Path:
    """
    Write a value as JSON.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=indent) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Runner:
    """
    Run `comfygraph` in a folder of its own, without a configuration from outside.
    """
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: object, stdin: bytes = b"") -> Run:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run_cli([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Run(int(code), captured.out, captured.err)

    return call
